"""Frames as CVAT's own jobs send them to a function, fetched ahead of their use.

cvat-sdk's loaders refuse videos. Pictures come in chunks: packed from the job's start, their members named from 0 in
each, in their own formats, equal byte for byte to what a function gets. Of a video a function gets PNG, which CVAT
decodes; a chunk of it is MP4, from which other decoders make other pixels, so these frames are asked for one by one.
"""

import itertools
import tempfile
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO

import attrs

from ..errors import UserError
from .connection import Connection
from .scope import Job, Scope

PICTURES_AHEAD = 2
"""Chunks in flight beside the one in use."""
VIDEO_AHEAD = 16
"""Frames of a video in flight; CVAT decodes them one by one."""
THREADS = 4
"""cvat-sdk keeps so many connections."""
IN_MEMORY = 32 << 20
"""Bytes of a chunk; larger ones lie in the temporary folder."""


@attrs.frozen
class Frame:
    """A frame of a task and the bytes of its picture."""

    number: int
    content: bytes = attrs.field(repr=False)


@attrs.frozen
class _Piece:
    """What one request gets: frames of one job, in the order wanted."""

    job: Job
    chunk: int
    frames: tuple[int, ...]


def frames_ahead(connection: Connection, scope: Scope, frames: Sequence[int]) -> Iterator[Frame]:
    """The frames in the order given, which may run backwards; close the iterator to stop fetching.

    Holds three chunks at most, or sixteen frames of a video, whatever the length. Raises UserError.
    """
    fetched: deque[tuple[_Piece, Future[IO[bytes]]]] = deque()
    ahead = VIDEO_AHEAD if scope.jobs[0].is_video else PICTURES_AHEAD
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="frames")
    try:
        for piece in _pieces(scope, frames):
            fetched.append((piece, pool.submit(_fetch, connection, piece)))
            if len(fetched) > ahead:
                yield from _unpacked(*fetched.popleft())
        while fetched:
            yield from _unpacked(*fetched.popleft())
    finally:
        pool.shutdown(cancel_futures=True)
        for _, future in fetched:
            if not future.cancelled() and future.exception() is None:
                future.result().close()


def _pieces(scope: Scope, frames: Iterable[int]) -> Iterator[_Piece]:
    """Neighbours of one chunk together; of overlapping jobs the first is asked."""

    def place(frame: int) -> tuple[Job, int]:
        job = scope.jobs_of(frame)[0]
        return job, frame if job.is_video else (frame - job.frames.start) // job.chunk_size

    for (job, chunk), run in itertools.groupby(frames, place):
        yield _Piece(job, chunk, tuple(run))


def _fetch(connection: Connection, piece: _Piece) -> IO[bytes]:
    of_video = {"type": "frame", "number": piece.chunk}
    query = of_video if piece.job.is_video else {"type": "chunk", "index": piece.chunk}
    file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
    try:
        connection.download(f"jobs/{piece.job.id}/data", query | {"quality": "original"}, file)
    except BaseException as error:
        file.close()
        if not isinstance(error, OSError):
            raise
        raise UserError(
            "cannot keep a chunk of frames",
            why=str(error),
            remedy="free some space, or name another folder: TMPDIR=DIR",
        ) from error
    return file


def _unpacked(piece: _Piece, future: "Future[IO[bytes]]") -> Iterator[Frame]:
    with future.result() as file:
        if piece.job.is_video:
            file.seek(0)
            yield Frame(piece.frames[0], file.read())
            return
        first = piece.job.frames.start + piece.chunk * piece.job.chunk_size
        with zipfile.ZipFile(file) as chunk:
            names = sorted(chunk.namelist())
            for frame in piece.frames:
                yield Frame(frame, chunk.read(names[frame - first]))
