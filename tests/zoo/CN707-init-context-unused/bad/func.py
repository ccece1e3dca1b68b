import cvat_sdk.auto_annotation as cvataa

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("cat", 0)])
model = None


def init_context(context):
    global model
    model = object()


def detect(context, image):
    return [cvataa.rectangle(0, [0, 0, *image.size])] if model else []
