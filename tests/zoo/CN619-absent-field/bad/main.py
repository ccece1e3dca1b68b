import json


def init_context(context):
    context.user_data.size = 3


def handler(context, event):
    data = json.loads(event.body) if isinstance(event.body, bytes) else event.body
    answer = [{"points": point} for point in data["pos_points"]]
    return context.Response(body=json.dumps(answer), content_type="application/json")
