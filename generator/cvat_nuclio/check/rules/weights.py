"""CN613 and CN616: where a model's weights are loaded and fetched."""

import ast
import re
from collections.abc import Iterator

from ..bundle import Function, Module
from ..rule import WARNING, Fault, rule
from ..source import PythonFile, argument, at_import, is_value, place

# What loads a model, by the end of its full name.
_LOADERS = (
    "torch.load", "torch.jit.load", "torch.hub.load", ".from_pretrained", "onnxruntime.InferenceSession",
    "tensorflow.keras.models.load_model", "keras.models.load_model", "tensorflow.saved_model.load", "ultralytics.YOLO",
    "cv2.dnn.readNet", "cv2.dnn.readNetFromONNX", "openvino.Core", "openvino.runtime.Core", "transformers.pipeline",
    "pickle.load", "joblib.load", "mmdet.apis.init_detector",
)  # fmt: skip


@rule(
    "CN613", "load-at-import", WARNING,
    source="Nuclio: vector start-slow-import-130s (socketallocator.go: 2 min)", remedy="load it in init_context",
)  # fmt: skip
def load_at_import(module: Module) -> Iterator[Fault]:
    """A model is loaded when the handler's module is imported.

    The worker must import it within two minutes, whatever the readiness timeout says; `init_context` has no such limit.
    """
    for call in at_import(module.tree):
        name = module.full_name(call.func)
        if name and any(name == loader or (loader[0] == "." and name.endswith(loader)) for loader in _LOADERS):
            yield Fault(f"{name} runs at import", place(call))


# What fetches something, by full name; the text says what.
FETCHERS = {
    "urllib.request.urlretrieve", "urllib.request.urlopen", "requests.get", "requests.Session", "httpx.get",
    "wget.download", "gdown.download", "torch.hub.load", "torch.hub.load_state_dict_from_url",
    "torch.hub.download_url_to_file", "huggingface_hub.hf_hub_download", "huggingface_hub.snapshot_download",
    "tensorflow_hub.load", "easyocr.Reader", "paddleocr.PaddleOCR", "insightface.app.FaceAnalysis", "rembg.new_session",
    "clip.load", "whisper.load_model", "keras_ocr.pipeline.Pipeline", "detectron2.model_zoo.get_checkpoint_url",
}  # fmt: skip
# The model's name on its hub: `org/name`, or a bare name; no path.
_HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")


@rule(
    "CN616", "download-at-start", WARNING,
    source="Nuclio: all workers run init_context in parallel; cvat#6424, #10024",
    remedy="fetch them in a RUN or ADD directive of preCopy, and load the file",
)  # fmt: skip
def download_at_start(module: PythonFile) -> Iterator[Fault]:
    """The function fetches its weights when it starts, not when its image is built.

    Each worker fetches them, all at once; without network, or when the other side is away, the function does not start,
    and a slow line runs into the readiness timeout.
    """
    steps, at_start, remedy = "", set(), ""
    if isinstance(module, Module):
        brings = (step.value for step in module.bundle.directives if step.kind in ("RUN", "ADD", "COPY", "ENV"))
        steps, at_start = "\n".join(brings), module.started
    elif isinstance(module, Function):
        # What it does while it is imported is CN705's.
        at_start = module.started - set(at_import(module.tree))
        remedy = "put the file beside the function, or load it while the image is built: `generate --bake`"
    filled = any(word in steps for word in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", module.file.name))
    # A step that runs the bundle's own code fills the caches.
    if filled or f"import {module.file.stem}" in steps:
        return
    for call, name, what in _fetched(module):
        if call in at_start and not (what and (what in steps or what.rpartition("/")[2] in steps)):
            said = f" ({what})" if what else ""
            yield Fault(f"{name}{said} fetches from the network at run time", place(call), remedy=remedy)


def _fetched(module: PythonFile) -> Iterator[tuple[ast.Call, str, str]]:
    """The calls that fetch something, their names, and what they fetch where it can be told."""
    for call, name in module.calls:
        first = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg)][:1]
        text = module.string(first[0] if first else None) or ""
        local = is_value(argument(call, "source"), "local") or is_value(argument(call, "local_files_only"), True)
        if not local and fetches(call, name, text):
            yield call, name, text


def fetches(call: ast.Call, name: str, text: str) -> bool:
    """Whether a call of the full name `name` fetches something; `text` is its first argument."""
    if name in FETCHERS:
        return True
    # ultralytics fetches its own models by their bare names, where no such file lies in the current folder.
    if name.startswith("ultralytics."):
        return bool(re.fullmatch(r"(yolo\w*|rtdetr-\w+|sam2?[._]?\w*|FastSAM-\w)(-\w+)?\.pt", text))
    if name.endswith(".from_pretrained"):
        return bool(_HUB_NAME.fullmatch(text))
    weights = is_value(argument(call, "pretrained"), True) or is_value(argument(call, "weights"), "DEFAULT")
    weights = weights or "_Weights." in ast.unparse(argument(call, "weights") or ast.Constant(None))
    return weights and name.startswith(("torchvision.models.", "timm."))
