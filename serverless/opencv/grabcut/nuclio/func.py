"""An interactor on OpenCV's GrabCut: a box, points, or both, to a mask.

A box says that everything outside it is background. Points say what they mark and, by how near a pixel is to them
along ways that cross no edge, what its surroundings probably are. GrabCut then models both sides' colours and cuts
between them; of what it finds, the pieces that the user pointed at are kept.
"""

import attrs
import cv2
import cvat_sdk.auto_annotation as cvataa
import cvat_sdk.masks
import numpy as np
import PIL.Image
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Bitmap = NDArray[np.bool_]
Pixels = NDArray[np.uint8]


SURE = 0.12
"""A pixel this much nearer to what was marked as object than to what was not is taken to be the object's."""


@attrs.frozen(eq=False)
class Picture:
    """An image ready to be cut: BGR, (rows, columns, 3), and how many of the image's pixels one of its pixels is."""

    bgr: Pixels
    scale: float
    size: tuple[int, int]
    """Width and height of the image itself."""


@attrs.frozen(eq=False)
class Prompts:
    """What the user marked, in pixels of the image: points (N, 2), and the box's corners (2, 2) or None."""

    positive: Floats
    negative: Floats
    box: Floats | None

    @classmethod
    def of(cls, prompts: cvataa.InteractionPrompts, size: tuple[int, int]) -> "Prompts":
        """Takes the prompts that lie in the image: a region of interest may have cut off others."""
        positive, negative = (
            points[((points >= 0) & (points < size)).all(axis=1)]
            for points in (
                np.array(given, dtype=float).reshape(-1, 2) for given in (prompts.pos_points, prompts.neg_points)
            )
        )
        if prompts.bounding_box is None:
            return cls(positive, negative, None)
        box = np.clip(np.sort(np.array(prompts.bounding_box, dtype=float), axis=0), 0, size)
        return cls(positive, negative, box if (box[1] - box[0] >= 2).all() else None)

    def moved(self, origin: Floats, scale: Floats) -> "Prompts":
        """The same prompts in pixels of a part of the image that begins at `origin`."""
        box = None if self.box is None else (self.box - origin) * scale
        return Prompts((self.positive - origin) * scale, (self.negative - origin) * scale, box)


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
        bgr = to_bgr(image)
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
        marks = Prompts.of(prompts, pp_image.size)
        if marks.box is None and not len(marks.positive):
            return []
        bitmap = self._cut(pp_image, marks)
        if not bitmap.any():
            return []
        return [cvataa.InteractionResultShape(type="mask", points=cvat_sdk.masks.encode_mask(bitmap))]

    def _cut(self, picture: Picture, prompts: Prompts) -> Bitmap:
        """The bitmap, of the image's size: cut in a part of the picture that is shrunk to `work_side`."""
        left, top, right, bottom = surroundings(prompts, picture.size, self.margin)
        x1, y1, x2, y2 = (round(edge / picture.scale) for edge in (left, top, right, bottom))
        part = picture.bgr[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
        shrink = min(1.0, self.work_side / max(part.shape[:2]))
        part = cv2.resize(part, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else part
        area = (right - left, bottom - top)
        found = segment(part, prompts.moved(np.array([left, top]), np.divide(part.shape[1::-1], area)), self.iterations)
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


def to_bgr(image: PIL.Image.Image) -> Pixels:
    """BGR of an image of any mode."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return cv2.cvtColor(to_8_bits(np.asarray(image, np.float32)), cv2.COLOR_GRAY2BGR)
    return cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)


def to_8_bits(grey: Floats) -> Pixels:
    """Grey levels of up to 16 bits, which Pillow's own conversion would cut off at 255."""
    levels = grey / 257 if grey.max() > 255 else grey
    return np.clip(levels, 0, 255).astype(np.uint8)


def surroundings(prompts: Prompts, size: tuple[int, int], margin: float) -> tuple[int, int, int, int]:
    """The part of the image to look at: the box with a margin and the points, or without a box all of it."""
    if prompts.box is None:
        return 0, 0, *size
    further = (prompts.box[1] - prompts.box[0]) * margin + 4
    corners = np.concatenate([prompts.box - further, prompts.box + further, prompts.positive])
    left, top = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)) + 1, size).astype(int)
    return int(left), int(top), int(right), int(bottom)


def segment(bgr: Pixels, prompts: Prompts, iterations: int) -> Bitmap:
    """Cuts the marked object out of a small image."""
    labels = first_guess(bgr, prompts)
    if 0 < object_of(labels).mean() < 1:  # GrabCut needs a pixel of either side.
        cv2.setRNGSeed(0)  # GrabCut's first clustering is random: the same click must give the same mask.
        model = np.zeros((1, 65)), np.zeros((1, 65))
        labels, *_ = cv2.grabCut(bgr, labels, None, *model, iterations, cv2.GC_INIT_WITH_MASK)
    smooth = cv2.medianBlur(object_of(labels).astype(np.uint8), 5)
    smooth[discs(prompts.positive, smooth.shape)] = 1
    smooth[discs(prompts.negative, smooth.shape)] = 0
    return pointed_at(smooth, prompts)


def object_of(labels: Pixels) -> Bitmap:
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def first_guess(bgr: Pixels, prompts: Prompts) -> Pixels:
    """GrabCut's labels before it starts: (rows, columns) of GC_BGD, GC_FGD, GC_PR_BGD and GC_PR_FGD."""
    shape = bgr.shape[:2]
    inside, border = np.ones(shape, dtype=bool), frame(shape)
    labels = np.full(shape, cv2.GC_PR_FGD, dtype=np.uint8)
    positive, negative = discs(prompts.positive, shape), discs(prompts.negative, shape)
    if prompts.box is not None:
        inside = filled(prompts.box, shape)
        border = ~inside if not inside.all() else border
    if positive.any() and (negative.any() or prompts.box is None):
        near, far = geodesic(bgr, positive), geodesic(bgr, negative | border)
        labels[near >= far] = cv2.GC_PR_BGD
        positive |= near < far * SURE
    labels[border] = cv2.GC_PR_BGD
    labels[~inside] = cv2.GC_BGD
    labels[negative] = cv2.GC_BGD
    labels[positive] = cv2.GC_FGD
    return labels


def frame(shape: tuple[int, int]) -> Bitmap:
    """The outermost pixels."""
    bitmap = np.ones(shape, dtype=bool)
    bitmap[1:-1, 1:-1] = False
    return bitmap


def filled(box: Floats, shape: tuple[int, int]) -> Bitmap:
    """The pixels in a box of two corners, at least one."""
    bitmap = np.zeros(shape, dtype=bool)
    (left, top), (right, bottom) = np.minimum(np.floor(box), np.array(shape[::-1]) - 1).astype(int)
    bitmap[top : max(bottom, top + 1), left : max(right, left + 1)] = True
    return bitmap


def discs(points: Floats, shape: tuple[int, int]) -> Bitmap:
    """Small discs around points: a click is not exact, and one pixel's colour is not the object's."""
    bitmap = np.zeros(shape, dtype=np.uint8)
    radius = round(max(shape) / 160)
    for x, y in points:
        cv2.circle(bitmap, (int(x), int(y)), radius, 1, cv2.FILLED)
    return bitmap.astype(bool)


def geodesic(bgr: Pixels, seeds: Bitmap) -> Floats:
    """Each pixel's distance from the seeds, where a step costs as much as the colour changes on it."""
    lab = cv2.cvtColor(cv2.GaussianBlur(bgr, (0, 0), 1), cv2.COLOR_BGR2LAB).astype(np.float32)
    distance = np.where(seeds, 0, 1e9).astype(np.float32)
    down = np.linalg.norm(np.diff(lab, axis=0), axis=2) + 0.5
    across = np.linalg.norm(np.diff(lab, axis=1), axis=2) + 0.5
    for _ in range(3):
        sweep(distance, down)
        sweep(distance[::-1], down[::-1])
        sweep(distance.T, across.T)
        sweep(distance.T[::-1], across.T[::-1])
    return distance


def sweep(distance: Floats, step: Floats) -> None:
    """Carries distances from each row to the next, straight and slanting, in place."""
    for row in range(1, len(distance)):
        before = distance[row - 1]
        nearest = before.copy()
        np.minimum(nearest[1:], before[:-1], out=nearest[1:])
        np.minimum(nearest[:-1], before[1:], out=nearest[:-1])
        np.minimum(distance[row], nearest + step[row - 1], out=distance[row])


def pointed_at(found: Pixels, prompts: Prompts) -> Bitmap:
    """The pieces under the positive points; without points, the largest and those of a tenth of its size."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=4)
    sizes = stats[:, cv2.CC_STAT_AREA].copy()
    sizes[0] = 0
    kept = sizes >= max(1, sizes.max() / 10)
    if len(prompts.positive):
        marked = np.unique(pieces[discs(prompts.positive, found.shape)])
        kept = np.isin(np.arange(count), marked[marked > 0])
    return kept[pieces]
