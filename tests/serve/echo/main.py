"""A function that says what it got and where it runs."""

import os


def init_context(context):
    context.logger.info("loaded")


def handler(context, event):
    if event.path == "/raise":
        raise ValueError("asked to")
    print("called")
    return {
        "pid": os.getpid(),
        "body": event.body,
        "path": event.path,
        "greeting": os.environ.get("GREETING"),
        "cwd": os.getcwd(),  # noqa: PTH109
        "headers": event.headers,
    }
