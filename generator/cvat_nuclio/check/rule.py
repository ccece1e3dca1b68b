"""What a rule is, and the register of all rules."""

import functools
import importlib
import pkgutil
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..nuclio.model import Place
from .finding import Edit, Finding, Severity

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


@dataclass(frozen=True, slots=True)
class Fault:
    """What a rule sees. What is left out is the rule's own: its severity, its remedy, the subject's file."""

    message: str
    place: Place = (0, 0)
    length: int = 1
    severity: Severity | None = None
    remedy: str = ""
    edit: Edit | None = None
    file: Path | None = None


@dataclass(frozen=True, eq=False)
class Rule:
    """A rule: `doc`'s first line says what it finds, the rest why that is bad.

    `id` and `name` are stable. `source` names where the behaviour is known from. `remedy` is what to do. `cvat` marks
    what matters only to functions that CVAT calls. `look` gets a subject of the type `on`: a `Bundle`, its `Build` or
    its `Labels`, a Python `Module`, an AA `Function`, or the list of all bundles.
    """

    id: str
    name: str
    severity: Severity
    look: Callable[[Any], Iterator[Fault]]
    on: Any
    doc: str
    source: str
    remedy: str
    fixes: bool = False
    cvat: bool = False

    def summary(self) -> str:
        """One line."""
        return self.doc.strip().splitlines()[0]

    def reason(self) -> str:
        """The rest of the doc as one paragraph."""
        return " ".join(line.strip() for line in self.doc.strip().splitlines()[1:] if line.strip())

    def findings(self, subject: Any, file: Path) -> Iterator[Finding]:
        """What the rule says of a subject; `file` is where a fault stands that names no other.

        A rule that fails says so in place of its findings: the others go on, and nothing unseen is called clean.
        """
        try:
            for fault in self.look(subject):
                yield Finding(
                    self.id, self.name, fault.severity or self.severity, fault.message, fault.file or file,
                    *fault.place, length=fault.length, remedy=fault.remedy or self.remedy, edit=fault.edit,
                )  # fmt: skip
        except Exception as error:
            said = f"this rule itself failed: {type(error).__name__}: {error}"
            remedy = f"report it with the file; --ignore {self.id} leaves the rule out"
            yield Finding(self.id, self.name, Severity.ERROR, said, file, remedy=remedy)


_REGISTER: dict[str, Rule] = {}
Look = typing.TypeVar("Look", bound=Callable[..., Iterator[Fault]])


def register(rule: Rule) -> None:
    """Adds a rule; two of one id are a mistake of ours."""
    if rule.id in _REGISTER:
        raise ValueError(f"two rules are called {rule.id}")
    _REGISTER[rule.id] = rule


def rule(
    id: str, name: str, severity: Severity, *, source: str, remedy: str, fixes: bool = False, cvat: bool = False
) -> Callable[[Look], Look]:
    """Makes a rule of a function: its docstring is the rule's, the annotation of its argument says on what it looks."""

    def decorate(look: Look) -> Look:
        on = next(iter(look.__annotations__.values()))
        register(Rule(id, name, severity, look, on, look.__doc__ or "", source, remedy, fixes, cvat))
        return look

    return decorate


@functools.cache
def _load() -> None:
    package = importlib.import_module(".rules", __package__)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f".rules.{module.name}", __package__)


def all_rules() -> list[Rule]:
    """Every rule, by id."""
    _load()
    return [_REGISTER[identifier] for identifier in sorted(_REGISTER)]
