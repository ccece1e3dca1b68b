"""What SECURITY.md names is there."""

import ast
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "SECURITY.md"
NAMED = re.findall(r"`([\w/.-]+\.py): ([\w.]+)`", PAGE.read_text("utf-8"))


def test_each_promise_names_who_keeps_it() -> None:
    promises = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    assert len(promises) == 12
    assert all(re.search(r"`[\w/.-]+\.py: [\w.]+`", line.split("|")[2]) for line in promises)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_what_the_page_names_is_there(repository: Path, file: str, name: str) -> None:
    body = ast.parse((repository / file).read_text("utf-8")).body
    for part in name.split("."):
        (found,) = [node for node in body if part in _names(node)]
        body = getattr(found, "body", [])


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}
