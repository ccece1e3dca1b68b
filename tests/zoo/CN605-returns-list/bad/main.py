import json


def init_context(context):
    context.logger.info("ready")


def handler(context, event):
    results = []
    return results
