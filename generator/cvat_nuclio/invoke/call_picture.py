"""The picture that `--output` names: one image, a strip of frames, an animation, or two images with their matches."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from ..errors import UserError
from .call_options import Options
from .call_report import Kept, Report
from .draw import Canvas, Color, color_of

GREEN: Color = (40, 220, 80)
RED: Color = (255, 60, 60)
YELLOW: Color = (255, 220, 0)
GIF_WIDTH = 640
GIF_MILLISECONDS = 80
SHEET_WIDTH = 480
SHEET_FRAMES = 12
MARGIN = 6
_NODE = re.compile(r"<circle[^>]*>")
_EDGE = re.compile(r"<line[^>]*>")


def save_picture(report: Report, options: Options, path: Path) -> None:
    """Draws what CVAT keeps. Raises `UserError` for a file that cannot be written."""
    _save(drawn(report, options, film=path.suffix.lower() == ".gif"), path)


def drawn(report: Report, options: Options, *, film: bool = False) -> list[Image.Image]:
    """What CVAT keeps, as one picture; as a picture a frame for a `film` of several."""
    colors = colors_of(report)
    match report.function.kind:
        case "tracker" | "detector" if len(report.frames) > 1:
            images = [_frame(report, number, colors) for number in range(len(report.frames))]
            return _small(images) if film else [sheet(images)]
        case "reid":
            return [pair(report, options)]
        case _:
            return [_frame(report, 0, colors, options)]


def colors_of(report: Report) -> dict[str, Color]:
    """A colour for each label: those of the task, then others that are kept."""
    names = dict.fromkeys([label.name for label in report.task.labels] + [k.label for k in report.kept])
    return {name: color_of(number) for number, name in enumerate(names)}


def _frame(report: Report, number: int, colors: dict[str, Color], options: Options | None = None) -> Image.Image:
    canvas = Canvas.on(report.frames[number].picture(), colors, edges(report))
    shown = [kept for kept in report.kept if kept.frame == number and not kept.outside]
    # Masks below lines, large below small.
    for kept in sorted(shown, key=lambda kept: kept.type != "mask"):
        canvas.draw(kept, _name(kept))
    if options:
        _prompts(canvas, options)
    if len(report.frames) > 1:
        canvas.text((0, canvas.image.height), f"frame {number}", (40, 40, 40))
    return canvas.image


def _name(kept: Kept) -> str:
    if kept.confidence is not None and kept.confidence < 1:
        return f"{kept.label} {kept.confidence:.2f}"
    return kept.label


def _prompts(canvas: Canvas, options: Options) -> None:
    if options.box:
        (x0, y0), (x1, y1) = options.box
        canvas.line([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], YELLOW, closed=True)
    for at in options.positive:
        canvas.point(at, GREEN)
    for at in options.negative:
        canvas.point(at, RED)


def edges(report: Report) -> dict[str, list[tuple[str, str]]]:
    """The edges that each skeleton's `svg` draws, as pairs of sublabels."""
    return {str(label.name): skeleton_edges(label.svg) for label in report.function.labels if label.svg}


def skeleton_edges(svg: Any) -> list[tuple[str, str]]:
    """Pairs of sublabel names from CVAT's skeleton markup."""
    names = {}
    for node in _NODE.findall(str(svg)):
        names[_attribute(node, "data-node-id")] = _attribute(node, "data-label-name")
    found = []
    for edge in _EDGE.findall(str(svg)):
        ends = (_attribute(edge, "data-node-from"), _attribute(edge, "data-node-to"))
        if all(end in names for end in ends):
            found.append((names[ends[0]], names[ends[1]]))
    return found


def _attribute(markup: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', markup)
    return found.group(1) if found else ""


def sheet(images: Sequence[Image.Image]) -> Image.Image:
    """Up to twelve of the frames, evenly chosen, in a grid."""
    count = min(len(images), SHEET_FRAMES)
    chosen = [images[round(step * (len(images) - 1) / max(count - 1, 1))] for step in range(count)]
    columns = min(4, count) if count > 3 else count
    cells = [_fitted(image, SHEET_WIDTH) for image in chosen]
    height = max(cell.height for cell in cells)
    rows = math.ceil(count / columns)
    size = (columns * (SHEET_WIDTH + MARGIN) - MARGIN, rows * (height + MARGIN) - MARGIN)
    whole = Image.new("RGB", size, "white")
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        whole.paste(cell, (column * (SHEET_WIDTH + MARGIN), row * (height + MARGIN)))
    return whole


def pair(report: Report, options: Options) -> Image.Image:
    """Both images side by side; matched boxes share a colour and a line."""
    tracks: dict[int, dict[int, Kept]] = {}
    for kept in report.kept:
        if not kept.outside:
            tracks.setdefault(kept.track or 0, {})[kept.frame] = kept
    names = {number: f"track {number}" for number in tracks}
    colors = {name: color_of(number) for number, name in names.items()}
    canvases = [Canvas.on(frame.picture(), colors) for frame in report.frames]
    for number, frames in tracks.items():
        for frame, kept in frames.items():
            canvases[frame].draw(Kept(frame, kept.type, names[number], kept.points, kept.rotation))
    if not report.kept:
        for canvas, boxes in zip(canvases, options.boxes, strict=True):
            for box in boxes:
                canvas.draw(Kept(0, "rectangle", box.label, box.points))
    return _joined(canvases, tracks, colors, names)


def _joined(
    canvases: Sequence[Canvas],
    tracks: dict[int, dict[int, Kept]],
    colors: dict[str, Color],
    names: dict[int, str],
) -> Image.Image:
    left, right = canvases
    offset = left.image.width + MARGIN
    whole = Image.new("RGB", (offset + right.image.width, max(c.image.height for c in canvases)), "white")
    whole.paste(left.image, (0, 0))
    whole.paste(right.image, (offset, 0))
    lines = Canvas(whole, colors, width=max(2, left.width))
    for number, frames in tracks.items():
        if len(frames) == 2:
            (x0, y0), (x1, y1) = (_middle(frames[index].points) for index in (0, 1))
            start = (x0 * left.scale, y0 * left.scale)
            end = (offset + x1 * right.scale, y1 * right.scale)
            lines.line([start, end], colors[names[number]])
    return whole


def _middle(points: Sequence[float]) -> tuple[float, float]:
    return (points[0] + points[2]) / 2, (points[1] + points[3]) / 2


def _small(images: Sequence[Image.Image]) -> list[Image.Image]:
    return [_fitted(image, GIF_WIDTH) if image.width > GIF_WIDTH else image for image in images]


def _fitted(image: Image.Image, width: int) -> Image.Image:
    return image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS)


def write(images: Sequence[Image.Image], file: Path | BinaryIO, image_format: str | None = None) -> None:
    """One picture, or several as a film. Raises OSError, ValueError."""
    more: dict[str, Any] = {}
    if len(images) > 1:
        more = {"save_all": True, "append_images": images[1:], "duration": GIF_MILLISECONDS, "loop": 0}
    images[0].save(file, image_format, **more)


def _save(images: Sequence[Image.Image], path: Path) -> None:
    beside = path.with_name(f".{path.name}.part{path.suffix}")
    try:
        write(images, beside)
        beside.replace(path)
    except (OSError, ValueError) as error:
        beside.unlink(missing_ok=True)
        raise UserError(
            f"cannot write {path}", why=str(error), remedy="name a file that ends in .png, .jpg or .gif"
        ) from error
