"""CN601 to CN608 and CN617: the Python handler and what it answers, read by `ast`."""

import ast
import re
from collections.abc import Iterator

from ..bundle import Bundle, Module
from ..near import did_you_mean, near
from ..rule import ERROR, NOTE, Fault, rule
from ..source import FunctionNode, PythonFile, argument, assignments, module_file, own_nodes, place


@rule("CN601", "syntax", ERROR, source="Nuclio: recording syntax-error", remedy="mend it")
def syntax(module: PythonFile) -> Iterator[Fault]:
    """The file is no Python 3: the worker dies when it imports it."""
    if module.error:
        yield Fault(module.error.msg, (module.error.lineno or 1, max(1, module.error.offset or 1)))


@rule(
    "CN602", "handler-module", ERROR,
    source="Nuclio: vectors handler-missing-module, handler-py-suffix; recording handler-no-such-module",
    remedy="write `handler: main:handler` for the function handler in main.py",
)  # fmt: skip
def handler_module(bundle: Bundle) -> Iterator[Fault]:
    """The handler's module is not in the bundle: the worker dies at its start.

    A `.py` at the end of the module's name is read as a package.
    """
    module, function = bundle.handler
    if not re.fullmatch(r"[\w|-]+(\.[\w|-]+)*", module) or not bundle.is_python or module_file(bundle.folder, module):
        return
    files = [file.stem for file in bundle.folder.glob("*.py")]
    if _code_comes_from_elsewhere(bundle, module) or (not files and bundle.image.is_own):
        return
    # A template, or another bundle's configuration kept apart: no Python beside it, and no bundle's name.
    if not files and not bundle.named and not bundle.file.stem.startswith("function"):
        return
    close = near(module.removesuffix(".py"), files)
    remedy = f"write `handler: {close}:{function}`" if close else ""
    yield _at_handler(bundle, f"no module {module} in {bundle.folder.name}/", remedy)


@rule(
    "CN603", "handler-function", ERROR,
    source="Nuclio: vectors handler-missing-func, handler-package; recording handler-no-such-function",
    remedy="write the name of a function in that module",
)  # fmt: skip
def handler_function(bundle: Bundle) -> Iterator[Fault]:
    """The handler's module has no such function: the worker dies at its start."""
    name, function = bundle.handler
    module = bundle.modules.get(name)
    if module is None or module.error or not re.fullmatch(r"\w+", function) or not bundle.is_python:
        return
    if function not in module.names and "*" not in module.names:
        close = near(function, module.names)
        remedy = f"write `handler: {name}:{close}`" if close else ""
        yield _at_handler(bundle, f"{module.file.name} has no function {function}{did_you_mean(close)}", remedy)


def _at_handler(bundle: Bundle, message: str, remedy: str) -> Fault:
    return Fault(message, bundle.places.value("spec", "handler"), len(str(bundle.spec["handler"])), remedy=remedy)


def _code_comes_from_elsewhere(bundle: Bundle, module: str) -> bool:
    given = any(bundle.build.get(key) for key in ("functionSourceCode", "path", "codeEntryType", "addedPaths"))
    file = module.replace(".", "/") + ".py"
    return given or not bundle.builds or any(file in step.value for step in bundle.directives)


@rule(
    "CN604", "arity", ERROR,
    source="Nuclio: vectors start-wrong-arity, handler-class",
    remedy="write `def handler(context, event)` and `def init_context(context)`",
)  # fmt: skip
def arity(module: Module) -> Iterator[Fault]:
    """`handler` takes (context, event), `init_context` takes (context): Nuclio calls them so."""
    for function, wanted in ((module.handler, 2), (module.init_context, 1)):
        if function and not takes(function, wanted):
            message = f"{function.name} cannot be called with {wanted} argument{'s' if wanted > 1 else ''}"
            yield Fault(message, place(function))
    named = module.names.get(module.bundle.handler[1]) if module.is_handlers else None
    if isinstance(named, ast.ClassDef) and not _class_takes_two(named):
        yield Fault(f"{named.name} is a class: Nuclio makes an object of it for each request", place(named))


def takes(function: FunctionNode, count: int) -> bool:
    """Whether a function can be called with so many positional arguments."""
    arguments = function.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    least = positional - len(arguments.defaults)
    required = any(default is None for default in arguments.kw_defaults)
    return least <= count and (count <= positional or arguments.vararg is not None) and not required


def _class_takes_two(node: ast.ClassDef) -> bool:
    init = next((item for item in node.body if isinstance(item, FunctionNode) and item.name == "__init__"), None)
    return bool(node.bases) or (init is not None and takes(init, 3))


@rule(
    "CN605", "returns-list", ERROR,
    source="Nuclio: vectors list, list-one-str, list-empty (1.14.1), empty-list-1workers",
    remedy='return context.Response(body=json.dumps(result), content_type="application/json")',
)  # fmt: skip
def returns_list(module: Module) -> Iterator[Fault]:
    """The handler returns a bare list.

    Nuclio 1.14 and later take it for a batch: the caller gets the first element only, and an empty list costs the
    worker for ever. From 1.13.3 on it is a 500.
    """
    for node in own_nodes(module.handler):
        if isinstance(node, ast.Return) and is_list(node.value, module.handler):
            yield Fault("the handler returns a list", place(node))


@rule(
    "CN606", "response-body", ERROR,
    source="Nuclio: vectors R-list-json, R-none, R-bool", remedy="write `body=json.dumps(…)`",
)  # fmt: skip
def response_body(module: Module) -> Iterator[Fault]:
    """A Response whose body is a list, tuple, number or None: the caller gets Python's repr, not JSON."""
    for call in responses(module.handler):
        body = body_of(call)
        if body is not None and (is_list(body, module.handler) or isinstance(body, ast.Tuple)):
            yield Fault("the body is a list: CVAT gets Python's repr of it", place(body))
        elif isinstance(body, ast.Constant) and not isinstance(body.value, (str, bytes)):
            yield Fault(f"the body is {body.value!r}: CVAT gets the text, no JSON", place(body))


@rule(
    "CN607", "response-status", ERROR,
    source="Nuclio: vectors R-status-str-200, R-status-True", remedy="write a plain int",
)  # fmt: skip
def response_status(module: Module) -> Iterator[Fault]:
    """A Response with a status that is no int: Nuclio answers 500 instead."""
    for call in responses(module.handler):
        status = argument(call, "status_code", 3)
        if isinstance(status, ast.Constant) and status.value is not None and type(status.value) is not int:
            yield Fault(f"status_code={status.value!r} makes Nuclio answer 500", place(status))


@rule(
    "CN608", "generator", ERROR,
    source="Nuclio: vectors generator, async-gen", remedy="return the whole answer: CVAT reads one JSON body",
)  # fmt: skip
def generator(module: Module) -> Iterator[Fault]:
    """The handler is a generator: Nuclio before 1.15 answers 500."""
    yields = [node for node in own_nodes(module.handler) if isinstance(node, (ast.Yield, ast.YieldFrom))]
    for node in yields[:1]:
        yield Fault("the handler yields", place(node))


@rule(
    "CN617", "traceback-to-caller", NOTE,
    source="CVAT discards the body of an error", remedy="log it, and answer with a short text",
)  # fmt: skip
def traceback_to_caller(module: Module) -> Iterator[Fault]:
    """The traceback goes to the caller: paths and versions for whoever reaches the port. CVAT shows none of it."""
    for call in responses(module.handler):
        body = body_of(call)
        for node in ast.walk(body) if body is not None else ():
            if isinstance(node, ast.Call) and module.full_name(node.func) == "traceback.format_exc":
                yield Fault("the caller gets the traceback", place(node))


def responses(function: FunctionNode | None) -> Iterator[ast.Call]:
    """The calls that make a `context.Response` or a `nuclio_sdk.Response`."""
    for node in own_nodes(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "Response":
            yield node


def body_of(response: ast.Call) -> ast.expr | None:
    """`nuclio_sdk.Response(headers=None, body=None, content_type=None, status_code=200)`."""
    return argument(response, "body", 1)


def is_list(node: ast.expr | None, function: FunctionNode | None) -> bool:
    """Whether an expression is certainly a list: one of them, or a name that the function gives lists alone."""
    if isinstance(node, ast.Name):
        values = [value for name, value in assignments(own_nodes(function)) if name == node.id]
        return bool(values) and all(is_list(value, None) for value in values)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("list", "sorted")
    return isinstance(node, (ast.List, ast.ListComp))
