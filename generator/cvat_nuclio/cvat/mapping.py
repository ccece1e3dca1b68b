"""Which task label each label of the function becomes: the user's mapping, or by name."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .generation import Generation
from .rest_errors import invalid
from .spec import ModelLabel
from .task import TaskAttribute, TaskLabel


@attrs.frozen
class Mapped:
    """Where a label of the function goes.

    `sublabels` is None but for skeletons. Given for another label, CVAT keeps them without a look: each is None here.
    """

    label: TaskLabel
    attributes: Mapping[Any, TaskAttribute]
    sublabels: "Mapping[Any, Mapped | None] | None" = None


def resolve_mapping(
    given: Mapping[str, Any] | None,
    model: Sequence[ModelLabel],
    task: Sequence[TaskLabel],
    generation: Generation,
) -> dict[Any, Mapped]:
    """The mapping in force: `given` as in the REST body, by equal names where it is absent or empty.

    Raises CVAT's ValidationError for a mapping that names unknown labels or attributes, or that joins labels of
    incompatible types. CVAT does this for every kind of function, though only detectors have labels to map.
    """
    if given:
        _check(given, model, task, generation)
    else:
        given = mapping_by_name(model, task, generation)
        if generation is Generation.G1:
            _slip(given, model)
    return _joined(given, model, task)


def compatible(model: ModelLabel, task: TaskLabel, generation: Generation) -> bool:
    """Whether CVAT maps a model label to a task label: equal types, a wildcard, or mask for polygon."""
    types = (model.type, task.type)
    wildcard = (generation.any_label_type == model.type and task.type != "skeleton") or (
        task.type == "any" and model.type != "skeleton"
    )
    return model.type == task.type or wildcard or types in (("mask", "polygon"), ("polygon", "mask"))


def mapping_by_name(model: Sequence[ModelLabel], task: Sequence[TaskLabel], generation: Generation) -> dict[str, Any]:
    """Labels and attributes of equal names, compatible types: as if none was given, and as the UI's dialog opens."""
    targets = {label.name: label for label in task}
    pairs = ((label, targets[label.name]) for label in model if label.name in targets)
    return {
        label.name: mapped_pair(label, target, generation)
        for label, target in pairs
        if compatible(label, target, generation)
    }


def mapped_pair(label: ModelLabel, target: TaskLabel, generation: Generation) -> dict[str, Any]:
    """A label of the function onto one of the task, with the attributes and sublabels of equal names."""
    names = [a.name for a in label.attributes if target.attribute(a.name)]
    mapped: dict[str, Any] = {"name": target.name, "attributes": {name: name for name in names}}
    if label.type == "skeleton":
        mapped["sublabels"] = mapping_by_name(label.sublabels or (), target.sublabels, generation)
    return mapped


def _slip(mapping: Mapping[str, Any], model: Sequence[ModelLabel]) -> None:
    """CVAT's up to 2.16.1: without a mapping any attribute on a label of the function fails the call."""
    for label in model:
        if label.name in mapping:
            if label.attributes:
                raise AttributeError("'dict' object has no attribute 'attributespec_set'")
            _slip(mapping[label.name].get("sublabels", {}), label.sublabels or ())


def _check(given: Any, model: Sequence[ModelLabel], task: Sequence[TaskLabel], generation: Generation) -> None:
    """Raises for the first fault, in CVAT's order: the labels, their types, their attributes, their sublabels."""
    for name, target in given.items():
        label = _find(model, name)
        if label is None:
            target["name"]  # CVAT looks at it first
            raise invalid(f'Invalid mapping. Unknown model label "{name}"')
        task_label = _find(task, target["name"])
        if task_label is None:
            raise invalid(f'Invalid mapping. Unknown db label "{target["name"]}"')
        if not compatible(label, task_label, generation):
            raise invalid(
                f'Invalid mapping. Model label "{name}" and database label "{task_label.name}" are not compatible'
            )
        _check_attributes(target.get("attributes", {}), label, task_label)
        if label.type == "skeleton" and task_label.type == "skeleton":
            if "sublabels" not in target and generation is not Generation.G1:
                raise invalid(f'Mapping for elements was not specified in skeleton "{name}" ')
            _check(target["sublabels"], label.sublabels or (), task_label.sublabels, generation)


def _check_attributes(given: Any, label: ModelLabel, task_label: TaskLabel) -> None:
    known = [attribute.name for attribute in label.attributes]
    targets = [attribute.name for attribute in task_label.attributes]
    for name in given:
        target = given[name]
        if name not in known:
            raise invalid(f'Invalid mapping. Unknown model attribute "{name}"')
        if target not in targets:
            raise invalid(f'Invalid mapping. Unknown db attribute "{target}"')


def _joined(given: Any, model: Sequence[ModelLabel], task: Sequence[TaskLabel]) -> dict[Any, Mapped]:
    """A mapping that `_check` passed, with the labels that it names."""
    mapping = {}
    for name, target in given.items():
        label, task_label = _find(model, name), _find(task, target["name"])
        sublabels: Mapping[Any, Mapped | None] | None = target.get("sublabels")
        if label.type == "skeleton" and task_label.type == "skeleton":
            sublabels = _joined(sublabels, label.sublabels or (), task_label.sublabels)
        elif sublabels is not None:
            sublabels = dict.fromkeys(sublabels)
        attributes = {key: task_label.attribute(value) for key, value in target.get("attributes", {}).items()}
        mapping[name] = Mapped(task_label, {key: found for key, found in attributes.items() if found}, sublabels)
    return mapping


def _find(labels: Sequence[Any], name: Any) -> Any:
    """The label of that name, which may be any JSON value."""
    return next((label for label in labels if label.name == name), None)
