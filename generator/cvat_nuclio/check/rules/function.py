"""CN7xx: auto-annotation functions in cvat-sdk's protocol, read by `ast`."""

import ast
from collections.abc import Iterator

from ..finding import Finding
from ..near import near
from ..rule import ERROR, NOTE, WARNING, PythonRule
from ..source import FunctionNode, PythonFile, at_import, place
from .weights import FETCHERS

_METHODS = {
    "DetectionFunctionSpec": ("detect",),
    "InteractionFunctionSpec": ("detect",),
    "TrackingFunctionSpec": ("init_tracking_state", "track"),
    "ReIDFunctionSpec": ("embed",),
}
_LABEL_FACTORIES = ("label_spec", "skeleton_label_spec")


class FunctionRule(PythonRule):
    """A rule about a file that is an AA function."""

    def check(self, module: PythonFile) -> Iterator[Finding]:
        if module.is_function and module.error is None:
            yield from self.look(module)

    def look(self, module: PythonFile) -> Iterator[Finding]:
        """Yields what is wrong."""
        raise NotImplementedError


def specs(module: PythonFile) -> list[tuple[ast.Call, str]]:
    """The calls that make a function's spec, with the class's name."""
    found = []
    for node in module.nodes:
        if isinstance(node, ast.Call):
            name = module.full_name(node.func).rpartition(".")[2]
            if name in _METHODS:
                found.append((node, name))
    return found


class NotAFunction(FunctionRule):
    """The file is no AA function: cvat-cli's loader wants `spec`, or `create`, at its top level."""

    id, name, severity = "CN701", "not-a-function", ERROR
    source = "cvat-cli 2.80: the loader takes the module itself, or what its create(…) returns"
    remedy = "define `spec` and the methods, or `create(**parameters)`"

    def look(self, module: PythonFile) -> Iterator[Finding]:
        if not {"spec", "create", "*"} & set(module.names):
            close = next((name for name in module.names if near(name, ["spec", "create"])), "")
            said = f" (there is {close!r})" if close else ""
            yield self.found(module.file, f"neither `spec` nor `create` in {module.file.name}{said}", (1, 1))


class MissingMethod(FunctionRule):
    """The function lacks a method of its kind."""

    id, name, severity = "CN702", "missing-method", ERROR
    source = "cvat-sdk 2.80: DetectionFunction, InteractionFunction, TrackingFunction"
    remedy = "write the method that the message names"

    def look(self, module: PythonFile) -> Iterator[Finding]:
        found = specs(module)
        if not found or not {"spec", "create"} & set(module.names):
            return
        # A base class from another file may have them.
        classes = [node for node in module.nodes if isinstance(node, ast.ClassDef)]
        foreign = any(
            not (isinstance(base, ast.Name) and (base.id in module.names and base.id not in module.imports))
            for node in classes
            for base in node.bases
            if not module.full_name(base).startswith(("typing.", "abc.", "Protocol", "object"))
        )
        defined = {node.name for node in module.nodes if isinstance(node, FunctionNode)} | set(module.names)
        defined |= {
            target.id
            for node in classes
            for item in node.body
            if isinstance(item, ast.Assign)
            for target in item.targets
            if isinstance(target, ast.Name)
        }
        delegates = any(isinstance(n, FunctionNode) and n.name == "__getattr__" for n in module.nodes)
        if foreign or delegates or "*" in module.names:
            return
        for call, kind in found:
            for method in _METHODS[kind]:
                if method not in defined:
                    yield self.found(module.file, f"a {kind} needs the method {method}", place(call))


class DuplicateLabel(FunctionRule):
    """Two labels share a name or an id: cvat-sdk refuses the spec when the function is loaded."""

    id, name, severity = "CN703", "duplicate-label", ERROR
    source = "cvat-sdk 2.80: DetectionFunctionSpec's validator (ids); CVAT: unique names"
    remedy = "give each label a name and an id of its own"

    def look(self, module: PythonFile) -> Iterator[Finding]:
        for call, kind in specs(module):
            if kind != "DetectionFunctionSpec":
                continue
            labels = next((keyword.value for keyword in call.keywords if keyword.arg == "labels"), None)
            names: dict[object, str] = {}
            for item in labels.elts if isinstance(labels, ast.List) else ():
                if not isinstance(item, ast.Call):
                    continue
                factory = module.full_name(item.func).rpartition(".")[2]
                if factory not in _LABEL_FACTORIES:
                    continue
                for what, argument in zip(("name", "id"), item.args, strict=False):
                    if isinstance(argument, ast.Constant):
                        key = (what, argument.value)
                        if key in names:
                            message = f"two labels have the {what} {argument.value!r}"
                            yield self.found(module.file, message, place(argument))
                        names[key] = what


class FrameName(FunctionRule):
    """The function reads `context.frame_name`: over Nuclio there is none, only a placeholder."""

    id, name, severity = "CN704", "frame-name", NOTE
    source = "CVAT sends the image and nothing about the frame"
    remedy = "do without it"

    def look(self, module: PythonFile) -> Iterator[Finding]:
        for node in module.nodes:
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "context.frame_name":
                yield self.found(module.file, "CVAT names no frame", place(node))


class NetworkAtImport(FunctionRule):
    """The function uses the network while it is imported: `generate` and every start of a worker do so too."""

    id, name, severity = "CN705", "network-at-import", WARNING
    source = "Nuclio: all workers import at once, within two minutes; vector start-slow-import-130s"
    remedy = "put the file beside the function, or into the image"

    def look(self, module: PythonFile) -> Iterator[Finding]:
        for call in at_import(module.tree):
            name = module.full_name(call.func)
            if name in FETCHERS or name == "requests.post":
                yield self.found(module.file, f"{name} runs at import", place(call))
