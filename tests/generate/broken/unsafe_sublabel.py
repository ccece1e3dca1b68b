import cvat_sdk.auto_annotation as cvataa

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.skeleton_label_spec("s", 0, [cvataa.keypoint_spec('a"b', 0)])])
