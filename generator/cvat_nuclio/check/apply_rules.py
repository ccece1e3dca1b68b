"""Runs the rules over what was discovered."""

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ..errors import UserError
from ..nuclio.structs import version_of
from .bundle import Build, Bundle, Function, Generated, Module
from .discover import Targets, discover
from .finding import FileLines, Finding
from .rule import Rule, all_rules
from .source import PythonFile
from .spec_text import Label, Labels
from .versions import DEFAULT_CVAT, DEFAULT_NUCLIO, GENERATIONS, Index, Settings

# `# cvat-nuclio: ignore` or `# cvat-nuclio: ignore[CN101, CN102]` on the finding's line.
_IGNORE = re.compile(r"#\s*cvat-nuclio:\s*ignore(?:\[([^\]]*)\])?")


Ask: TypeAlias = Callable[[Function], Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Checked:
    """The findings, sorted by place; and the AA functions that were only read, each with why loading failed."""

    findings: list[Finding]
    only_read: list[tuple[Path, str]]


def check_paths(paths: Sequence[Path | str], **options: Any) -> list[Finding]:
    """The findings of `check`, which takes the same options."""
    return check(paths, **options).findings


def check(
    paths: Sequence[Path | str],
    *,
    cvat: str = DEFAULT_CVAT,
    nuclio: str = DEFAULT_NUCLIO,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    ask: Ask | None = None,
    index: Index | None = None,
) -> Checked:
    """Looks at bundles, configuration files, AA functions and trees of them.

    `cvat` is a server generation (`G1`: up to early 2025, `G2`: 2025, `G3`: 2026), `nuclio` a version such as `1.13`.
    `select` and `ignore` hold rule ids, names, or patterns of them (`CN4*`); an empty `select` means all. `ask` loads
    an AA function and says what is wrong with its methods (see `ask_function`); without it nothing is run. `index`
    says what no index of packages has (see `Settings`).

    Raises:
        UserError: a path is not there, holds nothing to check, or an option is unknown.
    """
    settings = _settings(cvat, nuclio, index)
    rules = _chosen(all_rules(), list(select), list(ignore))
    targets = discover([Path(path) for path in paths], settings)
    failed = {function.file: _load(function, ask) for function in targets.functions if ask}
    only_read = [(function.file, failed.get(function.file, "")) for function in targets.functions]
    only_read = [(file, why) for file, why in only_read if why or ask is None]
    findings = {_identity(finding): finding for finding in _run(rules, targets)}
    files = FileLines()
    kept = [finding for finding in findings.values() if not _ignored(finding, files)]
    return Checked(sorted(kept, key=lambda finding: finding.sort_key), only_read)


def _load(function: Function, ask: Ask) -> str:
    """Why the function was not loaded; empty when it was."""
    try:
        function.faults = ask(function)
    except UserError as error:
        return f"{error.what}: {error.why}" if error.why else error.what
    return ""


def _settings(cvat: str, nuclio: str, index: Index | None) -> Settings:
    if cvat.upper() not in GENERATIONS:
        raise UserError(f"unknown CVAT generation {cvat}", remedy=f"one of {', '.join(GENERATIONS)}")
    try:
        version = version_of(nuclio)
    except ValueError:
        raise UserError(f"not a Nuclio version: {nuclio}", remedy="write it as 1.13 or 1.15.9") from None
    if not (1, 13) <= version < (2, 0):
        raise UserError(f"Nuclio {nuclio} is not known here", remedy="1.13 and later are")
    return Settings(cvat.upper(), version, index)


def _chosen(rules: list[Rule], select: list[str], ignore: list[str]) -> list[Rule]:
    for pattern in [*select, *ignore]:
        if not any(_matches(rule, pattern) for rule in rules):
            raise UserError(f"no rule is called {pattern}", remedy="docs/rules.md lists them; CN4* names a group")
    chosen = [rule for rule in rules if not select or any(_matches(rule, pattern) for pattern in select)]
    return [rule for rule in chosen if not any(_matches(rule, pattern) for pattern in ignore)]


def _matches(rule: Rule, pattern: str) -> bool:
    return fnmatch.fnmatchcase(rule.id, pattern.upper()) or fnmatch.fnmatchcase(rule.name, pattern)


def _run(rules: list[Rule], targets: Targets) -> Iterator[Finding]:
    for_all = _by_subject([rule for rule in rules if not rule.cvat])
    for_cvat = _by_subject(rules)
    for bundle in targets.bundles:
        chosen = for_cvat if bundle.for_cvat else for_all
        for subject in _subjects(bundle):
            for rule in chosen[type(subject)]:
                yield from rule.findings(subject, subject.file)
    for file in targets.python:
        for rule in for_cvat[type(file)]:
            yield from rule.findings(file, file.file)
    for rule in rules:
        if rule.on == list[Bundle]:
            yield from rule.findings(targets.bundles, Path())


def _by_subject(rules: list[Rule]) -> dict[type, list[Rule]]:
    """The rules for each type of subject."""
    types = (Bundle, Build, Generated, Labels, Label, Module, Function, PythonFile)
    return {kind: [rule for rule in rules if rule.on != list[Bundle] and issubclass(kind, rule.on)] for kind in types}


def _subjects(bundle: Bundle) -> Iterator[Any]:
    yield bundle
    if bundle.config and bundle.builds and bundle.runtime[0] == "python":
        yield Build(bundle)
        if (generated := Generated(bundle)).file.is_file():
            yield generated
    if bundle.annotations and bundle.marked_labels.error is None:
        yield bundle.marked_labels
        yield from bundle.marked_labels.all()
    yield from bundle.modules.values()


def _identity(finding: Finding) -> tuple[str, Path, int, int, str]:
    # A CPU and a GPU file of one folder share their Python files.
    return finding.rule, finding.file.resolve(), finding.line, finding.column, finding.message


def _ignored(finding: Finding, files: FileLines) -> bool:
    line = "".join(files[finding.file][finding.line - 1 : finding.line]) if finding.line else ""
    match = _IGNORE.search(line)
    if not match:
        return False
    identifiers = re.split(r"[\s,]+", match[1].strip()) if match[1] is not None else []
    return not identifiers or finding.rule in identifiers or finding.name in identifiers
