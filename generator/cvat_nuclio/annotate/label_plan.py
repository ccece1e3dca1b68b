"""Which of the task's labels each label of the function becomes: as CVAT's dialog proposes it, changed by `--map`."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..check.near import near
from ..cvat import CvatError, Generation, TaskLabel
from ..cvat.mapping import compatible, mapped_pair, mapping_by_name, resolve_mapping
from ..cvat.spec import ModelLabel
from ..errors import UserError

SHOW = "`cvat-nuclio annotate FUNCTION --task N --show-map` prints a detector's mapping"


@attrs.frozen
class LabelPlan:
    """`mapping` as CVAT's REST API takes it; `lost` tells of labels of the function that go nowhere."""

    mapping: dict[str, Any]
    lost: tuple[str, ...] = ()


def plan_labels(
    model: Sequence[ModelLabel], task: Sequence[TaskLabel], wishes: Sequence[str], generation: Generation
) -> LabelPlan:
    """The mapping in force.

    `wishes`, in order: `LABEL=LABEL` (the function's, the task's), `LABEL=` for none, or a JSON file that holds a whole
    mapping. Raises UserError for names that nobody has, types that do not go together, and where nothing is mapped.
    """
    mapping = mapping_by_name(model, task, generation)
    for wish in wishes:
        if Path(wish).is_file():
            mapping = _read(Path(wish))
        else:
            _apply(wish, mapping, model, task, generation)
    if not mapping:
        raise UserError(
            "none of the function's labels is one of the task's",
            why="\n".join(["", *_lost(model, task, {}, generation)]),
            remedy="--map LABEL=LABEL (the function's, then the task's), or add labels to the task",
        )
    try:
        resolve_mapping(mapping, model, task, generation)
    except (CvatError, KeyError, TypeError, AttributeError) as error:
        told = error.message if isinstance(error, CvatError) else f"a key is missing or of a wrong kind: {error}"
        raise UserError("CVAT does not take the mapping", why=str(told), remedy=SHOW) from error
    return LabelPlan(mapping, tuple(_lost(model, task, mapping, generation)))


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        what = f"cannot read the mapping in {file}"
        raise UserError(what, why=str(error), remedy=SHOW) from error
    if not isinstance(found, dict):
        raise UserError(f"{file} holds no mapping", why="it is no JSON object", remedy=SHOW)
    return found


def _apply(
    wish: str, mapping: dict[str, Any], model: Sequence[ModelLabel], task: Sequence[TaskLabel], generation: Generation
) -> None:
    name, equals, target = wish.partition("=")
    if not equals:
        raise UserError(
            f"--map {wish} is neither LABEL=LABEL nor a file", remedy="--map LABEL=LABEL, or --map FILE.json"
        )
    label = _named("function", name, model, f"--map {{}}={target}")
    if not target:
        mapping.pop(name, None)
        return
    mapping[name] = mapped_pair(label, _named("task", target, task, f"--map {name}={{}}"), generation)


def _named(whose: str, name: str, labels: Sequence[Any], better: str) -> Any:
    found = next((label for label in labels if label.name == name), None)
    if found is None:
        close = near(name, [str(label.name) for label in labels])
        raise UserError(
            f"the {whose} has no label {name!r}",
            why=f"it has {', '.join(str(label.name) for label in labels)}",
            remedy=better.format(close) if close else SHOW,
        )
    return found


def _lost(
    model: Sequence[ModelLabel], task: Sequence[TaskLabel], mapping: dict[str, Any], generation: Generation
) -> Iterator[str]:
    targets = {label.name: label for label in task}
    for label in model:
        target = targets.get(label.name)
        if label.name in mapping:
            continue
        if target is not None and not compatible(label, target, generation):
            yield f"{label.name}: the function gives {label.type}, the task's label takes {target.type}"
        elif target is None:
            close = near(str(label.name), targets)
            yield f"{label.name}: not in the task" + (f"; --map {label.name}={close}?" if close else "")
