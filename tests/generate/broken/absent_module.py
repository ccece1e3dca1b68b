import cvat_sdk.auto_annotation as cvataa
import no_such_package.inside

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("x", 0)])
