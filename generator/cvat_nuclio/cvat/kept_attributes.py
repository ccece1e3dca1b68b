"""Which attribute values CVAT keeps; the others are dropped without a word and the task's default is stored."""

from collections.abc import Mapping
from typing import Any

from .drops import Drops
from .generation import Generation
from .task import TaskAttribute


def keep_attributes(
    attributes: Any, mapping: Mapping[Any, TaskAttribute], generation: Generation, drops: Drops
) -> list[dict[str, Any]]:
    """The function's `[{name, value}]` under the task's names, without what CVAT drops.

    Raises TypeError, KeyError or AttributeError where CVAT's code does: the whole call then fails.
    """
    kept = []
    for attribute in attributes:
        target = mapping.get(attribute["name"])
        if target is None:
            drops.add(f"attribute {attribute['name']!r} is not mapped to one of the task's label")
        elif is_kept(attribute["value"], target, generation):
            kept.append({"name": target.name, "value": attribute["value"]})
        else:
            drops.add(
                f"attribute {target.name!r}: the {target.input_type} {list(target.values)} "
                f"does not take {attribute['value']!r}; the task's default is stored"
            )
    return kept


def is_kept(value: Any, attribute: TaskAttribute, generation: Generation) -> bool:
    """CVAT's check of one value against the task's attribute.

    * checkbox: only the strings "true" and "false".
    * number: G1 takes strings of digits without a look at the range; later servers take what Python's `int` takes,
      within min, max and step.
    * select, radio: any substring of the joined values.
    * text: anything.
    """
    match attribute.input_type:
        case "number":
            if generation is Generation.G1:
                return bool(value.isnumeric())
            return _number_in_range(value, attribute.values)
        case "checkbox":
            return value in ("true", "false")
        case "text":
            return True
        case _:
            return value in attribute.stored_values


def _number_in_range(value: Any, values: tuple[str, ...]) -> bool:
    minimum, maximum, step = map(int, values)
    try:
        number = int(value)
    except ValueError:
        return False
    return minimum <= number <= maximum and (number - minimum) % step == 0
