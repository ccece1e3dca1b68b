"""CN6xx: the Python handler, read by `ast`."""

import ast
import re
from collections.abc import Iterator

from ..config import Config
from ..finding import Finding
from ..images import base_image
from ..near import near
from ..rule import ERROR, NOTE, ConfigRule, PythonRule
from ..source import FunctionNode, PythonFile, handler_of, module_file, own_nodes, place


class Syntax(PythonRule):
    """The file is no Python 3: the worker dies when it imports it."""

    id, name, severity = "CN601", "syntax", ERROR
    source = "Nuclio: recording syntax-error"
    remedy = "mend it"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        if module.error:
            where = (module.error.lineno or 1, max(1, module.error.offset or 1))
            yield self.found(module.file, module.error.msg, where)


class HandlerModule(ConfigRule):
    """The handler's module is not in the bundle: the worker dies at its start.

    A `.py` at the end of the module's name is read as a package.
    """

    id, name, severity = "CN602", "handler-module", ERROR
    source = "Nuclio: vectors handler-missing-module, handler-py-suffix; recording handler-no-such-module"
    remedy = "write `handler: main:handler` for the function handler in main.py"

    def check(self, config: Config) -> Iterator[Finding]:
        module, _ = handler_of(config)
        if not module or not _is_python(config) or module_file(config.folder, module):
            return
        if not re.fullmatch(r"[\w|-]+(\.[\w|-]+)*", module) or _code_comes_from_elsewhere(config, module):
            return
        files = [file.stem for file in config.folder.glob("*.py")]
        if not files and config.build.get("baseImage") and base_image(config.build["baseImage"]).family is None:
            # An image of one's own may hold the code.
            return
        close = near(module.removesuffix(".py"), files)
        function = handler_of(config)[1]
        remedy = f"write `handler: {close}:{function}`" if close else ""
        place = config.value("spec", "handler")
        length = len(str(config.spec["handler"]))
        yield self.found(
            config.file, f"no module {module} in {config.folder.name}/", place, length=length, remedy=remedy
        )


class HandlerFunction(ConfigRule):
    """The handler's module has no such function: the worker dies at its start."""

    id, name, severity = "CN603", "handler-function", ERROR
    source = "Nuclio: vectors handler-missing-func, handler-package; recording handler-no-such-function"
    remedy = "write the name of a function in that module"

    def check(self, config: Config) -> Iterator[Finding]:
        name, function = handler_of(config)
        module = config.modules.get(name)
        if module is None or module.error or not function or not _is_python(config):
            return
        if function in module.names or "*" in module.names or not re.fullmatch(r"\w+", function):
            return
        close = near(function, module.names)
        said = f"; did you mean {close}?" if close else ""
        place = config.value("spec", "handler")
        message = f"{module.file.name} has no function {function}{said}"
        remedy = f"write `handler: {name}:{close}`" if close else ""
        yield self.found(config.file, message, place, length=len(str(config.spec["handler"])), remedy=remedy)


def _is_python(config: Config) -> bool:
    return str(config.spec.get("runtime", "python")).split(":")[0] == "python"


def _code_comes_from_elsewhere(config: Config, module: str) -> bool:
    build = config.build
    given = any(build.get(key) for key in ("functionSourceCode", "path", "codeEntryType", "addedPaths"))
    return given or not config.builds or module.replace(".", "/") + ".py" in config.build_text


class Arity(PythonRule):
    """`handler` takes (context, event), `init_context` takes (context): Nuclio calls them so."""

    id, name, severity = "CN604", "arity", ERROR
    source = "Nuclio: vectors start-wrong-arity, handler-class"
    remedy = "write `def handler(context, event)` and `def init_context(context)`"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        for function, wanted in ((module.handler, 2), (module.init_context, 1)):
            if function and not _takes(function, wanted):
                message = f"{function.name} cannot be called with {wanted} argument{'s' if wanted > 1 else ''}"
                yield self.found(module.file, message, place(function))
        if module.config and module.handler is None:
            named = module.names.get(handler_of(module.config)[1])
            own = module.config.modules.get(handler_of(module.config)[0]) is module
            if own and isinstance(named, ast.ClassDef) and not _class_takes_two(named):
                message = f"{named.name} is a class: Nuclio makes an object of it for each request"
                yield self.found(module.file, message, place(named))


def _takes(function: FunctionNode, count: int) -> bool:
    arguments = function.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    least = positional - len(arguments.defaults)
    required = any(default is None for default in arguments.kw_defaults)
    return least <= count and (count <= positional or arguments.vararg is not None) and not required


def _class_takes_two(node: ast.ClassDef) -> bool:
    init = next((item for item in node.body if isinstance(item, FunctionNode) and item.name == "__init__"), None)
    return bool(node.bases) or (init is not None and _takes(init, 3))


class ReturnsList(PythonRule):
    """The handler returns a bare list.

    Nuclio 1.14 and later take it for a batch: the caller gets the first element only, and an empty list costs the
    worker for ever. From 1.13.3 on it is a 500.
    """

    id, name, severity = "CN605", "returns-list", ERROR
    source = "Nuclio: vectors list, list-one-str, list-empty (1.14.1), empty-list-1workers"
    remedy = 'return context.Response(body=json.dumps(result), content_type="application/json")'

    def check(self, module: PythonFile) -> Iterator[Finding]:
        if module.handler:
            lists = _list_names(module.handler)
            for node in own_nodes(module.handler):
                if isinstance(node, ast.Return) and node.value is not None and _is_list(node.value, lists):
                    yield self.found(module.file, "the handler returns a list", place(node))


class ResponseBody(PythonRule):
    """A Response whose body is a list, tuple, number or None: the caller gets Python's repr, not JSON."""

    id, name, severity = "CN606", "response-body", ERROR
    source = "Nuclio: vectors R-list-json, R-none, R-bool"
    remedy = "write `body=json.dumps(…)`"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        if not module.handler:
            return
        lists = _list_names(module.handler)
        for call in _responses(module.handler):
            body = _argument(call, "body", 1)
            if body is not None and (_is_list(body, lists) or isinstance(body, ast.Tuple)):
                yield self.found(module.file, "the body is a list: CVAT gets Python's repr of it", place(body))
            elif isinstance(body, ast.Constant) and not isinstance(body.value, (str, bytes)):
                message = f"the body is {body.value!r}: CVAT gets the text, no JSON"
                yield self.found(module.file, message, place(body))


class ResponseStatus(PythonRule):
    """A Response with a status that is no int: Nuclio answers 500 instead."""

    id, name, severity = "CN607", "response-status", ERROR
    source = "Nuclio: vectors R-status-str-200, R-status-True"
    remedy = "write a plain int"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        for call in _responses(module.handler) if module.handler else ():
            status = _argument(call, "status_code", 3)
            if isinstance(status, ast.Constant) and status.value is not None and type(status.value) is not int:
                yield self.found(module.file, f"status_code={status.value!r} makes Nuclio answer 500", place(status))


class Generator(PythonRule):
    """The handler is a generator: Nuclio before 1.15 answers 500."""

    id, name, severity = "CN608", "generator", ERROR
    source = "Nuclio: vectors generator, async-gen"
    remedy = "return the whole answer: CVAT reads one JSON body"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        if module.handler:
            for node in own_nodes(module.handler):
                if isinstance(node, (ast.Yield, ast.YieldFrom)):
                    yield self.found(module.file, "the handler yields", place(node))
                    return


class TracebackToCaller(PythonRule):
    """The traceback goes to the caller: paths and versions for whoever reaches the port. CVAT shows none of it."""

    id, name, severity = "CN617", "traceback-to-caller", NOTE
    source = "CVAT discards the body of an error"
    remedy = "log it, and answer with a short text"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        for call in _responses(module.handler) if module.handler else ():
            body = _argument(call, "body", 1)
            for node in ast.walk(body) if body is not None else ():
                if isinstance(node, ast.Call) and module.full_name(node.func) == "traceback.format_exc":
                    yield self.found(module.file, "the caller gets the traceback", place(node))


def _responses(function: FunctionNode) -> Iterator[ast.Call]:
    for node in own_nodes(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "Response":
            yield node


def _argument(call: ast.Call, name: str, position: int) -> ast.expr | None:
    """`nuclio_sdk.Response(headers=None, body=None, content_type=None, status_code=200)`."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[position] if len(call.args) > position else None


def _list_names(function: FunctionNode) -> set[str]:
    """Local names that are only ever lists."""
    lists: set[str] = set()
    others: set[str] = set()
    for node in own_nodes(function):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        for target in targets:
            if isinstance(target, ast.Name):
                (lists if _is_list(value, set()) else others).add(target.id)
    return lists - others


def _is_list(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, (ast.List, ast.ListComp)) or (isinstance(node, ast.Name) and node.id in names)
