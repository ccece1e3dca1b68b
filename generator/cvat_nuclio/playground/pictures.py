"""The pictures that the page's users gave: kept in memory, within limits, until the oldest must go."""

import secrets
import tempfile
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from threading import Lock

import attrs

from ..errors import UserError
from ..invoke.frame_files import VIDEO_SUFFIXES, Frame, picture, video

MOST_BYTES = 64 * 2**20
"""Of one file that is given."""
HELD_BYTES = 768 * 2**20
"""Of all frames together."""
CLIP_BYTES = 256 * 2**20
CLIP_FRAMES = 300
"""A video is read up to here."""


@attrs.frozen
class Held:
    """A frame, the name under which the page asks for it, and the file that it came in."""

    id: str
    frame: Frame
    file: str


@attrs.define
class Pictures:
    """Frames by their names, the longest unused first."""

    _held: OrderedDict[str, Held] = attrs.field(factory=OrderedDict)
    _bytes: int = 0
    _lock: Lock = attrs.field(factory=Lock)

    def take(self, file: str, content: bytes) -> tuple[list[Held], bool]:
        """Reads a file and keeps its frames; whether a video went on after those.

        Raises `UserError`, in words, for what is no picture and no video.
        """
        name = _base(file)
        frames, cut = _frames(name, content)
        kept = [Held(secrets.token_urlsafe(12), frame, name) for frame in frames]
        with self._lock:
            for held in kept:
                self._held[held.id] = held
                self._bytes += len(held.frame.content)
            self._forget(len(kept))
        return kept, cut

    def get(self, names: Sequence[str]) -> list[Held]:
        """The frames. Raises `UserError` for one that had to go."""
        with self._lock:
            if any(name not in self._held for name in names):
                raise UserError(
                    "the picture is no longer kept",
                    why=f"{HELD_BYTES // 2**20} MiB of newer ones came after it, or serve was started again",
                    remedy="choose it again",
                )
            for name in names:
                self._held.move_to_end(name)
            return [self._held[name] for name in names]

    def _forget(self, newest: int) -> None:
        while self._bytes > HELD_BYTES and len(self._held) > newest:
            _, oldest = self._held.popitem(last=False)
            self._bytes -= len(oldest.frame.content)


def _base(file: str) -> str:
    """The last part of a name from either kind of system, without what would end a line."""
    name = PurePosixPath(PureWindowsPath(file).name).name
    return "".join(c for c in name if c.isprintable())[:200] or "picture"


def _frames(name: str, content: bytes) -> tuple[list[Frame], bool]:
    if Path(name).suffix.lower() not in VIDEO_SUFFIXES:
        return [picture(name, content)], False
    with tempfile.NamedTemporaryFile(suffix=Path(name).suffix) as file:
        # OpenCV reads videos from files alone.
        file.write(content)
        file.flush()
        frames: list[Frame] = []
        for frame in video(Path(file.name), name):
            if len(frames) == CLIP_FRAMES or sum(len(each.content) for each in frames) > CLIP_BYTES:
                return frames, True
            frames.append(frame)
    return frames, False
