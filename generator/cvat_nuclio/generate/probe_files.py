"""The files that an AA function reads, as far as they can be seen from within its own process.

Part of `probe_script`, and as stand-alone: the standard library alone. Python code that opens a file is seen by an
audit hook. Native code (ONNX Runtime, safetensors, TensorRT) opens files without a word: its files are found where they
are still mapped into memory, and where the user's own code names them, by a constant or by an environment variable.
"""

# The import machinery speaks in strings:
# ruff: noqa: PTH100, PTH110, PTH111, PTH112, PTH113, PTH118, PTH119
from __future__ import annotations

import ast
import os
import re
import sys
import types
from pathlib import Path
from typing import Any

#: Not somebody's model: the system's, and what a process sees of itself.
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/lib", "/bin/", "/sbin/", "/run/", "/var/lib/", "/snap/")
_PROBE = str(Path(__file__).with_name("probe_script.py"))
_PACKAGES = re.compile(r"site-packages|dist-packages|.*\.(dist|egg)-info")
_NAMES_PACKAGE = re.compile(r"(\w+\.)*files")
_READS_VARIABLE = re.compile(r"(os\.)?(getenv|environ(\.get)?)")


class Files:
    """Watches from its creation on."""

    def __init__(self) -> None:
        self.opened: set[str] = set()
        self.pid = os.getpid()
        self.mapped_before = mapped()
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(args[0], (str, bytes)) and os.getpid() == self.pid:
            mode = args[1] or "r"
            if not set(str(mode)) & set("wax+") and asked_by_user(sys._getframe(1)):
                self.opened.add(os.path.abspath(os.fsdecode(args[0])))

    def report(self, sources: list[str], folders: list[str]) -> list[dict[str, str]]:
        """The files and folders that were read, each with the environment variable that leads to it, or "".

        `sources` are the user's own modules, `folders` those in which a relative path may start.
        """
        found = dict.fromkeys(sorted(self.opened | (mapped() - self.mapped_before)), "")
        for file in sources:
            for path, variable in named(file, folders):
                found[path] = found.get(path) or variable
        by_variable = {path: name for path, name in found.items() if name}
        return [
            {"path": path, "variable": name or above(path, by_variable)}
            for path, name in found.items()
            if os.path.exists(path) and not is_system(path)
        ]


def above(path: str, by_variable: dict[str, str]) -> str:
    """The variable that names a folder above `path`."""
    return next((name for folder, name in by_variable.items() if path.startswith(folder.rstrip("/") + "/")), "")


def is_system(path: str) -> bool:
    """What the image has of its own, and code."""
    return path.startswith(_SYSTEM) or path.endswith((".py", ".pyc", ".so")) or is_library(path)


def asked_by_user(frame: types.FrameType | None) -> bool:
    """Whether the user's own code is what runs, or called what runs. What a library opens while it is imported, or in a
    thread of its own, is its own affair: settings, caches, somebody's telemetry."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return False
        if not file.startswith("<") and file not in (__file__, _PROBE) and not is_library(file):
            return True
        frame = frame.f_back
    return False


def is_library(file: str) -> bool:
    """Whether a file is Python's or a package's."""
    return file.startswith((sys.prefix, sys.base_prefix)) or any(map(_PACKAGES.fullmatch, Path(file).parts))


def mapped() -> set[str]:
    """The files that are mapped into this process; none where the system does not tell."""
    try:
        lines = Path("/proc/self/maps").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    paths = (line.split(maxsplit=5)[5] for line in lines if len(line.split(maxsplit=5)) == 6)
    return {path for path in paths if path.startswith("/") and ".so" not in os.path.basename(path)}


def named(file: str, folders: list[str]) -> list[tuple[str, str]]:
    """What a source file's texts name and exists, beside it too: the path, and the variable that holds it or ""."""
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (SyntaxError, ValueError, OSError):
        return []
    found = []
    for node in ast.walk(tree):
        if variable := variable_of(node):
            found += [(path, variable) for path in existing(os.environ.get(variable, ""), folders)]
        else:
            found += [(path, "") for path in existing(text_of(node), [*folders, str(Path(file).parent)])]
    return found


def text_of(node: ast.AST) -> str:
    """A text, or the end of a path: `HERE / "data" / "names.txt"`, `join(HERE, "data", "names.txt")`."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        parts = [text_of(node.left), text_of(node.right)]
    elif isinstance(node, ast.Call) and not _NAMES_PACKAGE.fullmatch(ast.unparse(node.func)):
        parts = [text_of(part) if isinstance(part, ast.Constant) else "" for part in node.args]
    else:
        return ""
    return "/".join(filter(None, parts)) if parts and parts[-1] else ""


def variable_of(node: ast.AST) -> str:
    """`os.environ["X"]`, `os.environ.get("X")` and `os.getenv("X")` give "X"."""
    if isinstance(node, ast.Subscript):
        reader, name = node.value, node.slice
    elif isinstance(node, ast.Call) and node.args:
        reader, name = node.func, node.args[0]
    else:
        return ""
    if (
        isinstance(name, ast.Constant)
        and isinstance(name.value, str)
        and _READS_VARIABLE.fullmatch(ast.unparse(reader))
    ):
        return name.value
    return ""


def existing(text: str, folders: list[str]) -> list[str]:
    """The file or folder that a text names, if it is one: a lone word is no path, except to a file that is there."""
    if not text or len(text) > 1000 or "\0" in text or "\n" in text:
        return []
    for folder in folders:
        path = os.path.abspath(os.path.join(folder, os.path.expanduser(text)))
        if os.path.isfile(path) or (os.path.isdir(path) and "/" in text.strip("/.")):
            return [path]
    return []
