import json
import sys


def init_context(context):
    context.logger.info("ready")


def handler(context, event):
    return context.Response(body=json.dumps([]), content_type="application/json")


if __name__ == "__main__":
    sys.exit(0)
