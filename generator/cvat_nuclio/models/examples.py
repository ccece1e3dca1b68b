"""Examples cut out of pictures, in the folder that `cvat_functions.transformers_examples` reads."""

import io
import json
import math
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import attrs
import PIL.Image

from .. import atomic
from ..errors import UserError
from .chosen import Chosen

SMALLEST = 8
"""Pixels of a side: less shows nothing."""
#: Modes that PNG keeps as they are.
PNG = ("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16")


class Drawn(Protocol):
    """A box on a frame: left, top, right, bottom in pixels."""

    @property
    def frame(self) -> int: ...
    @property
    def label(self) -> str: ...
    @property
    def box(self) -> tuple[float, float, float, float]: ...


def by_examples(chosen: Chosen, folder: Path) -> Chosen:
    """The network, asked with pictures instead of words. Raises UserError where it is no OWLv2."""
    if chosen.architecture != "owlv2":
        raise UserError(
            f"{chosen.name} takes no example pictures", why=f"only OWLv2 does; {chosen.looked_at}",
            remedy="--model owlv2-base-patch16-ensemble",
        )  # fmt: skip
    parameters = {**chosen.parameters, "examples": f"file:{folder}"}
    return attrs.evolve(chosen, module="transformers_examples", parameters=parameters)


def write(folder: Path, pictures: Iterable[tuple[bytes, Sequence[Drawn]]]) -> tuple[list[str], int]:
    """Puts the cut-outs in the place of the folder; the label of each, and how many boxes were left out.

    A box is cut at the picture's border; one that leaves less than 8 pixels is left out. Raises UserError, the old
    folder is whole then.
    """
    rows: list[dict[str, object]] = []
    drawn = 0
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".examples-", dir=folder.parent) as beside:
            new = Path(beside) / "new"
            new.mkdir()
            for content, boxes in pictures:
                rows += _cut(new, content, boxes, len(rows))
                drawn += len(boxes)
            if not rows:
                raise UserError("no example is large enough", why=f"each side needs {SMALLEST} pixels in the picture",
                                remedy="draw boxes around larger objects, save, and run it again")  # fmt: skip
            (new / "examples.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
            atomic.replace_folder(folder, new)
    except OSError as error:
        raise UserError(f"cannot write {folder}", why=str(error.strerror or error)) from error
    return [str(row["label"]) for row in rows], drawn - len(rows)


def _cut(folder: Path, content: bytes, boxes: Sequence[Drawn], first: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    whole = _opened(content, boxes[0].frame)
    for drawn in boxes:
        left, top = (max(0, math.floor(number)) for number in drawn.box[:2])
        right, bottom = min(whole.width, math.ceil(drawn.box[2])), min(whole.height, math.ceil(drawn.box[3]))
        if min(right - left, bottom - top) >= SMALLEST:
            file = f"{first + len(rows) + 1:04}.png"
            whole.crop((left, top, right, bottom)).save(folder / file)
            rows.append({"label": drawn.label, "file": file, "frame": drawn.frame})
    return rows


def _opened(content: bytes, frame: int) -> PIL.Image.Image:
    """A frame's picture, in a mode that PNG keeps. Raises UserError."""
    try:
        with PIL.Image.open(io.BytesIO(content)) as picture:
            picture.load()
            return picture if picture.mode in PNG else picture.convert("RGB")
    except (OSError, PIL.Image.DecompressionBombError) as error:
        raise UserError(
            f"the picture of frame {frame} cannot be read", why=str(error),
            remedy="name other frames: --examples-from-task ID:FIRST..LAST",
        ) from error  # fmt: skip
