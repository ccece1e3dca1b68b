import base64
import json


def init_context(context):
    context.user_data.size = 3


def handler(context, event):
    picture = base64.b64decode(event.body["image"].split(",")[1])
    answer = [] if picture else []
    return context.Response(body=json.dumps(answer), content_type="application/json")
