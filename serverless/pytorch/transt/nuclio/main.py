# Written by `cvat-nuclio generate`. Change ../cvat-nuclio.yaml, then, in this folder: cvat-nuclio generate ..
"""Nuclio's entry point: `handler: main:handler`."""

from typing import Any


def init_context(context: Any) -> None:
    """Loads the model, once in each worker. An error ends the worker, and `nuctl deploy` shows it."""
    # Imported here and not above: Nuclio gives a module's import two minutes, and this function as long as it takes.
    from model_handler import ModelHandler

    context.user_data.model = ModelHandler(context.logger)


def handler(context: Any, event: Any) -> Any:
    """Answers one request of CVAT's. Never raises: Nuclio would send the traceback to the caller."""
    return context.user_data.model.handle(context, event)
