import json

import onnxruntime


def init_context(context):
    context.user_data.session = onnxruntime.InferenceSession("/opt/nuclio/model.onnx")


def handler(context, event):
    return context.Response(body=json.dumps([]), content_type="application/json")
