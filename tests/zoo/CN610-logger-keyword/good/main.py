import json


def init_context(context):
    context.logger.error_with("no", error="x")


def handler(context, event):
    return context.Response(body=json.dumps([]), content_type="application/json")
