"""What a YOLO graph's metadata says, as ultralytics writes it: task, labels, keypoints."""

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cvat_sdk.auto_annotation as cvataa

from cvat_functions.shared import lines_of
from cvat_functions.skeletons import labels_for, names_of

Metadata = Mapping[str, Any]


def read(texts: Mapping[str, str]) -> Metadata:
    """Each value is the text of a Python literal, or a text."""
    return {key: _value(text) for key, text in texts.items()}


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def names_in(metadata: Metadata, file: Path | None) -> list[str]:
    """The classes' names in order: from a text file with one a line, else from the graph."""
    if file is not None:
        return lines_of(file)
    names = metadata.get("names")
    if isinstance(names, dict):
        names = [names[index] for index in sorted(names)]
    if not names or not isinstance(names, list):
        raise ValueError(
            "the graph does not name its classes: give a text file, one name a line, with -p labels=file:FILE"
        )
    return [str(name) for name in names]


def keypoints_of(metadata: Metadata) -> Sequence[str]:
    """The keypoints' names in order: the graph's, COCO's 17, or numbers from 1."""
    count, _ = metadata["kpt_shape"]
    told = metadata.get("kpt_names")
    names = told.get(0) if isinstance(told, dict) else told
    if isinstance(names, (list, tuple)) and len(set(names)) == count:
        return [str(name) for name in names]
    return names_of(count)


def labelled(metadata: Metadata, task: str, names: Mapping[str, int]) -> cvataa.DetectionFunctionSpec:
    """The labels by name, with their numbers; a skeleton's elements are the keypoints."""
    points = keypoints_of(metadata) if task == "pose" else None
    labels = labels_for(names, "mask" if task == "segment" else "rectangle", points)
    return cvataa.DetectionFunctionSpec(labels=labels)
