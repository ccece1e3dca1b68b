# Written by `cvat-nuclio generate`. Change ../cvat-nuclio.yaml, then, in this folder: cvat-nuclio generate ..
"""The detector `openvino-mask-rcnn`: which AA function it is, and how it answers."""

from pathlib import Path
from typing import Any

from aa_runtime import FunctionSource, Options, create_handler

HERE = Path(__file__).resolve().parent
SOURCE = FunctionSource(
    module="cvat_functions.mask_rcnn_openvino",
    parameters={
        "weights": str(HERE / "mask_rcnn.xml"),
        "labels": str(HERE / "coco_90.txt"),
    },
)
OPTIONS = Options(
    name="openvino-mask-rcnn",
)


class ModelHandler:
    """One worker's model."""

    def __init__(self, logger: Any) -> None:
        self._handler = create_handler(SOURCE, OPTIONS, logger)

    def handle(self, context: Any, event: Any) -> Any:
        """Answers one request with an `nuclio_sdk.Response`."""
        return self._handler.handle(context, event)
