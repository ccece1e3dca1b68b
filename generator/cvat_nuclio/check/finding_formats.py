"""Findings as text, JSON, SARIF and GitHub's workflow commands."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from .finding import FileLines, Finding, Severity
from .rule import all_rules

_SARIF_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_GITHUB_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}


def as_text(findings: Sequence[Finding], *, colour: bool = False) -> str:
    """Like a compiler: place, message, the line with a caret, what to do."""
    files = FileLines()
    blocks = [_block(finding, files[finding.file], colour) for finding in findings]
    return "\n\n".join([*blocks, _summary(findings)])


def _block(finding: Finding, lines: list[str], colour: bool) -> str:
    place = f"{_shown(finding.file)}:{finding.line}:{finding.column}" if finding.line else _shown(finding.file)
    level = finding.severity.value
    if colour:
        level = f"\x1b[1;{_COLOURS[finding.severity]}m{level}\x1b[0m"
    one_line = finding.message.replace("\n", "\\n")
    block = f"{plain(place)}: {level} {finding.rule} [{finding.name}]: {plain(one_line)}"
    if 0 < finding.line <= len(lines):
        block += "\n" + plain(_excerpt(lines[finding.line - 1], finding))
    return block + (f"\n  try: {plain(finding.remedy)}" if finding.remedy else "")


def _excerpt(line: str, finding: Finding) -> str:
    """The line (its part around the column when it is long) and a caret under the place."""
    line, column, cut = line.rstrip(), finding.column - 1, 0
    if len(line) > 110:
        cut = max(0, column - 60)
        line = ("…" if cut else "") + line[cut : cut + 108] + ("…" if len(line) > cut + 108 else "")
    shift = column - cut + (1 if cut else 0)
    # Tabs stay tabs, so that the caret stands below its character.
    blank = "".join("\t" if character == "\t" else " " for character in line[:shift])
    marks = "^" + "~" * max(0, min(finding.length, len(line) - shift) - 1)
    return f"{finding.line:>6} | {line}\n       | {blank}{marks}"


def _summary(findings: Sequence[Finding]) -> str:
    counts = [(sum(f.severity is s for f in findings), s.value) for s in Severity]
    told = ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count)
    fixes = sum(finding.edit is not None for finding in findings)
    return (told or "clean") + (f"; --fix mends {fixes}" if fixes else "")


def _shown(file: Path) -> str:
    """Relative to the working folder where it lies below it."""
    try:
        return str(file.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(file)


def plain(line: str) -> str:
    """Without what a terminal obeys: escape sequences, and marks that turn the direction of writing."""
    return "".join(one if one.isprintable() or one in "\t\n" else one.encode("unicode_escape").decode() for one in line)


def as_json(findings: Sequence[Finding]) -> str:
    """A list of objects: rule, name, severity, message, file, line, column, remedy, fixable."""
    return json.dumps([_object(finding) for finding in findings], indent=1, ensure_ascii=False)


def _object(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "file": _shown(finding.file),
        "line": finding.line,
        "column": finding.column,
        "remedy": finding.remedy,
        "fixable": finding.edit is not None,
    }


def as_github(findings: Sequence[Finding]) -> str:
    """GitHub Actions' workflow commands, one a line."""
    lines = []
    for finding in findings:
        message = f"{finding.message}. {finding.remedy}" if finding.remedy else finding.message
        where = f"file={_property(_shown(finding.file))}"
        if finding.line:
            where += f",line={finding.line},col={finding.column}"
        title = _property(f"{finding.rule} {finding.name}")
        lines.append(f"::{_GITHUB_LEVEL[finding.severity]} {where},title={title}::{_escaped(message)}")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(findings: Sequence[Finding]) -> str:
    """SARIF 2.1.0, for code-scanning services and editors."""
    used = {finding.rule for finding in findings}
    rules = [
        {
            "id": rule.id,
            "name": rule.name,
            "shortDescription": {"text": rule.summary()},
            "fullDescription": {"text": f"{rule.reason()} ({rule.source})"},
            "help": {"text": rule.remedy},
            "defaultConfiguration": {"level": _SARIF_LEVEL[rule.severity]},
        }
        for rule in all_rules()
        if rule.id in used
    ]
    driver = {"name": "cvat-nuclio", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "results": [_result(finding) for finding in findings]}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False)


def _result(finding: Finding) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": _shown(finding.file).replace(os.sep, "/")}}
    if finding.line:
        location["region"] = {"startLine": finding.line, "startColumn": finding.column}
    return {
        "ruleId": finding.rule,
        "level": _SARIF_LEVEL[finding.severity],
        "message": {"text": finding.message + (f"\n{finding.remedy}" if finding.remedy else "")},
        "locations": [{"physicalLocation": location}],
    }
