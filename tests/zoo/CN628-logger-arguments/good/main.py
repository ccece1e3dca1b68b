import json


def init_context(context):
    context.logger.info("100 %% loaded after %.1f s", 3.5)


def handler(context, event):
    return context.Response(body=json.dumps([]), content_type="application/json")
