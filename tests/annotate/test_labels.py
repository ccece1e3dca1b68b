"""Which label becomes which: as the dialog proposes it, changed by `--map`."""

import json
from pathlib import Path
from typing import Any

import pytest

LABELS = [
    {"name": "person", "type": "rectangle", "attributes": [
        {"name": "age", "mutable": False, "input_type": "number", "values": ["0", "99", "1"], "default_value": "0"},
    ]},
    {"name": "cars", "type": "rectangle"},
    {"name": "mask", "type": "mask"},
]  # fmt: skip


@pytest.fixture
def task(shelf: Any) -> Any:
    return shelf(labels=LABELS)


@pytest.fixture(autouse=True)
def detector(function: Any) -> None:
    """It knows persons with an age, cars under another name, and outlines."""
    age = {"name": "age", "input_type": "number", "values": ["0", "99", "1"]}
    function.labels = [
        {"name": "person", "type": "rectangle", "attributes": [age]},
        {"name": "car", "type": "rectangle", "attributes": []},
        {"name": "mask", "type": "rectangle", "attributes": []},
        {"name": "tree", "type": "any", "attributes": []},
    ]
    person = {
        "label": "person",
        "type": "rectangle",
        "points": [1, 1, 9, 9],
        "attributes": [{"name": "age", "value": "7"}],
    }
    others = [{"label": name, "type": "rectangle", "points": [2, 2, 9, 9]} for name in ("car", "mask", "tree")]
    function.answer = lambda body: (200, [person, *others])


def names(found: Any) -> set[str]:
    known = {label.id: label.name for label in found.scope.labels}
    return {known[shape["label_id"]] for shape in found.stored()["shapes"]}


def test_equal_names_with_their_attributes(annotate: Any, task: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert annotate("--task", task.scope.task_id) == 0
    assert names(task) == {"person"}
    assert {each["value"] for shape in task.stored()["shapes"] for each in shape["attributes"]} == {"7"}
    told = capsys.readouterr().err.splitlines()
    assert "label without a place: car: not in the task; --map car=cars?" in told
    assert "label without a place: mask: the function gives rectangle, the task's label takes mask" in told
    assert "labels without a place: 1 more, none like one of the task's" in told


def test_map_to_another_and_to_none(annotate: Any, task: Any) -> None:
    assert annotate("--task", task.scope.task_id, "--map", "car=cars", "--map", "person=") == 0
    assert names(task) == {"cars"}


def test_mapping_of_a_file(annotate: Any, task: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert annotate("--task", task.scope.task_id, "--map", "car=cars", "--show-map") == 0
    mapping = json.loads(capsys.readouterr().out)
    assert mapping["person"] == {"name": "person", "attributes": {"age": "age"}}
    file = tmp_path / "map.json"
    file.write_text(json.dumps({"tree": {"name": "person", "attributes": {}}, "car": mapping["car"]}))
    assert annotate("--task", task.scope.task_id, "--map", file) == 0
    assert names(task) == {"cars", "person"}
    assert {each["value"] for shape in task.stored()["shapes"] for each in shape["attributes"]} == {"0"}


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("cra=cars", "the function has no label 'cra'"),
        ("car=car", "the task has no label 'car'"),
        ("car=mask", "CVAT does not take the mapping"),
        ("car", "--map car is neither LABEL=LABEL nor a file"),
    ],
)
def test_mappings_that_do_not_fit(
    annotate: Any, task: Any, function: Any, wish: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert annotate("--task", task.scope.task_id, "--map", wish) == 2
    assert words in capsys.readouterr().err
    assert function.bodies == []


def test_no_label_fits(annotate: Any, shelf: Any, function: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = shelf(labels=[{"name": "persons"}])
    assert annotate("--task", found.scope.task_id) == 2
    told = capsys.readouterr().err
    assert "none of the function's labels is one of the task's" in told
    assert "person: not in the task; --map person=persons?" in told
    assert function.bodies == []
