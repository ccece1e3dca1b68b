import cvat_sdk.auto_annotation as cvataa


class Base:
    spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("x", 0)])

    def detect(self, context, image):
        return []


class Detector(Base):
    def __init__(self, weights: str, size: int = 640) -> None:
        self.weights = weights


class Unrelated:
    pass
