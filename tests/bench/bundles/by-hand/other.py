import os


def handler(context, event):
    assert os.environ["COLOUR"] == "red"
    assert event.body["image"]
    return context.Response(body="[]", content_type="application/json", headers={}, status_code=200)
