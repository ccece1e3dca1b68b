import os


def init_context(context):
    context.logger.info("loading")


def handler(context, event):
    print("hello")
    context.logger.info_with("got", n=1)
    return {"pid": os.getpid(), "body": event.body}
