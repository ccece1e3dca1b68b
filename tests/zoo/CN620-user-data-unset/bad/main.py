import json


def init_context(context):
    context.user_data.size = 3


def handler(context, event):
    answer = context.user_data.model(event.body["image"])
    return context.Response(body=json.dumps(answer), content_type="application/json")
