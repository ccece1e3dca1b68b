import json


def init_context(context):
    with open("names.txt") as file:
        context.user_data.names = file.read()


def handler(context, event):
    answer = [{"confidence": "0.9", "label": "cat", "type": "rectangle", "points": [4, 4, 6, 6]}]
    return context.Response(body=json.dumps(answer), content_type="application/json")
