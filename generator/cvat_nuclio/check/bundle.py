"""What the rules look at: a bundle, the image that nuctl builds of it, its Python modules, an AA function."""

import ast
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..nuclio.function_yaml import Directive, FunctionYaml
from ..nuclio.model import Place
from .image_names import BaseImage, base_image
from .pip import PipInstall, Requirement, installs, listed
from .reach import start_calls
from .source import RUNTIME, FunctionNode, PythonFile, module_file
from .spec_text import Labels
from .versions import Settings


class Bundle(FunctionYaml):
    """One configuration file and the folder that nuctl would send with it.

    `named` means that the user named this very bundle.
    """

    def __init__(self, file: Path, settings: Settings, *, named: bool = True) -> None:
        super().__init__(file, nuclio=settings.nuclio)
        self.settings = settings
        self.named = named

    @property
    def for_gpu(self) -> bool:
        """Whether the file asks for a GPU, by its limits or by its name."""
        return self.is_gpu or "gpu" in re.split(r"[-_.]", self.file.stem.lower())

    @property
    def is_python(self) -> bool:
        """Whether the handler is Python, as far as the file says."""
        return self.runtime[0] in ("python", "")

    @functools.cached_property
    def for_cvat(self) -> bool:
        """Whether CVAT is to call the function: the user named it, or it speaks of CVAT's annotations or images.

        Trees hold Nuclio functions of other kinds, too.
        """
        if self.named or any(key in self.annotations for key in ("type", "spec", "framework", "min_pos_points")):
            return True
        return any(re.search(rb"[\"']image[\"']", module.data) for module in self.modules.values())

    @functools.cached_property
    def steps(self) -> str:
        """All values of the build's directives, one a line."""
        return "\n".join(step.value for step in self.directives)

    @functools.cached_property
    def image(self) -> BaseImage:
        """What the base image's name tells."""
        return base_image(str(self.build.get("baseImage", "")))

    @functools.cached_property
    def marked_labels(self) -> Labels:
        """The annotation `spec` with its places."""
        return Labels(self, self.settings.cvat)

    @functools.cached_property
    def modules(self) -> "dict[str, Module]":
        """The handler's module and every module of the folder that it imports, directly or not, by name."""
        found: dict[str, Module] = {}
        queue = [self.handler[0]] if self.config else []
        while queue:
            name = queue.pop()
            if not name or name in found or name.split(".")[0] == RUNTIME:
                continue
            if file := module_file(self.folder, name):
                found[name] = Module(file, self)
                queue += found[name].imported
        return found

    @functools.cached_property
    def started(self) -> set[ast.Call]:
        """The calls in the bundle's modules that run when the function starts."""
        roots = [(module, module.init_context) for module in self.modules.values() if module.init_context]
        return start_calls(self.modules, roots)


class Generated:
    """A bundle that `generate` made: `file` is what it left beside it."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.file = bundle.folder.parent / "cvat-nuclio.yaml"


class Build:
    """The image that nuctl builds of a Python function: its base image and the steps."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.file = bundle.file
        self.directives = bundle.directives
        self.steps = bundle.steps
        self.image = bundle.image
        self.place = bundle.places.value("spec", "build", "baseImage")

    def at(self, step: Directive) -> Place:
        """Where a step's value stands."""
        return self.bundle.places.value(*step.path)

    @functools.cached_property
    def installs(self) -> list[PipInstall]:
        """Every `pip install` of the steps, in their order."""
        return list(installs(self.directives))

    def asked(self, install: PipInstall) -> list[Requirement]:
        """All that one of them is to install, what its files list included."""
        return [*install.requirements, *listed(self.listed_in(install))]

    @functools.cached_property
    def wanted(self) -> list[tuple[PipInstall, Requirement]]:
        """Everything that pip is to install, each with its `pip install`."""
        return [(install, one) for install in self.installs for one in self.asked(install)]

    def listed_in(self, install: PipInstall) -> str:
        """The text of the bundle's files that one of them is given with `-r`."""
        return "\n".join(self.lists.get(file.rpartition("/")[2], "") for file in install.files)

    @functools.cached_property
    def lists(self) -> dict[str, str]:
        """The bundle's files of requirements, by name."""
        files = sorted(self.bundle.folder.glob("*requirements*.txt"))
        return {file.name: file.read_text("utf-8", "replace") for file in files if file.is_file()}


class Module(PythonFile):
    """A Python file of a bundle."""

    def __init__(self, file: Path, bundle: Bundle) -> None:
        super().__init__(file)
        self.bundle = bundle

    @functools.cached_property
    def is_handlers(self) -> bool:
        """Whether this is the module that `spec.handler` names."""
        return self.bundle.modules.get(self.bundle.handler[0]) is self

    @functools.cached_property
    def handler(self) -> FunctionNode | None:
        """The handler, when it is in this file."""
        return self.function(self.bundle.handler[1]) if self.is_handlers else None

    @property
    def init_context(self) -> FunctionNode | None:
        """`init_context` beside the handler: Nuclio takes it from the module where the handler is defined."""
        return self.function("init_context") if self.handler else None

    @property
    def entries(self) -> Iterator[FunctionNode]:
        """What Nuclio calls: the handler and `init_context`."""
        return (function for function in (self.handler, self.init_context) if function)

    @property
    def started(self) -> set[ast.Call]:
        """The calls, here and in the bundle's other modules, that run when the function starts."""
        return self.bundle.started


class Function(PythonFile):
    """An AA function's file. `modules` are those of its folder that it imports, by name.

    `faults` are the methods that the loaded function cannot be called by, each with what is wrong, in words; None where
    it was only read. `parameters` are what a bundle gives to `create`.
    """

    def __init__(self, file: Path, parameters: Mapping[str, object] | None = None) -> None:
        super().__init__(file)
        self.parameters = parameters or {}
        self.modules: dict[str, PythonFile] = {}
        self.faults: Sequence[tuple[str, str]] | None = None

    @functools.cached_property
    def started(self) -> set[ast.Call]:
        """The calls that run when the function is imported and created."""
        create = self.function("create")
        return start_calls({self.file.stem: self, **self.modules}, [(self, create)] if create else [])
