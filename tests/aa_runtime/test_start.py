"""What a worker has loaded and set when it is ready."""

import platform
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


def started(label_type: str, script: str) -> list[str]:
    """What `script` prints in a worker whose detector has one label of this type."""
    words = [sys.executable, "-c", START + script, label_type]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("label_type", "loaded"), [("rectangle", []), ("mask", ["cv2", "numpy"]), ("any", ["cv2", "numpy"])]
)
def test_opencv_is_loaded_at_the_start_where_masks_may_come(label_type: str, loaded: list[str]) -> None:
    assert started(label_type, 'print(*sorted({"cv2", "numpy", "scipy", "msgpack"} & set(sys.modules)))') == loaded


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators keep what they like")
def test_the_memory_of_a_large_image_serves_the_next() -> None:
    script = """
import resource
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        [b"1" * 2**24 for _ in range(3)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults() * resource.getpagesize() < 2**24)
"""
    assert started("rectangle", script) == ["True"]


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
