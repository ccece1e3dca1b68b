import time

import cvat_sdk.auto_annotation as cvataa

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("box", 0, type="rectangle")])


def detect(context, image):
    print("words on standard output")
    time.sleep(0.02)
    return [cvataa.rectangle(0, [1, 2, 30, 40])]
