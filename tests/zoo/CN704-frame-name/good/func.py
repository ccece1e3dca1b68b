import cvat_sdk.auto_annotation as cvataa
import PIL.Image

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("cat", 0), cvataa.label_spec("dog", 1)])


def detect(context, image: PIL.Image.Image):
    print(context.conf_threshold)
    return [cvataa.rectangle(0, [0, 0, *image.size])]
