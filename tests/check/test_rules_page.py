"""docs/rules.md is what the rules say."""

from pathlib import Path

from tools.rules_page import GROUPS, PAGE, page

from cvat_nuclio.check.rule import all_rules


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == page(all_rules()), "run `python -m tools.rules_page`"


def test_every_rule_is_on_the_page() -> None:
    text = PAGE.read_text("utf-8")
    for rule in all_rules():
        assert f"### {rule.id} {rule.name} " in text
    assert all(f"## {title}" in text for title in GROUPS.values())


def test_the_check_page_names_every_format(repository: Path) -> None:
    text = (repository / "docs" / "check.md").read_text("utf-8")
    for word in ("--fix", "--format", "sarif", "github", "--select", "--ignore", "--cvat", "--nuclio", "rules.md"):
        assert word in text
