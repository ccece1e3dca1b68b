import json


def init_context(context):
    context.logger.info("ready")


def handler(context, event):
    return context.Response(body=[{"label": "cat"}], content_type="application/json")
