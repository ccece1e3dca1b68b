import asyncio
import json


def init_context(context):
    context.logger.info("ready")


def handler(context, event):
    asyncio.run(asyncio.sleep(0))
    return context.Response(body=json.dumps([]), content_type="application/json")
