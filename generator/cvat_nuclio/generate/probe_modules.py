"""What an AA function's modules import: distributions to install, and files of the user's own to take along.

Part of `probe_script`, and as stand-alone: only the standard library, and `packaging`, which cvat-sdk requires.
"""

# The import machinery speaks in strings:
# ruff: noqa: PTH100, PTH113, PTH119
from __future__ import annotations

import ast
import functools
import importlib.machinery
import importlib.metadata
import importlib.util
import json
import os
import re
import sys
import sysconfig
import types
from pathlib import Path
from typing import Any

FUNCTION = "__cvat_function__"
FRAMEWORKS = ("torch", "onnxruntime", "onnxruntime-gpu", "openvino")
#: Functions that come with cvat-nuclio, which no image has: they travel as the user's own do.
READY = "cvat_functions"


def is_installed(file: str) -> bool:
    """Whether a file belongs to Python or to a package, and not to the user."""
    parts = Path(file).parts
    stdlib = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    return (
        "site-packages" in parts
        or "dist-packages" in parts
        or any(file.startswith(str(folder) + os.sep) for folder in stdlib)
        or file.startswith("<")
    )


def canonical(name: str) -> str:
    """A distribution's name as the index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.cache
def find(name: str) -> Any:
    """A distribution's metadata, or None."""
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None


class Modules:
    """The modules that the function brought in: whose they are, and which are the user's own."""

    def __init__(self, request: dict[str, Any], before: set[str], after: dict[str, Any]) -> None:
        self.request = request
        self.root = request["module"] or FUNCTION
        self.new = [name for name in after if name not in before and not name.startswith("aa_runtime")]
        self.modules = after
        self.owners = importlib.metadata.packages_distributions()
        self.local: dict[str, dict[str, str]] = {}
        self.direct: set[str] = set()
        self.missing: list[list[str]] = []
        self.binary: list[str] = []

    def report(self) -> dict[str, Any]:
        """What `probe` reads of all this, as JSON."""
        loaded = {canonical(name) for module in self.new for name in self.owners_of(module)}
        for name in self.new:
            self.add_local(name)
        self.follow(self.root, self.file_of(self.root))
        kept = self.roots(loaded)
        return {
            "distributions": [self.distribution(name) for name in sorted(kept)],
            "frameworks": {name: find(name).version for name in FRAMEWORKS if name in loaded | kept and find(name)},
            "loaded": sorted(loaded),
            "environment": {canonical(item.name): item.version for item in importlib.metadata.distributions()},
            "requires": {name: sorted(self.requires(name)) for name in sorted(self.closure(loaded | kept))},
            "installed": {name: self.facts(name) for name in self.request["runtime_distributions"] if find(name)},
            "drags_opencv": sorted(name for name in kept if self.needs_opencv(name)),
            "local": [self.local[name] for name in sorted(self.local)],
            "missing": self.missing,
            "binary": sorted(self.binary),
        }

    def sources(self) -> list[str]:
        """The files of the user's own modules, the function's first."""
        root = self.file_of(self.root)
        own = [] if root is None or is_installed(root) else [root]
        return [*own, *(item["file"] for item in self.local.values())]

    def file_of(self, name: str) -> str | None:
        """The absolute path of a loaded module's file, or None."""
        file = getattr(self.modules.get(name), "__file__", None)
        return os.path.abspath(file) if file else None

    def owners_of(self, name: str, file: str | None = None) -> list[str]:
        """The distributions that a module belongs to; more than one only where they share a namespace."""
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top == READY:
            return []
        names = sorted({canonical(item) for item in self.owners.get(top, [])})
        names = [item for item in names if not self.is_editable(item)]
        file = file or self.file_of(name)
        if len(names) < 2 or not file:
            return names
        return [item for item in names if self.owns(item, file)]

    def owns(self, distribution: str, file: str) -> bool:
        """Whether a file is one that the distribution installed."""
        found = find(distribution)
        files = found.files or [] if found else []
        return any(os.path.abspath(str(found.locate_file(item))) == file for item in files)

    def origin(self, name: str) -> dict[str, Any]:
        """Where pip took it from, unless from an index (PEP 610)."""
        found = find(name)
        text = found.read_text("direct_url.json") if found else None
        return dict(json.loads(text)) if text else {}

    def is_editable(self, name: str) -> bool:
        """Whether it was installed with `pip install -e`: its files are the user's own."""
        return bool(self.origin(name).get("dir_info", {}).get("editable"))

    def facts(self, name: str) -> dict[str, Any]:
        """What an image needs to know of it: version, the Pythons that it takes."""
        found = find(name)
        return {"version": found.version, "requires_python": found.metadata.json.get("requires_python", "")}

    def distribution(self, name: str) -> dict[str, Any]:
        """One to install, with the URL where it came from one."""
        origin = self.origin(name)
        url = ""
        if "vcs_info" in origin:
            url = "{}+{}@{}".format(origin["vcs_info"]["vcs"], origin["url"], origin["vcs_info"]["commit_id"])
        elif "dir_info" in origin or origin.get("url", "").startswith("http"):
            url = origin["url"]
        return {"name": name, "url": url, **self.facts(name)}

    # --- the user's own modules

    def add_local(self, name: str) -> None:
        """A module of no distribution: it has to travel with the function."""
        file = self.file_of(name)
        if not file or name == FUNCTION or name in self.local or self.owners_of(name, file):
            return
        if is_installed(file) and name.partition(".")[0] != READY:
            return
        if not file.endswith(".py"):
            self.binary.append(file)
            return
        path = name.replace(".", "/") + ("/__init__.py" if os.path.basename(file) == "__init__.py" else ".py")
        self.local[name] = {"name": name, "file": file, "path": path}
        parent = name.rpartition(".")[0]
        if parent:
            self.add_local(parent)
        self.follow(name, file)

    def follow(self, name: str, file: str | None) -> None:
        """Reads a module's imports, those inside functions too: they run only when a request comes."""
        if not file or not file.endswith(".py"):
            return
        package = name if os.path.basename(file) == "__init__.py" else name.rpartition(".")[0]
        for target, optional in imports(file, package).items():
            self.note(target, file, optional)

    def note(self, target: str, importer: str, optional: bool) -> None:
        """Files an import under packages, local modules or what is missing."""
        top = target.partition(".")[0]
        if top in sys.stdlib_module_names or top in ("aa_runtime", "__future__", ""):
            return
        owners = self.owners_of(target)
        if owners:
            self.direct.update(owners)
        elif not self.note_local(target) and top not in self.modules and not optional:
            self.missing.append([importer, top])

    def note_local(self, target: str) -> bool:
        """Finds a local module that was not loaded yet, without running it."""
        name, *rest = target.split(".")
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            spec = None
        if spec is None:
            return False
        self.add_file(name, spec.origin)
        for part in rest:
            name = name + "." + part
            spec = importlib.machinery.PathFinder.find_spec(name, spec.submodule_search_locations or [])
            if spec is None:  # a name in the module
                break
            self.add_file(name, spec.origin)
        return True

    def add_file(self, name: str, file: str | None) -> None:
        """Takes a module of the user's own along that was found and not loaded."""
        if file and name not in self.local and file.endswith(".py") and os.path.isfile(file):
            known = self.modules.get(name)
            self.modules[name] = known if getattr(known, "__file__", None) else types.SimpleNamespace(__file__=file)
            self.add_local(name)

    # --- which distributions to name

    def roots(self, loaded: set[str]) -> set[str]:
        """What the function imports itself, the frameworks, and of the rest only what nothing of these requires."""
        loaded = {name for name in loaded if find(name)}
        kept = {name for name in self.direct if find(name)} | (loaded & set(FRAMEWORKS))
        covered = self.closure(kept)
        rest = loaded - covered - self.tools()
        while rest:
            free = {name for name in rest if not any(name in self.requires(other) for other in rest - {name})}
            chosen = free or {min(rest)}
            kept |= chosen
            rest -= self.closure(chosen)
        return kept

    def tools(self) -> set[str]:
        """What is here only because cvat-nuclio is: a library that finds it uses it, and does without it elsewhere."""
        return self.closure({"cvat-nuclio"}) - self.closure(set(self.request["runtime_distributions"]))

    def closure(self, names: set[str]) -> set[str]:
        """Distributions and what they require, as far as it is installed."""
        seen: set[str] = set()
        queue = list(names)
        while queue:
            name = queue.pop()
            if name not in seen:
                seen.add(name)
                queue += [item for item in self.requires(name) if find(item)]
        return seen

    def requires(self, name: str) -> set[str]:
        """The names that a distribution requires here, extras left out."""
        from packaging.requirements import InvalidRequirement, Requirement

        found = find(name)
        needed = set()
        for text in (found.requires or []) if found else []:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                continue
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed.add(canonical(requirement.name))
        return needed

    def needs_opencv(self, name: str) -> bool:
        """Whether it brings OpenCV's build for desktops along."""
        windowed = {"opencv-python", "opencv-contrib-python"}
        return name not in windowed and bool(windowed & self.closure({name}))


def imports(file: str, package: str) -> dict[str, bool]:
    """The absolute names that a source file imports, and whether it can do without.

    `from a import b` gives both `a` and `a.b`. What only a type checker imports is left out.
    """
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (SyntaxError, ValueError, OSError):
        return {}
    names: dict[str, bool] = {}
    walk(tree, package, False, names)
    return names


def walk(node: ast.AST, package: str, optional: bool, names: dict[str, bool]) -> None:
    """Collects the imports below a node; what only a type checker imports is left out."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for otherwise in node.orelse:
            walk(otherwise, package, optional, names)
        return
    if isinstance(node, ast.Import | ast.ImportFrom):
        for name in imported(node, package):
            names[name] = names.get(name, True) and optional
    elif isinstance(node, ast.Try) and any(catches_import_error(handler) for handler in node.handlers):
        for part in [*node.body, *node.handlers, *node.orelse, *node.finalbody]:
            walk(part, package, True, names)
    else:
        for child in ast.iter_child_nodes(node):
            walk(child, package, optional, names)


def catches_import_error(handler: ast.ExceptHandler) -> bool:
    """Whether the function can do without what is imported in this `try`."""
    caught = ast.unparse(handler.type) if handler.type else "Exception"
    return any(name in caught for name in ("ImportError", "ModuleNotFoundError", "Exception"))


def imported(node: ast.Import | ast.ImportFrom, package: str) -> list[str]:
    """The absolute names of one import statement."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        parts = package.split(".")[: len(package.split(".")) - node.level + 1] if package else []
        base = ".".join([*parts, *([base] if base else [])])
    return [base, *(base + "." + alias.name for alias in node.names if alias.name != "*")]
