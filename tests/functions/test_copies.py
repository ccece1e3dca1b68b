"""Functions that lie in more than one `func.py`, since cvat-cli loads one file, are kept alike."""

import ast
from pathlib import Path

import pytest

COPIES = {
    "find": ("onnx/person-reid", "onnx/yolo", "openvino/mask-rcnn", "pytorch/sam", "pytorch/transt"),
    "to_rgb": ("onnx/person-reid", "pytorch/sam", "pytorch/sam2", "pytorch/sam2-tracker", "pytorch/transt"),
    "describe": ("pytorch/sam", "pytorch/sam2", "pytorch/sam2-tracker", "pytorch/transt"),
    "load_model": ("pytorch/sam2", "pytorch/sam2-tracker"),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_alike(repository: Path, name: str) -> None:
    texts = {folder: source(repository / "serverless" / folder / "nuclio/func.py", name) for folder in COPIES[name]}
    assert len(set(texts.values())) == 1, f"{name} differs among {', '.join(texts)}"


def source(file: Path, name: str) -> str | None:
    text = file.read_text("utf-8")
    (found,) = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == name)
    return ast.get_source_segment(text, found)
