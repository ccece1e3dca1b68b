import json


def init_context(context):
    context.logger.info("ready")


def handler(context, event):
    return context.Response(body=json.dumps([]), content_type="application/json")
