import json
import traceback


def init_context(context):
    context.logger.info("ready")


def handler(context, event):
    context.logger.error(traceback.format_exc())
    return context.Response(body=json.dumps([]), content_type="application/json")
