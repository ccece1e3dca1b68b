"""docs/troubleshooting.md names rules, commands and options that exist."""

import re
from pathlib import Path

from cvat_nuclio.__main__ import COMMANDS, build_parser


def test_what_the_page_names_exists(repository: Path) -> None:
    page = (repository / "docs/troubleshooting.md").read_text("utf-8")
    rules = (repository / "docs/rules.md").read_text("utf-8")
    named = set(re.findall(r"CN\d{3}", page))
    assert len(named) > 15
    assert named <= set(re.findall(r"### (CN\d{3}) ", rules))
    commands = set(re.findall(r"cvat-nuclio ([a-z]+)", page))
    assert {"check", "logs", "invoke", "bench"} <= commands <= set(COMMANDS)
    known: set[str] = set()
    subparsers = next(action for action in build_parser()._actions if action.dest == "command")
    for parser in subparsers.choices.values():  # type: ignore[union-attr]
        known |= {option for action in parser._actions for option in action.option_strings}
    assert set(re.findall(r"--[a-z][a-z-]+", page)) <= known
