"""Annotations drawn on a picture: every shape type, colour by label, names readable."""

import colorsys
import math
from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..cvat.mask_crops import rle_to_bitmap
from .call_report import Kept

Color = tuple[int, int, int]
Point = tuple[float, float]
SMALLEST = 640
FILL = 70
# The corners of a cuboid as CVAT orders them: eight points, four vertical edges left to right and around.
CUBOID_EDGES = (
    (0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (2, 4), (4, 6), (6, 0), (1, 3), (3, 5), (5, 7), (7, 1),
)  # fmt: skip


def color_of(number: int) -> Color:
    """Colours that differ by the golden angle, so that neighbours in number are far apart."""
    red, green, blue = colorsys.hsv_to_rgb((0.58 + number * 0.618034) % 1, 0.85, 1.0)
    return int(red * 255), int(green * 255), int(blue * 255)


@attrs.define
class Canvas:
    """A picture to draw on. Small pictures are enlarged so that names stay readable; points are in the image's
    own pixels."""

    image: Image.Image
    colors: Mapping[str, Color]
    edges: Mapping[str, Sequence[tuple[str, str]]] = attrs.field(factory=dict)
    scale: float = 1.0
    width: int = 2
    _taken: list[tuple[float, float, float, float]] = attrs.field(factory=list)

    @classmethod
    def on(
        cls,
        picture: Image.Image,
        colors: Mapping[str, Color],
        edges: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    ) -> "Canvas":
        longer = max(picture.size)
        scale = max(1, math.ceil(SMALLEST / longer))
        size = (picture.width * scale, picture.height * scale)
        image = picture.resize(size, Image.Resampling.NEAREST if scale > 2 else Image.Resampling.BICUBIC)
        return cls(image, colors, edges or {}, scale, max(2, round(max(size) / 400)))

    def draw(self, kept: Kept, name: str | None = None) -> None:
        """One annotation with its label; `name` in its place."""
        color = self.colors.get(kept.label, color_of(0))
        match kept.type:
            case "tag":
                anchor = (4.0, 4.0)
            case "mask":
                anchor = self._mask(kept, color)
            case "skeleton":
                anchor = self._skeleton(kept, color)
            case _:
                anchor = self._outline(kept, color)
        self.text(anchor, name or kept.label, color)

    def text(self, anchor: Point, text: str, color: Color) -> None:
        """A name in a box of its colour, moved down where another name already is."""
        font = ImageFont.load_default(max(13, self.width * 7))
        left, top, right, bottom = font.getbbox(text)
        width, height = right - left + 8, bottom - top + 6
        x = min(max(anchor[0], 0), max(self.image.width - width, 0))
        y = min(max(anchor[1] - height, 0), max(self.image.height - height, 0))
        y = self._free(x, y, width, height)
        self._taken.append((x, y, x + width, y + height))
        draw = ImageDraw.Draw(self.image)
        draw.rectangle((x, y, x + width, y + height), fill=color)
        luminance = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
        draw.text((x + 4 - left, y + 3 - top), text, font=font, fill="black" if luminance > 140 else "white")

    def point(self, at: Point, color: Color, *, ring: Color = (0, 0, 0)) -> None:
        """A dot of one of the user's clicks, a keypoint or a vertex."""
        radius = self.width * 1.9
        x, y = at[0] * self.scale, at[1] * self.scale
        box = (x - radius, y - radius, x + radius, y + radius)
        ImageDraw.Draw(self.image).ellipse(box, fill=color, outline=ring, width=1)

    def line(self, points: Sequence[Point], color: Color, *, closed: bool = False) -> None:
        scaled = [(x * self.scale, y * self.scale) for x, y in points]
        ImageDraw.Draw(self.image).line(
            [*scaled, scaled[0]] if closed else scaled, fill=color, width=self.width, joint="curve"
        )

    def _free(self, x: float, y: float, width: float, height: float) -> float:
        for _ in range(40):
            over = [box for box in self._taken if _overlap(box, (x, y, x + width, y + height))]
            if not over or y + height > self.image.height - height:
                return y
            y = max(box[3] for box in over) + 1
        return y

    def _fill(self, points: Sequence[Point], color: Color) -> None:
        layer = Image.new("L", self.image.size)
        scaled = [(x * self.scale, y * self.scale) for x, y in points]
        ImageDraw.Draw(layer).polygon(scaled, fill=FILL)
        self.image.paste(Image.new("RGB", self.image.size, color), mask=layer)

    def _mask(self, kept: Kept, color: Color) -> Point:
        size = (round(self.image.width / self.scale), round(self.image.height / self.scale))
        try:
            bitmap = rle_to_bitmap(kept.points, *size)
        except ValueError:
            return 4.0, 4.0
        grown = np.pad(bitmap, 1)
        inner = grown[:-2, 1:-1] & grown[2:, 1:-1] & grown[1:-1, :-2] & grown[1:-1, 2:]
        opacity = np.where(bitmap, np.where(inner, FILL + 40, 255), 0).astype(np.uint8)
        layer = Image.fromarray(opacity).resize(self.image.size, Image.Resampling.NEAREST)
        self.image.paste(Image.new("RGB", self.image.size, color), mask=layer)
        return kept.points[-4] * self.scale, kept.points[-3] * self.scale

    def _skeleton(self, kept: Kept, color: Color) -> Point:
        at = {e.label: (e.points[0], e.points[1]) for e in kept.elements if len(e.points) >= 2}
        shown = {e.label for e in kept.elements if not e.outside}
        for one, other in self.edges.get(kept.label, ()):
            if one in shown and other in shown:
                self.line([at[one], at[other]], color)
        for name in shown & at.keys():
            self.point(at[name], color, ring=(255, 255, 255))
        points = [at[name] for name in shown & at.keys()]
        return self._top(points)

    def _outline(self, kept: Kept, color: Color) -> Point:
        points = outline(kept)
        if len(points) < 2 or kept.type == "points":
            for at in points:
                self.point(at, color, ring=(255, 255, 255))
        elif kept.type == "polyline":
            self.line(points, color)
        elif kept.type == "cuboid" and len(points) == 8:
            for one, other in CUBOID_EDGES:
                self.line([points[one], points[other]], color)
        else:
            self._fill(points, color)
            self.line(points, color, closed=True)
        return self._top(points)

    def _top(self, points: Sequence[Point]) -> Point:
        if not points:
            return 4.0, 4.0
        x, y = min(points, key=lambda point: point[1])
        left = min(point[0] for point in points)
        return (left + (x - left) * 0.2) * self.scale, y * self.scale


def outline(kept: Kept) -> list[Point]:
    """The corners to draw: rotation applied, an ellipse as 72 points."""
    numbers = kept.points
    if kept.type == "rectangle" and len(numbers) == 4:
        x0, y0, x1, y1 = numbers
        return rotated([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], kept.rotation)
    if kept.type == "ellipse" and len(numbers) == 4:
        cx, cy, right, top = numbers
        steps = [2 * math.pi * step / 72 for step in range(72)]
        points = [(cx + (right - cx) * math.cos(a), cy + (cy - top) * math.sin(a)) for a in steps]
        return rotated(points, kept.rotation)
    return list(zip(numbers[::2], numbers[1::2], strict=False))


def rotated(points: Sequence[Point], degrees: float) -> list[Point]:
    """Turned clockwise around the middle of their box."""
    if not degrees:
        return list(points)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    cx, cy = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return [(cx + (x - cx) * cosine - (y - cy) * sine, cy + (x - cx) * sine + (y - cy) * cosine) for x, y in points]


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
