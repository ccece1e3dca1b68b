import time

print("waiting for the moon", flush=True)
time.sleep(600)
