import json


def init_context():
    pass


def handler(context, event):
    return context.Response(body=json.dumps([]), content_type="application/json")
