import json
import logging


def init_context(context):
    logging.getLogger("x").warning("ready")
    context.logger.warn("ready")


def handler(context, event):
    return context.Response(body=json.dumps([]), content_type="application/json")
