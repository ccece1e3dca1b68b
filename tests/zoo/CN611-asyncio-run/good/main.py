import asyncio
import json


def init_context(context):
    context.logger.info("ready")


async def handler(context, event):
    await asyncio.sleep(0)
    return context.Response(body=json.dumps([]), content_type="application/json")
