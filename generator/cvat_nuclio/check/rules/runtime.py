"""CN609 to CN617: what the handler and init_context must not do in Nuclio's worker."""

import ast
from collections.abc import Iterator

from ..finding import Finding
from ..near import near
from ..rule import ERROR, WARNING, PythonRule
from ..source import FunctionNode, PythonFile, own_nodes, place

_LOGGER = {
    "debug", "info", "warn", "error", "debug_with", "info_with", "warn_with", "error_with", "bind",
    "set_handler", "set_level", "get_child", "create_handler", "clear_handlers",
}  # fmt: skip
_INSTEAD = {"warning": "warn", "exception": "error", "critical": "error", "fatal": "error", "log": "info"}


class LoggerMethod(PythonRule):
    """A method that Nuclio's logger does not have: AttributeError, often inside an `except`, and the caller gets 500.

    `context.logger` has debug, info, warn, error and the same with `_with`.
    """

    id, name, severity = "CN609", "logger-method", ERROR
    source = "Nuclio: vectors log-warning, log-attributes; nuclio_sdk.Logger"
    remedy = "write warn, error or error_with"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        for call, method in _logger_calls(module):
            if method not in _LOGGER:
                instead = _INSTEAD.get(method, near(method, _LOGGER))
                remedy = f"write {instead}" if instead else ""
                message = f"context.logger has no {method}"
                yield self.found(module.file, message, place(call), remedy=remedy)


class LoggerKeyword(PythonRule):
    """Keywords that Nuclio's logger does not take: `exc_info=True` is a TypeError, and the caller gets 500."""

    id, name, severity = "CN610", "logger-keyword", ERROR
    source = "Nuclio: vector log-error-exc-info; nuclio_sdk.Logger.error(message, *args)"
    remedy = "write `error_with(message, error=str(error))`, or `traceback.format_exc()` as an argument"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        for call, method in _logger_calls(module):
            keywords = [keyword.arg for keyword in call.keywords if keyword.arg]
            if method in ("debug", "info", "warn", "error") and keywords:
                message = f"context.logger.{method} takes no {keywords[0]}="
                yield self.found(module.file, message, place(call))


class AsyncioRun(PythonRule):
    """`asyncio.run` in the handler or in `init_context`: both run inside a running loop, and it fails there."""

    id, name, severity = "CN611", "asyncio-run", ERROR
    source = "Nuclio: vector async-asyncio-run"
    remedy = "make the function `async def` and await"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        for function in (module.handler, module.init_context):
            for node in own_nodes(function) if function else ():
                if isinstance(node, ast.Call):
                    name = module.full_name(node.func)
                    if name == "asyncio.run" or name.endswith(".run_until_complete"):
                        yield self.found(module.file, f"{name} fails inside Nuclio's running loop", place(node))


class Pickle(PythonRule):
    """Bytes or text are unpickled: whoever reaches the function's port can run code in it.

    The port is published without any authentication. A tracker's state comes back from the client: keep it plain data.
    """

    id, name, severity = "CN612", "pickle", WARNING
    source = "Python: pickle's warning; CVAT: states pass through the browser; cvat#10306"
    remedy = "send plain numbers as JSON, or a token that the function signs"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        calls = {
            "pickle.loads",
            "_pickle.loads",
            "dill.loads",
            "cloudpickle.loads",
            "marshal.loads",
            "jsonpickle.decode",
        }
        calls |= {"jsonpickle.loads", "joblib.loads"}
        for node in module.nodes:
            if not isinstance(node, ast.Call):
                continue
            name = module.full_name(node.func)
            if name in calls:
                yield self.found(module.file, f"{name}: data from a client can run code here", place(node))
            elif name in ("torch.load", "numpy.load", "joblib.load", "pickle.load") and _reads_memory(module, node):
                yield self.found(module.file, f"{name} of bytes: data from a client can run code here", place(node))


def _reads_memory(module: PythonFile, call: ast.Call) -> bool:
    argument = call.args[0] if call.args else None
    if not isinstance(argument, ast.Call) or not module.full_name(argument.func).endswith("BytesIO"):
        return False
    name = module.full_name(call.func)
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if name == "numpy.load":
        allowed = given.get("allow_pickle")
        return isinstance(allowed, ast.Constant) and allowed.value is True
    only = given.get("weights_only")
    return not (name == "torch.load" and isinstance(only, ast.Constant) and only.value is True)


class Exits(PythonRule):
    """The handler or `init_context` ends the process.

    After `sys.exit(0)` in `init_context` the function is never ready; after `os._exit` in the handler every request on
    that worker gets 500 for ever.
    """

    id, name, severity = "CN614", "exits", ERROR
    source = "Nuclio: vectors start-init-sys-exit-0-150s, worker-dies-in-request-os-exit-0"
    remedy = "raise an exception in init_context, answer with a status in the handler"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        for function in (module.handler, module.init_context):
            for node in own_nodes(function) if function else ():
                if isinstance(node, ast.Call):
                    name = module.full_name(node.func)
                    inside = function is module.init_context and name in ("sys.exit", "exit", "quit")
                    if name == "os._exit" or inside:
                        yield self.found(module.file, f"{name} in {function.name if function else ''}", place(node))


class InitRaises(PythonRule):
    """`init_context` always raises: the processor ends, and the container restarts."""

    id, name, severity = "CN615", "init-raises", ERROR
    source = "Nuclio: recordings init-context-raises-*"
    remedy = "remove the `raise`"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        for node in module.init_context.body if module.init_context else ():
            if isinstance(node, ast.Raise):
                yield self.found(module.file, "init_context always raises", place(node))
            if isinstance(node, (ast.Raise, ast.Return)):
                return


def _logger_calls(module: PythonFile) -> Iterator[tuple[ast.Call, str]]:
    """Calls of `context.logger.METHOD` and of local names for it, with the method's name."""
    for function in module.nodes:
        if not isinstance(function, FunctionNode):
            continue
        aliases = {
            target.id
            for node in own_nodes(function)
            if isinstance(node, ast.Assign) and _is_context_logger(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in own_nodes(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                if _is_context_logger(owner) or (isinstance(owner, ast.Name) and owner.id in aliases):
                    yield node, node.func.attr


def _is_context_logger(node: ast.AST) -> bool:
    if not isinstance(node, ast.Attribute) or node.attr != "logger":
        return False
    owner = node.value
    return (isinstance(owner, ast.Name) and owner.id == "context") or (
        isinstance(owner, ast.Attribute) and owner.attr in ("context", "_context")
    )
