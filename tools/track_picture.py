"""Makes docs/pictures/track.jpg: the demo's clip followed by `cvat-nuclio track`, as CVAT then shows it.

python -m tools.track_picture

The CVAT is the stand-in of the tests. Above, frames of the clip; below, each track over the time: a bar where CVAT
shows the object, a dot at each keyframe.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import PIL.Image
import PIL.ImageDraw
from tests.cvat_server import cvat_standin
from tests.cvat_server.cvat_place import place_at

from cvat_nuclio.__main__ import main as cvat_nuclio
from cvat_nuclio.cvat.interpolation import Placed, between
from cvat_nuclio.invoke.call_report import Kept
from cvat_nuclio.invoke.draw import Canvas, Color, color_of

from .demo import media
from .demo.pictures import STRIP, save, strip

BUNDLE = "serverless/opencv/correlation-tracker/nuclio"
NAMES = {"window": [65, 106, 302, 268], "cyclist": [408, 53, 494, 173]}
COLORS = {name: color_of(number) for number, name in enumerate(NAMES)}
ROW = 34


def main() -> None:
    """Follows, reads what is stored, draws."""
    with tempfile.TemporaryDirectory() as folder:
        media.prepare(Path(folder))
        files = sorted((Path(folder) / "frames").glob("*.png"))
        tracks = _followed(files)
        frames = [_drawn(files[number], tracks, number) for number in STRIP]
    whole = strip(frames, columns=3)
    sheet = PIL.Image.new("RGB", (whole.width, whole.height + ROW * (len(tracks) + 1)), "white")
    sheet.paste(whole)
    _timeline(sheet, whole.height, tracks, len(files))
    save(sheet, "track", side=960, quality=75)


def _followed(files: Sequence[Path]) -> dict[str, list[dict[str, Any]]]:
    """The stored keyframes by the label's name."""
    with cvat_standin.running() as server, place_at(server.url, "annotator", "secret") as place:
        scope = place.task(labels=[{"name": name} for name in NAMES], files=files)
        path = f"jobs/{scope.jobs[0].id}/annotations"
        shapes = [
            {"type": "rectangle", "frame": 0, "label_id": label.id, "points": NAMES[label.name]}
            for label in scope.labels
        ]
        place.connection.send("PATCH", path, {"action": "create"}, {"shapes": shapes})
        if cvat_nuclio(["track", BUNDLE, "--task", str(scope.task_id), "--tolerance", "3", *place.words]):
            raise SystemExit("nothing was followed")
        names = {label.id: label.name for label in scope.labels}
        return {names[track["label_id"]]: track["shapes"] for track in place.connection.get(path)["tracks"]}


def _shown(shapes: Sequence[dict[str, Any]], frame: int) -> Placed | None:
    """What CVAT shows of a track."""
    before = [shape for shape in shapes if shape["frame"] <= frame]
    after = [shape for shape in shapes if shape["frame"] > frame]
    if not before or before[-1]["outside"]:
        return None
    left = Placed("rectangle", tuple(before[-1]["points"]))
    if not after:
        return left
    way = (frame - before[-1]["frame"]) / (after[0]["frame"] - before[-1]["frame"])
    found = between(left, Placed("rectangle", tuple(after[0]["points"])), [way])
    return found[0] if found else left


def _drawn(file: Path, tracks: dict[str, list[dict[str, Any]]], number: int) -> PIL.Image.Image:
    with PIL.Image.open(file) as picture:
        canvas = Canvas.on(picture.convert("RGB"), COLORS)
    for name, shapes in tracks.items():
        place = _shown(shapes, number)
        if place:
            key = ": keyframe" if any(shape["frame"] == number for shape in shapes) else ""
            canvas.draw(Kept(number, place.type, name, place.points), name + key)
    canvas.text((0, canvas.image.height), f"frame {number}", (40, 40, 40))
    return canvas.image


def _timeline(sheet: PIL.Image.Image, top: int, tracks: dict[str, list[dict[str, Any]]], count: int) -> None:
    draw, left = PIL.ImageDraw.Draw(sheet), 130
    step = (sheet.width - left - 20) / (count - 1)
    for row, (name, shapes) in enumerate(tracks.items()):
        y, color = top + ROW * row + ROW // 2 + 6, COLORS[name]
        draw.text((12, y - 12), name, fill="black", font_size=22)
        for frame in range(count - 1):
            if _shown(shapes, frame):
                draw.line((left + frame * step, y, left + (frame + 1) * step, y), fill=color, width=8)
        for shape in shapes:
            _dot(draw, (left + shape["frame"] * step, y), color, filled=not shape["outside"])
    y = top + ROW * len(tracks) + ROW // 2
    for frame in range(0, count, 10):
        draw.text((left + frame * step, y), str(frame), fill="black", font_size=20, anchor="mm")


def _dot(draw: PIL.ImageDraw.ImageDraw, at: tuple[float, float], color: Color, *, filled: bool) -> None:
    x, y = at
    draw.ellipse((x - 8, y - 8, x + 8, y + 8), fill=color if filled else "white", outline="black", width=2)


if __name__ == "__main__":
    main()
