import json


def init_context(context):
    context.user_data.model = open("/opt/nuclio/net.onnx", "rb").read()


def handler(context, event):
    answer = []
    return context.Response(body=json.dumps(answer), content_type="application/json")
