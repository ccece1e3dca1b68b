import cvat_sdk.auto_annotation as cvataa


class create:
    def __init__(self, weights: str) -> None:
        self.spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("x", 0)])
