"""The base of all rules, and their register."""

import functools
import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from .config import Config, Place
from .finding import Edit, Finding, Severity
from .source import PythonFile

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


class Rule:
    """A rule: its docstring's first line says what it finds, the rest why that is bad.

    `id` and `name` are stable. `source` names where the behaviour is known from. `remedy` is what to do.
    """

    id: ClassVar[str] = ""
    name: ClassVar[str]
    severity: ClassVar[Severity]
    source: ClassVar[str]
    remedy: ClassVar[str]
    fixes: ClassVar[bool] = False

    @classmethod
    def summary(cls) -> str:
        """One line."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    @classmethod
    def reason(cls) -> str:
        """The rest of the docstring as one paragraph."""
        lines = (cls.__doc__ or "").strip().splitlines()[1:]
        return " ".join(line.strip() for line in lines if line.strip())

    def found(
        self,
        file: Path,
        message: str,
        place: Place = (0, 0),
        *,
        severity: Severity | None = None,
        length: int = 1,
        remedy: str = "",
        edit: Edit | None = None,
    ) -> Finding:
        """A finding of this rule."""
        return Finding(
            self.id, self.name, severity or self.severity, message, file, *place,
            length=length, remedy=remedy or self.remedy, edit=edit,
        )  # fmt: skip


class ConfigRule(Rule):
    """Looks at one function.yaml (and its folder). `cvat` marks what matters to functions that CVAT calls only."""

    cvat: ClassVar[bool] = False

    def check(self, config: Config) -> Iterator[Finding]:
        """Yields what is wrong."""
        raise NotImplementedError


class PythonRule(Rule):
    """Looks at one Python file that runs inside a function."""

    def check(self, module: PythonFile) -> Iterator[Finding]:
        """Yields what is wrong."""
        raise NotImplementedError


class TreeRule(Rule):
    """Looks at all configuration files together."""

    def check(self, configs: list[Config]) -> Iterator[Finding]:
        """Yields what is wrong."""
        raise NotImplementedError


@functools.cache
def _rules() -> tuple[Rule, ...]:
    package = importlib.import_module(".rules", __package__)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f".rules.{module.name}", __package__)
    classes: dict[str, type[Rule]] = {}
    for rule in _descendants(Rule):
        if rule.id:
            if rule.id in classes:
                raise ValueError(f"two rules are called {rule.id}")
            classes[rule.id] = rule
    return tuple(classes[identifier]() for identifier in sorted(classes))


def all_rules() -> list[Rule]:
    """One instance of every rule, by id."""
    return list(_rules())


def _descendants(rule: type[Rule]) -> Iterable[type[Rule]]:
    for child in rule.__subclasses__():
        yield child
        yield from _descendants(child)
