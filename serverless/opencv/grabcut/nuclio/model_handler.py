# Written by `cvat-nuclio generate`. Change ../cvat-nuclio.yaml, then, in this folder: cvat-nuclio generate ..
"""The interactor `opencv-grabcut`: which AA function it is, and how it answers."""

from typing import Any

from aa_runtime import FunctionSource, Options, create_handler

SOURCE = FunctionSource(
    module="cvat_functions.grabcut",
)
OPTIONS = Options(
    name="opencv-grabcut",
    interactor_answer="shapes",
)


class ModelHandler:
    """One worker's model."""

    def __init__(self, logger: Any) -> None:
        self._handler = create_handler(SOURCE, OPTIONS, logger)

    def handle(self, context: Any, event: Any) -> Any:
        """Answers one request with an `nuclio_sdk.Response`."""
        return self._handler.handle(context, event)
