"""Where findings point: inside YAML blocks, quotes and flows, and at keys and values."""

from pathlib import Path

import pytest

from cvat_nuclio.check import Finding, check_paths

HEAD = "metadata:\n  name: words\n  annotations:\n    type: detector\n"
TAIL = "spec: {description: d, handler: 'main:handler', runtime: 'python:3.11'}\n"


def one(tmp_path: Path, text: str, rule: str) -> Finding:
    file = tmp_path / "function.yaml"
    file.write_text(text)
    (finding,) = check_paths([file], select=[rule])
    return finding


@pytest.mark.parametrize(
    ("spec", "line", "column"),
    [
        ('    spec: |\n      [\n        {"name": "a"},\n        {"name": "b"},\n      ]\n', 8, 22),
        ('    spec: |-\n\n\n      [{"name": "a"},]\n', 8, 21),
        ('    spec: \'[{"name": "a"},]\'\n', 5, 26),
        ('    spec: "[{\\"name\\": \\"a\\"},]"\n', 5, 30),
        ('    spec: >\n      [{"name": "a"},\n      ]\n', 6, 21),
        ('    spec: >\n      [{"name":\n      "a"},]\n', 7, 11),
    ],
)
def test_a_json_error_is_placed_inside_the_block(tmp_path: Path, spec: str, line: int, column: int) -> None:
    finding = one(tmp_path, HEAD + spec + TAIL, "CN431")
    assert (finding.line, finding.column) == (line, column)
    assert (tmp_path / "function.yaml").read_text().splitlines()[line - 1][column - 1] == ","


def test_a_label_is_placed_by_its_own_brace(tmp_path: Path) -> None:
    spec = '    spec: |\n      [\n        {"name": "a"},\n        {"type": "mask", "id": [1, {"x": "}"}]}\n      ]\n'
    finding = one(tmp_path, HEAD + spec + TAIL, "CN432")
    assert (finding.line, finding.column) == (8, 9)


def test_an_attribute_is_placed_in_the_value_that_wins(tmp_path: Path) -> None:
    spec = '    Spec: \'[]\'\n    spec: \'[{"name": "a", "attributes": [{"name": "x"}]}]\'\n'
    finding = one(tmp_path, HEAD + spec + TAIL, "CN433")
    assert (finding.line, finding.column) == (6, 42)


def test_a_missing_key_points_at_its_parent(tmp_path: Path) -> None:
    finding = one(tmp_path, HEAD + "spec:\n  handler: main:handler\n", "CN402")
    assert (finding.line, finding.column) == (5, 1)


def test_tabs_and_long_lines_keep_the_caret_in_place(tmp_path: Path) -> None:
    from cvat_nuclio.check.finding_formats import as_text

    labels = ", ".join(f'{{"name": "label {i}"}}' for i in range(20))
    finding = one(tmp_path, HEAD + f"    spec: '[{labels},]'\n" + TAIL, "CN431")
    _, excerpt, caret, *_ = as_text([finding]).splitlines()
    assert len(excerpt) < 125
    assert excerpt[caret.index("^")] == ","
