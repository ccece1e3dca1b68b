import json


def init_context(context):
    context.logger.error("no", exc_info=True)


def handler(context, event):
    return context.Response(body=json.dumps([]), content_type="application/json")
