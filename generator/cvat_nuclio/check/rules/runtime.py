"""CN609 to CN615, CN628: what the handler and init_context must not do in Nuclio's worker."""

import ast
import re
from collections.abc import Iterator

from ..bundle import Module
from ..near import near
from ..rule import ERROR, WARNING, Fault, rule
from ..source import FunctionNode, PythonFile, argument, assignments, is_value, own_nodes, place

_LOGGER = {
    "debug", "info", "warn", "error", "debug_with", "info_with", "warn_with", "error_with", "bind",
    "set_handler", "set_level", "get_child", "create_handler", "clear_handlers",
}  # fmt: skip
_LOGS = {f"{level}{with_}" for level in ("debug", "info", "warn", "error") for with_ in ("", "_with")}
_PLACE = re.compile(r"%.")
_INSTEAD = {"warning": "warn", "exception": "error", "critical": "error", "fatal": "error", "log": "info"}
_UNPICKLERS = {
    "pickle.loads", "_pickle.loads", "dill.loads", "cloudpickle.loads", "marshal.loads", "jsonpickle.decode",
    "jsonpickle.loads", "joblib.loads",
}  # fmt: skip
_LOADERS = ("torch.load", "numpy.load", "joblib.load", "pickle.load")


@rule(
    "CN609", "logger-method", ERROR,
    source="Nuclio: vectors log-warning, log-attributes; nuclio_sdk.Logger", remedy="write warn, error or error_with",
)  # fmt: skip
def logger_method(module: Module) -> Iterator[Fault]:
    """A method that Nuclio's logger does not have: AttributeError, often inside an `except`, and the caller gets 500.

    `context.logger` has debug, info, warn, error and the same with `_with`.
    """
    for call, method in _logger_calls(module):
        if method not in _LOGGER:
            instead = _INSTEAD.get(method, near(method, _LOGGER))
            remedy = f"write {instead}" if instead else ""
            yield Fault(f"context.logger has no {method}", place(call), remedy=remedy)


@rule(
    "CN610", "logger-keyword", ERROR,
    source="Nuclio: vector log-error-exc-info; nuclio_sdk.Logger.error(message, *args)",
    remedy="write `error_with(message, error=str(error))`, or `traceback.format_exc()` as an argument",
)  # fmt: skip
def logger_keyword(module: Module) -> Iterator[Fault]:
    """Keywords that Nuclio's logger does not take: `exc_info=True` is a TypeError, and the caller gets 500.

    So is a call without a message.
    """
    for call, method in _logger_calls(module):
        keywords = [keyword.arg for keyword in call.keywords if keyword.arg]
        if method in ("debug", "info", "warn", "error") and keywords:
            yield Fault(f"context.logger.{method} takes no {keywords[0]}=", place(call))
        elif method in _LOGS and not call.args and not call.keywords:
            yield Fault(f"context.logger.{method} without a message", place(call), remedy="write a message")


@rule(
    "CN628", "logger-arguments", WARNING,
    source="Python: logging makes `message % args` of them; nuclio_sdk.Logger.info(message, *args)",
    remedy='write a %s for each: `context.logger.info("took %s s", seconds)`',
)  # fmt: skip
def logger_arguments(module: Module) -> Iterator[Fault]:
    """A message has not as many places as arguments: the line is lost, and a traceback stands in the log instead."""
    for call, method in _logger_calls(module):
        text = module.string(call.args[0]) if call.args else None
        given = call.args[1:]
        if method not in _LOGS or text is None or not given or any(isinstance(one, ast.Starred) for one in given):
            continue
        places = _PLACE.findall(text.replace("%%", ""))
        if len(places) != len(given) and not any(one in ("%(", "%*") for one in places):
            yield Fault(f"{len(given)} arguments for {len(places)} places in the message", place(call))


def _logger_calls(module: Module) -> Iterator[tuple[ast.Call, str]]:
    """Calls of `context.logger.METHOD` and of local names for it, with the method's name."""
    for function in module.nodes:
        if not isinstance(function, FunctionNode):
            continue
        nodes = own_nodes(function)
        aliases = {name for name, value in assignments(nodes) if _is_context_logger(value)}
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                if _is_context_logger(owner) or (isinstance(owner, ast.Name) and owner.id in aliases):
                    yield node, node.func.attr


def _is_context_logger(node: ast.AST | None) -> bool:
    if not isinstance(node, ast.Attribute) or node.attr != "logger":
        return False
    owner = node.value
    return (isinstance(owner, ast.Name) and owner.id == "context") or (
        isinstance(owner, ast.Attribute) and owner.attr in ("context", "_context")
    )


@rule(
    "CN611", "asyncio-run", ERROR,
    source="Nuclio: vector async-asyncio-run", remedy="make the function `async def` and await",
)  # fmt: skip
def asyncio_run(module: Module) -> Iterator[Fault]:
    """`asyncio.run` in the handler or in `init_context`: both run inside a running loop, and it fails there."""
    for _, call, name in _entry_calls(module):
        if name == "asyncio.run" or name.endswith(".run_until_complete"):
            yield Fault(f"{name} fails inside Nuclio's running loop", place(call))


@rule(
    "CN614", "exits", ERROR,
    source="Nuclio: vectors start-init-sys-exit-0-150s, worker-dies-in-request-os-exit-0",
    remedy="raise an exception in init_context, answer with a status in the handler",
)  # fmt: skip
def exits(module: Module) -> Iterator[Fault]:
    """The handler or `init_context` ends the process.

    After `sys.exit(0)` in `init_context` the function is never ready; after `os._exit` in the handler every request on
    that worker gets 500 for ever.
    """
    for function, call, name in _entry_calls(module):
        at_start = function is module.init_context and name in ("sys.exit", "exit", "quit")
        if name == "os._exit" or at_start:
            yield Fault(f"{name} in {function.name}", place(call))


def _entry_calls(module: Module) -> Iterator[tuple[FunctionNode, ast.Call, str]]:
    for function in module.entries:
        for node in own_nodes(function):
            if isinstance(node, ast.Call):
                yield function, node, module.full_name(node.func)


@rule(
    "CN612", "pickle", WARNING,
    source="Python: pickle's warning; CVAT: states pass through the browser; cvat#10306",
    remedy="send plain numbers as JSON, or a token that the function signs",
)  # fmt: skip
def unpickles(module: PythonFile) -> Iterator[Fault]:
    """Bytes or text are unpickled: whoever reaches the function's port can run code in it.

    The port is published without any authentication. A tracker's state comes back from the client: keep it plain data.
    """
    for call, name in module.calls:
        if name in _UNPICKLERS:
            yield Fault(f"{name}: data from a client can run code here", place(call))
        elif name in _LOADERS and _reads_memory(module, call, name):
            yield Fault(f"{name} of bytes: data from a client can run code here", place(call))


def _reads_memory(module: PythonFile, call: ast.Call, name: str) -> bool:
    read = call.args[0] if call.args else None
    if not isinstance(read, ast.Call) or not module.full_name(read.func).endswith("BytesIO"):
        return False
    if name == "numpy.load":
        return is_value(argument(call, "allow_pickle"), True)
    return not (name == "torch.load" and is_value(argument(call, "weights_only"), True))


@rule("CN615", "init-raises", ERROR, source="Nuclio: recordings init-context-raises-*", remedy="remove the `raise`")
def init_raises(module: Module) -> Iterator[Fault]:
    """`init_context` always raises: the processor ends, and the container restarts."""
    for node in module.init_context.body if module.init_context else ():
        if isinstance(node, ast.Raise):
            yield Fault("init_context always raises", place(node))
        if isinstance(node, (ast.Raise, ast.Return)):
            return
