def handler(context, event):
    return context.Response(body="no model here", content_type="text/plain", headers={}, status_code=500)
