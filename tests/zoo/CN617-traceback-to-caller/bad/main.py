import json
import traceback


def init_context(context):
    context.logger.info("ready")


def handler(context, event):
    return context.Response(body=traceback.format_exc(), content_type="application/json")
