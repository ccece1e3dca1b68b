import json


def init_context(context):
    context.user_data.size = 3


def handler(context, event):
    answer = {"blob": "AAAA"}
    answer["mask"] = [[0, 255], [0, 255]]
    return context.Response(body=json.dumps(answer), content_type="application/json")
