"""CN6xx: the Python handler, read by `ast`."""

import ast
import re
from collections.abc import Iterator

from ..config import Config
from ..finding import Finding
from ..images import base_image
from ..near import near
from ..rule import ERROR, NOTE, WARNING, ConfigRule, PythonRule
from ..source import FunctionNode, PythonFile, at_import, handler_of, module_file, own_nodes, place

_LOGGER = {
    "debug",
    "info",
    "warn",
    "error",
    "debug_with",
    "info_with",
    "warn_with",
    "error_with",
    "bind",
    "set_handler",
}
_LOGGER |= {"set_level", "get_child", "create_handler", "clear_handlers"}
_INSTEAD = {"warning": "warn", "exception": "error", "critical": "error", "fatal": "error", "log": "info"}


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
        for node in ast.walk(module.tree):
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


# What loads a model, by the end of its full name.
_LOADERS = (
    "torch.load", "torch.jit.load", "torch.hub.load", ".from_pretrained", "onnxruntime.InferenceSession",
    "tensorflow.keras.models.load_model", "keras.models.load_model", "tensorflow.saved_model.load", "ultralytics.YOLO",
    "cv2.dnn.readNet", "cv2.dnn.readNetFromONNX", "openvino.Core", "openvino.runtime.Core", "transformers.pipeline",
    "pickle.load", "joblib.load", "mmdet.apis.init_detector",
)  # fmt: skip


class LoadAtImport(PythonRule):
    """A model is loaded when the handler's module is imported.

    The worker must import it within two minutes, whatever the readiness timeout says; `init_context` has no such limit.
    """

    id, name, severity = "CN613", "load-at-import", WARNING
    source = "Nuclio: vector start-slow-import-130s (socketallocator.go: 2 min)"
    remedy = "load it in init_context"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        if module.config is None or module.is_function:
            return
        for call in at_import(module.tree):
            name = module.full_name(call.func)
            if name and any(name == loader or (loader[0] == "." and name.endswith(loader)) for loader in _LOADERS):
                yield self.found(module.file, f"{name} runs at import", place(call))


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


# What fetches something, by full name; the text says what.
FETCHERS = {
    "urllib.request.urlretrieve", "urllib.request.urlopen", "requests.get", "requests.Session", "httpx.get",
    "wget.download", "gdown.download", "torch.hub.load", "torch.hub.load_state_dict_from_url",
    "torch.hub.download_url_to_file", "huggingface_hub.hf_hub_download", "huggingface_hub.snapshot_download",
    "tensorflow_hub.load",
}  # fmt: skip


class DownloadAtStart(PythonRule):
    """The function fetches its weights when it starts, not when its image is built.

    Each worker fetches them, all at once; without network, or when the other side is away, the function does not start,
    and a slow line runs into the readiness timeout.
    """

    id, name, severity = "CN616", "download-at-start", WARNING
    source = "Nuclio: all workers run init_context in parallel; cvat#6424, #10024"
    remedy = "fetch them in a RUN or ADD directive of preCopy, and load the file"

    def check(self, module: PythonFile) -> Iterator[Finding]:
        steps = module.config.build_text if module.config else ""
        # What an AA function does while it is imported is CN705's.
        others = set(at_import(module.tree)) if module.is_function else set()
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call) or node in others or node not in module.started:
                continue
            name = module.full_name(node.func)
            what = _fetched(name, node)
            if what is None or _prepared(what, steps, module) or _may_be_local(name, node):
                continue
            said = f" ({what})" if what else ""
            yield self.found(module.file, f"{name}{said} fetches from the network at run time", place(node))


def _fetched(name: str, call: ast.Call) -> str | None:
    """What a call fetches, "" when it cannot be told, None when it fetches nothing."""
    first = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg), None)
    text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    if name in FETCHERS:
        return text
    if name.endswith(".from_pretrained") and re.fullmatch(r"[\w.-]+(/[\w.-]+)?", text) and not text.startswith("."):
        return text
    for keyword in call.keywords:
        value = keyword.value
        pretrained = keyword.arg == "pretrained" and isinstance(value, ast.Constant) and value.value is True
        default = keyword.arg == "weights" and isinstance(value, ast.Constant) and value.value == "DEFAULT"
        if (pretrained or default) and name.startswith(("torchvision.models.", "timm.")):
            return text
    return None


def _may_be_local(name: str, call: ast.Call) -> bool:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    source = given.get("source")
    if name == "torch.hub.load" and isinstance(source, ast.Constant) and source.value == "local":
        return True
    only = given.get("local_files_only")
    return isinstance(only, ast.Constant) and only.value is True


def _prepared(what: str, steps: str, module: PythonFile) -> bool:
    """Whether the build has fetched it, or says that nothing is fetched later."""
    if "HF_HUB_OFFLINE" in steps or "TRANSFORMERS_OFFLINE" in steps:
        return True
    if what and (what in steps or what.split("/")[-1] in steps):
        return True
    # A step that runs the bundle's own code fills the caches.
    return module.file.name in steps or f"import {module.file.stem}" in steps


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


def _logger_calls(module: PythonFile) -> Iterator[tuple[ast.Call, str]]:
    """Calls of `context.logger.METHOD` and of local names for it, with the method's name."""
    for function in ast.walk(module.tree):
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
