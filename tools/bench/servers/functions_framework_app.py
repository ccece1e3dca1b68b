"""functions-framework: an HTTP function."""

import functions_framework
from detection import detect as run
from flask import jsonify


@functions_framework.http
def detect(request):
    """One request."""
    return jsonify(run(request.get_json()["image"]))
