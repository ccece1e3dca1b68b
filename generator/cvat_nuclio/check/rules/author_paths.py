"""CN621, CN622 and CN637: files that are on the author's machine and not in the image."""

import ast
import re
from collections.abc import Iterator

from ..bundle import Bundle, Function, Module
from ..rule import ERROR, NOTE, WARNING, Fault, rule
from ..source import PythonFile, place
from .weights import fetches

_HOME = re.compile(
    r"/home/[^/\s]+/\S|/Users/[^/\s]+/\S|/mnt/[a-z]/\S|[A-Za-z]:[\\/]+\w|"
    # `~` has other uses; the weights in it are the author's.
    r"~[\\/]\S+\.(pt|pth|onnx|engine|trt|bin|xml|h5|keras|pb|tflite|safetensors|ckpt|weights|pkl|joblib)$"
)
_FILE = re.compile(
    r"(?:\./)?[\w-][\w./-]*\.(pt|pth|onnx|engine|bin|xml|h5|keras|pb|tflite|safetensors|ckpt|weights|pkl|txt|json|yaml|yml|names|npy|npz|caffemodel|prototxt|cfg)"
)
_OPENERS = re.compile(
    r"open|ultralytics\.\w+|onnxruntime\.InferenceSession|torch\.(jit\.)?load|cv2\.dnn\.read\w+|numpy\.load|joblib\.load|"
    r"tensorflow\.(keras\.models\.load_model|lite\.Interpreter)|keras\.(models\.)?load_model|safetensors\.torch\.load_file"
)
_IN_BUNDLE = re.compile(r"/opt/nuclio/([\w./-]+\.\w+)")


@rule(
    "CN621", "host-path", WARNING,
    source="Docker: the container sees the image and its volumes; cvat#6222, #4909",
    remedy="put the file into the bundle's folder, which is /opt/nuclio in the image, or mount it: spec.volumes",
)  # fmt: skip
def host_path(module: PythonFile) -> Iterator[Fault]:
    """A path of the author's own machine: a home folder, a drive of Windows. The image has no such file."""
    bundle = module.bundle if isinstance(module, Module) else None
    if not isinstance(module, (Module, Function)) or (bundle and not bundle.builds):
        return
    for node, text in _strings(module):
        if _HOME.match(text) and not (bundle and _is_provided(bundle, text)):
            remedy = "put the file beside the function, and give its path from there" if bundle is None else ""
            yield Fault(f"{text} is a path of the author's machine", place(node), len(text) + 2, remedy=remedy)


@rule(
    "CN622", "missing-file", NOTE, cvat=True,
    source="Nuclio: /opt/nuclio holds the bundle's folder, and what the steps of the build put there",
    remedy="put it into the bundle's folder before the deploy, or fetch it in preCopy",
)  # fmt: skip
def missing_file(module: Module) -> Iterator[Fault]:
    """The handler opens a file in /opt/nuclio that is neither in the bundle nor in a step of its build."""
    bundle = module.bundle
    opened = [(call.args[0], f"/opt/nuclio/{text}") for call, text in _opened(module)]
    for node, text in [*_strings(module), *opened] if bundle.image.is_plain and bundle.builds else ():
        match = _IN_BUNDLE.fullmatch(text)
        used = match and not (bundle.folder / match[1]).exists() and not _is_provided(bundle, text)
        if used and match and match[1].rpartition("/")[2] not in _said(bundle):
            yield Fault(f"{match[1]} is not in {bundle.folder.name}/", place(node), len(text) + 2)


@rule(
    "CN637", "relative-path", ERROR, cvat=True,
    source="Nuclio: the worker's folder is the image's WORKDIR, which is / in the official images; the bundle is in "
    "/opt/nuclio",
    remedy="add `kind: WORKDIR`, `value: /opt/nuclio` to preCopy, or write the whole path: /opt/nuclio/NAME",
)  # fmt: skip
def relative_path(module: Module) -> Iterator[Fault]:
    """A file beside the handler is opened by its name alone; the worker does not run in that folder.

    No step sets WORKDIR, so the name is looked for in `/`: FileNotFoundError, or a network that is fetched anew.
    """
    bundle = module.bundle
    plain = bundle.image.is_plain and bundle.builds
    moves = any(step.kind == "WORKDIR" for step in bundle.directives)
    moves = moves or any(name == "os.chdir" for _, name in module.calls)
    for call, text in _opened(module) if plain and not moves else ():
        if (bundle.folder / text).is_file() and text not in _said(bundle):
            yield Fault(f"{text} is looked for in /, and is in /opt/nuclio", place(call.args[0]), len(text) + 2)


def _opened(module: PythonFile) -> Iterator[tuple[ast.Call, str]]:
    """The calls that open a file by a relative name, but for networks that ultralytics knows how to fetch."""
    for call, name in module.calls:
        text = module.string(call.args[0]) if call.args and _OPENERS.fullmatch(name) else None
        if text and _FILE.fullmatch(text) and not fetches(call, name, text):
            yield call, text


def _strings(module: PythonFile) -> Iterator[tuple[ast.AST, str]]:
    """The strings that are values: no docstrings, no parts of f-strings."""
    bare = {id(node.value) for node in module.nodes if isinstance(node, ast.Expr)}
    parts = [node.values for node in module.nodes if isinstance(node, ast.JoinedStr) and len(node.values) > 1]
    bare |= {id(value) for values in parts for value in values}
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node, node.value


def _said(bundle: Bundle) -> str:
    return "\n".join([bundle.steps, *map(str, bundle.env.values())])


def _is_provided(bundle: Bundle, path: str) -> bool:
    """Whether a volume, a step or an image of one's own may bring the path."""
    folder = "/".join(re.split(r"[/\\]+", path)[:3])
    own_image = bool(bundle.image.name) and not bundle.image.is_plain and not re.match(r"[A-Za-z]:", path)
    return any(map(path.startswith, bundle.mounts)) or folder in _said(bundle) or own_image
