import json
import pickle


def init_context(context):
    with open("/opt/nuclio/weights.pkl", "rb") as file:
        context.user_data.model = pickle.load(file)


def handler(context, event):
    return context.Response(body=json.dumps([]), content_type="application/json")
