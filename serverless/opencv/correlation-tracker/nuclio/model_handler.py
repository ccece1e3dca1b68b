# Written by `cvat-nuclio generate`. Change ../cvat-nuclio.yaml, then, in this folder: cvat-nuclio generate ..
"""The tracker `opencv-correlation-tracker`: which AA function it is, and how it answers."""

from typing import Any

from aa_runtime import FunctionSource, Options, create_handler

SOURCE = FunctionSource(
    module="cvat_functions.correlation_tracker",
)
OPTIONS = Options(
    name="opencv-correlation-tracker",
    lost_shape="last",
    state="token",
)


class ModelHandler:
    """One worker's model."""

    def __init__(self, logger: Any) -> None:
        self._handler = create_handler(SOURCE, OPTIONS, logger)

    def handle(self, context: Any, event: Any) -> Any:
        """Answers one request with an `nuclio_sdk.Response`."""
        return self._handler.handle(context, event)
