import attrs
import cvat_sdk.auto_annotation as cvataa


@attrs.frozen
class Function:
    spec = cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle"])

    def preprocess_image(self, context, image):
        return image

    def init_tracking_state(self, context, pp_image, shape):
        return {"points": list(shape.points)}

    def track(self, context, pp_image, state):
        print("tracked")
        return cvataa.TrackableShape(type="rectangle", points=state["points"])


def create():
    return Function()
