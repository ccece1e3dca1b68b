import cvat_sdk.auto_annotation as cvataa

attributes = [cvataa.text_attribute_spec("a", 0), cvataa.text_attribute_spec("a", 1)]
spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("x", 0, attributes=attributes)])
