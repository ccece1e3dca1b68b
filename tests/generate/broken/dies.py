import os

print("about to die", flush=True)
os.kill(os.getpid(), 9)
