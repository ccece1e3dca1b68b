"""BentoML: a service with workers."""

import os

import bentoml
from detection import detect as run


@bentoml.service(workers=int(os.environ["WORKERS"]))
class Detector:
    """One request at a time in each worker."""

    @bentoml.api
    def detect(self, image: str) -> list[dict]:
        """CVAT's items."""
        return run(image)
