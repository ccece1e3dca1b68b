import json

from loading import load


def init_context(context):
    load(context)


def handler(context, event):
    answer = context.user_data.model(event.body["image"])
    return context.Response(body=json.dumps(answer), content_type="application/json")
