"""An interactor on OpenCV's GrabCut: a box, points, or both, to a mask.

A box says that everything outside it is background. Points say what they mark and, by how near a pixel is to them
along ways that cross no edge, what its surroundings probably are. GrabCut then models both sides' colours and cuts
between them; of what it finds, the pieces that the user pointed at are kept.
"""

import attrs
import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
from cvat_sdk.masks import encode_mask

from cvat_functions.graph_cut import Pixels, segment
from cvat_functions.marks import Bitmap, Marks, surroundings
from cvat_functions.shared import to_rgb


@attrs.frozen(eq=False)
class Picture:
    """An image ready to be cut: BGR, (rows, columns, 3), and how many of the image's pixels one of its pixels is."""

    bgr: Pixels
    scale: float
    size: tuple[int, int]
    """Width and height of the image itself."""


@attrs.frozen(kw_only=True)
class GrabCut:
    """Cuts out what the user marked; see `create` for the parameters."""

    work_side: int
    image_side: int
    iterations: int
    margin: float

    @property
    def spec(self) -> cvataa.InteractionFunctionSpec:
        """No prompt is demanded, so that a box alone will do, and points alone will do."""
        return cvataa.InteractionFunctionSpec(min_pos_points=0, min_neg_points=0, min_bounding_boxes=0)

    def preprocess_image(self, context: cvataa.InteractionFunctionContext, image: PIL.Image.Image) -> Picture:
        """Converts the image, and shrinks it where it is larger than a cut can use."""
        scale = max(1.0, max(image.size) / self.image_side)
        bgr = cv2.cvtColor(np.asarray(to_rgb(image)), cv2.COLOR_RGB2BGR)
        if scale > 1:
            bgr = cv2.resize(bgr, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
        return Picture(bgr, scale, image.size)

    def detect(
        self,
        context: cvataa.InteractionFunctionContext,
        pp_image: Picture,
        prompts: cvataa.InteractionPrompts,
    ) -> list[cvataa.InteractionResultShape]:
        """The mask of what the prompts mark, or nothing: without confidence, because a cut has none to tell.

        CVAT hides shapes of a confidence below 0.5; how well the two sides' colours differ is not how likely the cut
        is to be right.
        """
        marks = Marks.of(prompts, pp_image.size)
        if marks.box is None and not len(marks.positive):
            return []
        bitmap = self._cut(pp_image, marks)
        if not bitmap.any():
            return []
        return [cvataa.InteractionResultShape(type="mask", points=encode_mask(bitmap))]

    def _cut(self, picture: Picture, marks: Marks) -> Bitmap:
        """The bitmap, of the image's size: cut in a part of the picture that is shrunk to `work_side`."""
        left, top, right, bottom = surroundings(marks, picture.size, self.margin)
        x1, y1, x2, y2 = (round(edge / picture.scale) for edge in (left, top, right, bottom))
        part = picture.bgr[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
        shrink = min(1.0, self.work_side / max(part.shape[:2]))
        part = cv2.resize(part, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else part
        area = (right - left, bottom - top)
        found = segment(part, marks.moved(np.array([left, top]), np.divide(part.shape[1::-1], area)), self.iterations)
        bitmap = np.zeros(picture.size[::-1], dtype=bool)
        enlarged = cv2.resize(found.astype(np.float32), area, interpolation=cv2.INTER_LINEAR)
        bitmap[top:bottom, left:right] = enlarged > 0.5
        return bitmap


def create(work_side: int = 384, image_side: int = 2048, iterations: int = 4, margin: float = 0.3) -> GrabCut:
    """Makes the interactor.

    work_side: the longer side, in pixels, of what is cut; the time of a click grows with its square.
    image_side: the longer side of the image that is kept between clicks.
    iterations: how often GrabCut models the colours and cuts again.
    margin: how much around a box is looked at to learn the background, in sides of the box.
    """
    return GrabCut(work_side=work_side, image_side=image_side, iterations=iterations, margin=margin)
