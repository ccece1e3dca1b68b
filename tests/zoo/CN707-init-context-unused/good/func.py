import cvat_sdk.auto_annotation as cvataa

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("cat", 0)])


def init_context(device):
    return object()


MODEL = init_context("cpu")


def detect(context, image):
    return [cvataa.rectangle(0, [0, 0, *image.size])] if MODEL else []
