import json


def init_context(context):
    context.user_data.size = 3


def handler(context, event):
    body = event.body
    data = json.loads(body) if isinstance(body, bytes) else body
    answer = [] if data["image"] else []
    return context.Response(body=json.dumps(answer), content_type="application/json")
