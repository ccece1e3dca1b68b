import json


def init_context(context):
    context.user_data.size = 3


def handler(context, event):
    answer = []
    answer.append({"type": "mask", "mask": [0, 1, 0, 0, 1, 1]})
    return context.Response(body=json.dumps(answer), content_type="application/json")
