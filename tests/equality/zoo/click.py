"""An interactor with `preprocess_image`, optional box, negative points, several objects and confidence."""

import cvat_sdk.auto_annotation as cvataa
import numpy as np
from cvat_sdk import models
from cvat_sdk.masks import encode_mask

spec = cvataa.InteractionFunctionSpec(min_pos_points=1, min_neg_points=0, min_bounding_boxes=0)


def preprocess_image(context, image):
    return np.asarray(image.convert("L"))


def detect(context, pp_image, prompts):
    return [one(pp_image, prompts, n, point) for n, point in enumerate(prompts.pos_points)]


def one(grey, prompts, number, point):
    bitmap = np.zeros(grey.shape, bool)
    x, y = (int(value) for value in point)
    bitmap[max(y - 6, 0) : y + 7, max(x - 8, 0) : x + 9] = True
    for nx, _ in prompts.neg_points:
        bitmap[:, int(nx) :] = False
    if prompts.bounding_box:
        (x0, y0), (x1, y1) = prompts.bounding_box
        inside = np.zeros_like(bitmap)
        inside[int(y0) : int(y1), int(x0) : int(x1)] = True
        bitmap &= inside
    bitmap &= grey < 200
    value = f"{0.9 - 0.25 * number:g}"
    confidence = models.AttributeValRequest(spec_id=int(cvataa.InteractionResultAttributes.CONFIDENCE), value=value)
    box = (0, 0, grey.shape[1], grey.shape[0])
    return cvataa.InteractionResultShape(type="mask", points=encode_mask(bitmap, box), attributes=[confidence])
