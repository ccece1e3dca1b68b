"""CN7xx: auto-annotation functions in cvat-sdk's protocol."""

import ast
from collections.abc import Iterator

from ..bundle import Function
from ..methods import methods_of
from ..near import near
from ..rule import ERROR, NOTE, WARNING, Fault, rule
from ..source import FunctionNode, at_import, place
from .handler import takes
from .weights import FETCHERS

# What the runtime calls, by the class of the spec, with the number of arguments.
_METHODS = {
    "DetectionFunctionSpec": {"detect": 2},
    "InteractionFunctionSpec": {"detect": 3},
    "TrackingFunctionSpec": {"init_tracking_state": 3, "track": 3},
    "ReIDFunctionSpec": {"embed": 3},
}
_OPTIONAL = {"preprocess_image": 2}
_LABEL_FACTORIES = ("label_spec", "skeleton_label_spec")


def specs(function: Function) -> list[tuple[ast.Call, str]]:
    """The calls that make a function's spec, with the class's name."""
    found = ((call, name.rpartition(".")[2]) for call, name in function.calls)
    return [(call, name) for call, name in found if name in _METHODS]


@rule(
    "CN701", "not-a-function", ERROR,
    source="cvat-cli 2.80: the loader takes the module itself, or what its create(…) returns",
    remedy="define `spec` and the methods, or `create(**parameters)`",
)  # fmt: skip
def not_a_function(function: Function) -> Iterator[Fault]:
    """The file is no AA function: cvat-cli's loader wants `spec`, or `create`, at its top level."""
    if function.error or {"spec", "create", "*", "__getattr__"} & set(function.names):
        return
    close = next((name for name in function.names if near(name, ["spec", "create"])), "")
    said = f" (there is {close!r})" if close else ""
    classes = [node for node in function.tree.body if isinstance(node, ast.ClassDef) and "spec" in ast.unparse(node)]
    remedy = f"add `create = {classes[0].name}` at the end of the file" if len(classes) == 1 else ""
    yield Fault(f"neither `spec` nor `create` in {function.file.name}{said}", (1, 1), remedy=remedy)


@rule(
    "CN702", "missing-method", ERROR,
    source="cvat-sdk 2.80: DetectionFunction, InteractionFunction, TrackingFunction",
    remedy="write the method that the message names",
)  # fmt: skip
def missing_method(function: Function) -> Iterator[Fault]:
    """The function lacks a method of its kind.

    A function that was loaded is asked. One that was only read is taken at its word wherever reading cannot decide.
    """
    methods = methods_of(function) if function.loaded is None else None
    for call, kind in _the_spec(function):
        if function.loaded is not None:
            yield from (Fault(problem, place(call)) for problem in function.loaded if "method" in problem)
        elif methods is not None:
            missing = [method for method in _METHODS[kind] if method not in methods]
            yield from (Fault(f"a {kind} needs the method {method}", place(call)) for method in missing)


@rule(
    "CN706", "method-form", ERROR,
    source="cvat-sdk 2.80: the signatures of DetectionFunction, InteractionFunction, TrackingFunction",
    remedy="write detect(context, image); interactors detect(context, pp_image, prompts); trackers "
    "init_tracking_state(context, pp_image, shape) and track(context, pp_image, state); "
    "ReID embed(context, image, boxes)",
)  # fmt: skip
def method_form(function: Function) -> Iterator[Fault]:
    """A method cannot be called as the runtime calls it, or its answer is never awaited: every request gets 500."""
    if function.loaded is not None:
        for call, _ in _the_spec(function):
            yield from (Fault(problem, place(call)) for problem in function.loaded if "method" not in problem)
        return
    methods = methods_of(function) or {}
    bound = "create" in function.names
    for _, kind in _the_spec(function):
        for name, count in (_METHODS[kind] | _OPTIONAL).items():
            node = methods.get(name)
            if isinstance(node, ast.AsyncFunctionDef):
                yield Fault(f"{name} is `async def`: nobody awaits it", place(node), remedy="write `def`")
            elif isinstance(node, FunctionNode) and not takes(node, count + bound):
                yield Fault(f"{name} cannot be called with {count} arguments", place(node))
        if isinstance(node := methods.get("spec"), FunctionNode):
            remedy = "write `@property` above it, or make it an attribute" if bound else "write `spec = …`"
            yield Fault("spec is a function, and nobody calls it", place(node), remedy=remedy)


def _the_spec(function: Function) -> list[tuple[ast.Call, str]]:
    """The call that makes the spec, where the file has one kind of function only."""
    found = specs(function)
    return found[:1] if len({kind for _, kind in found}) == 1 and {"spec", "create"} & set(function.names) else []


@rule(
    "CN703", "duplicate-label", ERROR,
    source="cvat-sdk 2.80: DetectionFunctionSpec's validator (ids); CVAT: unique names",
    remedy="give each label a name and an id of its own",
)  # fmt: skip
def duplicate_label(function: Function) -> Iterator[Fault]:
    """Two labels share a name or an id: cvat-sdk refuses the spec when the function is loaded."""
    for call, kind in specs(function):
        labels = next((keyword.value for keyword in call.keywords if keyword.arg == "labels"), None)
        items = labels.elts if isinstance(labels, ast.List) and kind == "DetectionFunctionSpec" else []
        seen: set[tuple[str, object]] = set()
        for item in items:
            if isinstance(item, ast.Call) and function.full_name(item.func).rpartition(".")[2] in _LABEL_FACTORIES:
                for what, argument in zip(("name", "id"), item.args, strict=False):
                    if isinstance(argument, ast.Constant):
                        if (what, argument.value) in seen:
                            yield Fault(f"two labels have the {what} {argument.value!r}", place(argument))
                        seen.add((what, argument.value))


@rule(
    "CN704", "frame-name", NOTE,
    source="CVAT sends the image and nothing about the frame", remedy="do without it",
)  # fmt: skip
def frame_name(function: Function) -> Iterator[Fault]:
    """The function reads `context.frame_name`: over Nuclio there is none, only a placeholder."""
    for node in function.nodes:
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "context.frame_name":
            yield Fault("CVAT names no frame", place(node))


@rule(
    "CN705", "network-at-import", WARNING,
    source="Nuclio: all workers import at once, within two minutes; vector start-slow-import-130s",
    remedy="put the file beside the function, or into the image",
)  # fmt: skip
def network_at_import(function: Function) -> Iterator[Fault]:
    """The function uses the network while it is imported: `generate` and every start of a worker do so too."""
    for call in at_import(function.tree):
        name = function.full_name(call.func)
        if name in FETCHERS or name == "requests.post":
            yield Fault(f"{name} runs at import", place(call))


@rule(
    "CN707", "init-context-unused", WARNING,
    source="cvat-cli 2.80 and this runtime call `create` and the methods of the protocol, nothing else",
    remedy="load the model in `create`, in the class's __init__, or at import",
)  # fmt: skip
def init_context_unused(function: Function) -> Iterator[Fault]:
    """The file has Nuclio's `init_context` or `handler`, which nobody calls in an AA function."""
    used = {node.id for node in function.nodes if isinstance(node, ast.Name)}
    for name in ("init_context", "handler"):
        node = function.function(name)
        if node and name not in used and takes(node, 1 if name == "init_context" else 2) and specs(function):
            yield Fault(f"nobody calls {name} in an AA function", place(node))


@rule(
    "CN708", "threshold-none", WARNING,
    source="cvat-sdk 2.80: DetectionFunctionContext.conf_threshold; CVAT leaves out a threshold that nobody gave",
    remedy="write `threshold = 0.5 if context.conf_threshold is None else context.conf_threshold`",
)  # fmt: skip
def threshold_none(function: Function) -> Iterator[Fault]:
    """`context.conf_threshold` is compared or reckoned with as a number, and it is None unless the user gave one."""
    handled = ("conf_threshold is ", "conf_threshold or ", "if context.conf_threshold", "not context.conf_threshold")
    text = ast.unparse(function.tree) if b"conf_threshold" in function.data else ""
    if not text or any(words in text for words in handled):
        return
    for node in function.nodes:
        sides: list[ast.expr] = []
        if isinstance(node, ast.Compare) and all(isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) for op in node.ops):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.BinOp):
            sides = [node.left, node.right]
        for side in sides:
            if ast.unparse(side) == "context.conf_threshold":
                yield Fault("context.conf_threshold is None unless the user gave one", place(side))
