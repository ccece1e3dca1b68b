"""Which task label each label of the function becomes: the user's mapping, or by name."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from .errors import invalid
from .generation import Generation
from .spec import ModelLabel
from .task import TaskAttribute, TaskLabel


@attrs.frozen
class Mapped:
    """Where a label of the function goes. `sublabels` is None but for skeletons."""

    label: TaskLabel
    attributes: Mapping[Any, TaskAttribute]
    sublabels: "Mapping[Any, Mapped] | None" = None


def resolve_mapping(
    given: Mapping[str, Any] | None,
    model: Iterable[ModelLabel],
    task: Iterable[TaskLabel],
    generation: Generation,
) -> dict[Any, Mapped]:
    """The mapping in force: `given` as in the REST body, by equal names where it is absent or empty.

    Raises CVAT's ValidationError for a mapping that names unknown labels or attributes, or that joins labels of
    incompatible types.
    """
    if not given:
        return _by_name(model, task, generation)
    return _validated(given, tuple(model), tuple(task), generation)


def compatible(model: ModelLabel, task: TaskLabel, generation: Generation) -> bool:
    """Whether CVAT maps a model label to a task label: equal types, a wildcard, or mask for polygon."""
    types = (model.type, task.type)
    wildcard = (generation.any_label_type == model.type and task.type != "skeleton") or (
        task.type == "any" and model.type != "skeleton"
    )
    return model.type == task.type or wildcard or types in (("mask", "polygon"), ("polygon", "mask"))


def _by_name(model: Iterable[ModelLabel], task: Iterable[TaskLabel], generation: Generation) -> dict[Any, Mapped]:
    task_labels = {label.name: label for label in task}
    mapping = {}
    for label in model:
        target = task_labels.get(label.name)
        if target is None or not compatible(label, target, generation):
            continue
        if label.attributes and generation is Generation.G1:
            # A slip in CVAT up to 2.16.1: any attribute on a label of the function fails the call.
            raise AttributeError("'dict' object has no attribute 'attributespec_set'")
        names = {attribute.name for attribute in label.attributes}
        sublabels = _by_name(label.sublabels or (), target.sublabels, generation) if label.type == "skeleton" else None
        attributes = {attribute.name: attribute for attribute in target.attributes if attribute.name in names}
        mapping[label.name] = Mapped(target, attributes, sublabels)
    return mapping


def _validated(
    given: Mapping[str, Any],
    model: tuple[ModelLabel, ...],
    task: tuple[TaskLabel, ...],
    generation: Generation,
) -> dict[Any, Mapped]:
    model_labels = {label.name: label for label in model}
    task_labels = {label.name: label for label in task}
    mapping = {}
    for name, target in given.items():
        if name not in model_labels:
            raise invalid(f'Invalid mapping. Unknown model label "{name}"')
        if target["name"] not in task_labels:
            raise invalid(f'Invalid mapping. Unknown db label "{target["name"]}"')
        label, task_label = model_labels[name], task_labels[target["name"]]
        if not compatible(label, task_label, generation):
            raise invalid(
                f'Invalid mapping. Model label "{name}" and database label "{task_label.name}" are not compatible'
            )
        attributes = _attributes(target.get("attributes", {}), label, task_label)
        sublabels = None
        if label.type == "skeleton" and task_label.type == "skeleton":
            if "sublabels" not in target and generation is not Generation.G1:
                raise invalid(f'Mapping for elements was not specified in skeleton "{name}" ')
            sublabels = _validated(target["sublabels"], label.sublabels or (), task_label.sublabels, generation)
        mapping[name] = Mapped(task_label, attributes, sublabels)
    return mapping


def _attributes(given: Mapping[str, str], label: ModelLabel, task_label: TaskLabel) -> dict[str, TaskAttribute]:
    known = {attribute.name for attribute in label.attributes}
    attributes = {}
    for name, target_name in given.items():
        if name not in known:
            raise invalid(f'Invalid mapping. Unknown model attribute "{name}"')
        target = task_label.attribute(target_name)
        if target is None:
            raise invalid(f'Invalid mapping. Unknown db attribute "{target_name}"')
        attributes[name] = target
    return attributes
