import json
import pickle


def init_context(context):
    context.logger.info("ready")


def handler(context, event):
    state = pickle.loads(event.body["state"])
    return context.Response(body=json.dumps([]), content_type="application/json")
