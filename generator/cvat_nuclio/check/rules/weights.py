"""CN613 and CN616: where a model's weights are loaded and fetched."""

import ast
import re
from collections.abc import Iterator

from ..finding import Finding
from ..rule import WARNING, PythonRule
from ..source import PythonFile, at_import, place

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
        for node in module.nodes:
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
