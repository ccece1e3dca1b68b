# Written by `cvat-nuclio generate`. Change ../cvat-nuclio.yaml, then, in this folder: cvat-nuclio generate ..
"""The tracker `pytorch-transt`: which AA function it is, and how it answers."""

from pathlib import Path
from typing import Any

from aa_runtime import FunctionSource, Options, create_handler

HERE = Path(__file__).resolve().parent
SOURCE = FunctionSource(
    module="cvat_functions.transt",
    parameters={
        "weights": str(HERE / "transt.pth"),
    },
)
OPTIONS = Options(
    name="pytorch-transt",
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
