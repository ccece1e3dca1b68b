"""What a worker has loaded and set when it is ready."""

import os
import subprocess
import sys

import pytest

START = """
import logging, sys, types
import cvat_sdk.auto_annotation as cvataa
from aa_runtime import Handler, Options

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("a", 0, type=sys.argv[1])])
Handler(types.SimpleNamespace(spec=spec, detect=lambda context, image: []), Options(), logging.getLogger())
"""


def started(label_type: str, script: str, **env: str) -> list[str]:
    """What `script` prints in a worker whose detector has one label of this type."""
    words = [sys.executable, "-c", START + script, label_type]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, **env})
    return done.stdout.split()


@pytest.mark.parametrize(
    ("label_type", "loaded"), [("rectangle", []), ("mask", ["cv2", "numpy"]), ("any", ["cv2", "numpy"])]
)
def test_opencv_is_loaded_at_the_start_where_masks_may_come(label_type: str, loaded: list[str]) -> None:
    assert started(label_type, 'print(*sorted({"cv2", "numpy", "scipy", "msgpack"} & set(sys.modules)))') == loaded


@pytest.mark.parametrize(("env", "blocks"), [({}, "2"), ({"PILLOW_BLOCKS_MAX": "5"}, "5")])
def test_pillow_keeps_memory_for_the_next_image_unless_told_how_much(env: dict[str, str], blocks: str) -> None:
    assert started("rectangle", "import PIL.Image; print(PIL.Image.core.get_blocks_max())", **env) == [blocks]


def test_common_formats_need_no_plugins_after_the_start() -> None:
    script = """
import base64, io, PIL.Image
from aa_runtime.images import read_image
def opened(format):
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (8, 8)).save(buffer, format)
    before = set(sys.modules)
    read_image({"image": base64.b64encode(buffer.getvalue()).decode()}, "image", 100)
    return len([name for name in set(sys.modules) - before if name.endswith("ImagePlugin")])
print(opened("JPEG"), opened("PNG"))
"""
    assert started("rectangle", script) == ["0", "0"]
