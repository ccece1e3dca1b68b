import json

TOKEN = "hf_QwErTyUiOpAsDfGhJkLzXcVbNm01234567"
AWS = "AKIAQ2W4E6R8T1Y3U5I7"


def init_context(context):
    context.logger.info("ready")


def handler(context, event):
    return context.Response(body=json.dumps([]), content_type="application/json")
