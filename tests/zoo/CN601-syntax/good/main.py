import json


def init_context(context):
    context.logger.info("ready")


def handler(context, event):
    match event.method:
        case "POST":
            pass
    return context.Response(body=json.dumps([]), content_type="application/json")
