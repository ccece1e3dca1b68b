import cvat_sdk.auto_annotation as cvataa
import PIL.Image
import requests

WEIGHTS = requests.get("https://example.org/weights").content
spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("cat", 0), cvataa.label_spec("dog", 1)])


def detect(context, image: PIL.Image.Image):
    return [cvataa.rectangle(0, [0, 0, *image.size])]
