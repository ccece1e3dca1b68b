"""Every rule finds its tiny broken project and leaves its sound near-miss alone."""

from pathlib import Path
from typing import Any

import pytest

from cvat_nuclio.check import check_paths
from cvat_nuclio.check.rule import Rule, all_rules

ZOO = Path(__file__).resolve().parent.parent / "zoo"
RULES = all_rules()
# What else is wrong with a broken project, because one mistake meets two readers.
ALSO = {"CN409": {"CN302"}}
# The newest Nuclio knows every key. An index of packages is asked in test_online.py.
OPTIONS: dict[str, dict[str, Any]] = {
    "CN108": {"nuclio": "1.13"},
    "CN351": {"index": lambda lines, python: [line for line in lines if line == "pillow==99.1"]},
}


def project(rule: Rule, kind: str) -> Path:
    folder = ZOO / f"{rule.id}-{rule.name}" / kind
    return folder / "func.py" if rule.id.startswith("CN7") else folder


def test_every_rule_has_its_projects() -> None:
    expected = {f"{rule.id}-{rule.name}" for rule in RULES}
    assert {folder.name for folder in ZOO.iterdir()} == expected


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_broken_project_is_found(rule: Rule) -> None:
    findings = check_paths([project(rule, "bad")], **OPTIONS.get(rule.id, {}))
    assert {finding.rule for finding in findings} == {rule.id} | ALSO.get(rule.id, set())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_near_miss_is_clean(rule: Rule) -> None:
    assert check_paths([project(rule, "good")], **OPTIONS.get(rule.id, {})) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_finding_has_a_place_and_a_remedy(rule: Rule) -> None:
    for finding in check_paths([project(rule, "bad")], **OPTIONS.get(rule.id, {})):
        assert finding.remedy
        assert finding.message[-1] not in ".!"
        if finding.line:
            lines = finding.file.read_text().splitlines()
            assert 1 <= finding.line <= max(1, len(lines))
            assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1 if lines else True


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_explains_itself(rule: Rule) -> None:
    assert rule.summary().endswith((".", ":"))
    assert rule.source
    assert rule.remedy
    assert "§" not in rule.source
