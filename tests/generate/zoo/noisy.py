"""Writes where it should not."""

import os
import sys

import cvat_sdk.auto_annotation as cvataa
import PIL.Image

print('{"failure": {"stage": "kind"}}')
sys.stdout.write("\x00\xff")
os.write(1, b"\xfe{}\n")
os.write(2, b"x" * 200_000)
sys.stdin.close()
spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("noise", 0)])


def detect(context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[cvataa.DetectionAnnotation]:
    """Nothing."""
    return []
