import json


def init_context(context):
    context.user_data.size = 3


def handler(context, event):
    data = event.body
    threshold = data["threshold"] if "threshold" in data else 0.5
    answer = [threshold, data.get("pos_points"), len(data["image"])]
    return context.Response(body=json.dumps(answer), content_type="application/json")
