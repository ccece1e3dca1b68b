"""An interactor that needs a box, takes no negative points, and has no `preprocess_image`."""

import cvat_sdk.auto_annotation as cvataa
import numpy as np
from cvat_sdk.masks import encode_mask

spec = cvataa.InteractionFunctionSpec(min_pos_points=0, min_bounding_boxes=1)


def detect(context, image, prompts):
    (x0, y0), (x1, y1) = prompts.bounding_box
    bitmap = np.zeros((image.height, image.width), bool)
    bitmap[int(y0) : int(y1), int(x0) : int(x1)] = True
    polygon = cvataa.InteractionResultShape(type="polygon", points=[1, 1, 9, 9, 1, 9])
    points = encode_mask(bitmap, (int(x0), int(y0), int(x1), int(y1)))
    return [cvataa.InteractionResultShape(type="mask", points=points), polygon]
