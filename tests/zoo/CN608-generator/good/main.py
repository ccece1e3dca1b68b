import json


def init_context(context):
    context.logger.info("ready")


def handler(context, event):
    def items():
        yield 1

    list(items())
    return context.Response(body=json.dumps([]), content_type="application/json")
