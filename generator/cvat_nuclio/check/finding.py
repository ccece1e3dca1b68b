"""What a rule says, and where."""

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import yaml


class Severity(enum.Enum):
    """How bad it is.

    `error`: refused, hidden, or broken when it runs. `warning`: it runs, but not as written, or only by luck.
    `note`: harmless, or a matter of newer versions.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement in a file's text: the characters from `start` to `end` (offsets) become `text`."""

    start: int
    end: int
    text: str

    @classmethod
    def of(cls, node: yaml.Node, text: str) -> Self:
        """A replacement of what stands for a node."""
        return cls(node.start_mark.index, node.end_mark.index, text)


class FileLines(dict[Path, list[str]]):
    """The lines of files, each read once; none of what is no file."""

    def __missing__(self, file: Path) -> list[str]:
        self[file] = file.read_text("utf-8-sig", "replace").splitlines() if file.is_file() else []
        return self[file]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `line` and `column` count from 1; line 0 means the whole file or folder.

    `length` is how many characters the caret line marks. `edit` is a fix that changes nothing of what Nuclio and CVAT
    read, or only what was read wrongly.
    """

    rule: str
    name: str
    severity: Severity
    message: str
    file: Path
    line: int = 0
    column: int = 0
    length: int = 1
    remedy: str = ""
    edit: Edit | None = None

    @property
    def sort_key(self) -> tuple[str, int, int, str]:
        """Findings come by file, then by place."""
        return (str(self.file), self.line, self.column, self.rule)
