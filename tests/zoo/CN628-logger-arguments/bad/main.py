import json


def init_context(context):
    context.logger.info("loaded after", 3.5)


def handler(context, event):
    return context.Response(body=json.dumps([]), content_type="application/json")
