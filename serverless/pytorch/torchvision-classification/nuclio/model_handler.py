# Written by `cvat-nuclio generate`. Change ../cvat-nuclio.yaml, then, in this folder: cvat-nuclio generate ..
"""The detector `pytorch-torchvision-classification`: which AA function it is, and how it answers."""

from typing import Any

from aa_runtime import FunctionSource, Options, create_handler

SOURCE = FunctionSource(
    module="cvat_sdk.auto_annotation.functions.torchvision_classification",
    parameters={
        "model_name": "efficientnet_b0",
    },
)
OPTIONS = Options(
    name="pytorch-torchvision-classification",
)


class ModelHandler:
    """One worker's model."""

    def __init__(self, logger: Any) -> None:
        self._handler = create_handler(SOURCE, OPTIONS, logger)

    def handle(self, context: Any, event: Any) -> Any:
        """Answers one request with an `nuclio_sdk.Response`."""
        return self._handler.handle(context, event)
