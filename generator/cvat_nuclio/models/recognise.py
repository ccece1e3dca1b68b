"""A model's name, folder or file → the ready function that runs it."""

import json
from pathlib import Path

from ..errors import UserError
from . import weights
from .architectures import family_of
from .chosen import Chosen
from .hub import look
from .table import named

KNOWN = (
    "best.pt (Ultralytics), sam_vit_*.pth, x.onnx (YOLO; YuNet and RTMPose by name; ReID by --kind reid), "
    "model.xml (OpenVINO Mask R-CNN), a folder with config.json (transformers), hf:OWNER/NAME[@REVISION], "
    "torchvision:NAME, or a name that `cvat-nuclio models` lists"
)
LICENCE_OF_ULTRALYTICS = "AGPL-3.0 (Ultralytics' package and its weights), or your licence from Ultralytics"


def recognise(text: str, kind: str | None = None) -> Chosen:
    """What runs the model. `kind` chooses where it can do several things. Raises UserError."""
    prefix, colon, rest = text.partition(":")
    if colon and prefix == "torchvision":
        return _torchvision(rest)
    if colon and prefix == "hf":
        return _hosted(rest, kind)
    path = Path(text).expanduser()
    if path.is_dir():
        return _folder(path, kind)
    if path.is_file():
        return _file(path, kind)
    if row := named(text, kind):
        return _hosted(row.source, row.kind, row.licence)
    raise UserError(f"--model {text}: no file, no folder and no name that is known", remedy=KNOWN)


def _torchvision(name: str) -> Chosen:
    if name.startswith("keypointrcnn"):
        module, what = "torchvision_keypoint_detection", "Skeletons"
    elif name.startswith("maskrcnn"):
        module, what = "torchvision_instance_segmentation", "Objects with masks"
    elif name.startswith(("fasterrcnn", "retinanet", "fcos", "ssd")):
        module, what = "torchvision_detection", "Objects with boxes"
    else:
        module, what = "torchvision_classification", "Tags of a picture"
    return Chosen(
        module=f"cvat_sdk.auto_annotation.functions.{module}", parameters={"model_name": f"str:{name}"}, what=what,
        name=f"torchvision's {name}", licence="BSD-3-Clause", looked_at="its name in torchvision", bake=True,
    )  # fmt: skip


def _hosted(text: str, kind: str | None, licence: str = "") -> Chosen:
    source, _, revision = text.partition("@")
    found = look(source, revision or "main")
    family = family_of(found.config, kind, source)
    return Chosen(
        module=family, parameters={"model": f"str:{source}", **found.pins()}, name=source, bake=True,
        architecture=str(found.config.get("model_type", "")),
        licence=licence or found.licence or "not named by its publisher",
        looked_at=f"config.json at revision {found.revision[:12]}: {found.config.get('model_type')}",
    )  # fmt: skip


def _folder(path: Path, kind: str | None) -> Chosen:
    file = path / "config.json"
    try:
        config = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"--model {path}: no config.json that can be read", why=str(error), remedy=f"known are {KNOWN}"
        ) from error
    if not any(path.glob("*.safetensors")):
        raise UserError(
            f"--model {path}: no weights beside config.json",
            why="looked for *.safetensors",
            remedy="save them with save_pretrained of transformers",
        )
    return Chosen(
        module=family_of(config, kind, str(path)), parameters={"model": f"file:{path}"}, name=path.resolve().name,
        architecture=str(config.get("model_type", "")),
        licence="yours to know", looked_at=f"config.json: {config.get('model_type')}",
    )  # fmt: skip


def _file(path: Path, kind: str | None) -> Chosen:
    readers = {".onnx": _onnx, ".xml": _openvino, ".pt": _checkpoint, ".pth": _checkpoint}
    if path.suffix.lower() in (".yaml", ".yml"):
        raise UserError(f"--model {path}: a description has no weights", why="what Ultralytics makes of a .yaml is an "
                        "untrained network, which finds nothing", remedy="name the best.pt of its training; of weights "
                        'apart: YOLO("x.yaml").load("weights.pt").save("best.pt")')  # fmt: skip
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UserError(f"--model {path}: no known format", why=f"a file that ends in {path.suffix or 'nothing'}",
                        remedy=f"known are {KNOWN}")  # fmt: skip
    return reader(path, kind)


def _onnx(path: Path, kind: str | None) -> Chosen:
    metadata = weights.onnx_metadata(path)
    if metadata is None:
        raise UserError(f"--model {path} is no ONNX model", why="its bytes are not those of a ModelProto")
    if kind == "reid":
        return Chosen(module="reid_onnx", parameters={"weights": f"file:{path}"}, name=path.name,
                      licence="yours to know", looked_at="an ONNX model; --kind reid")  # fmt: skip
    if "yunet" in path.name.lower():
        return Chosen(module="yunet_opencv", parameters={"weights": f"file:{path}"}, name=path.name,
                      licence="MIT where it is OpenCV's", looked_at="an ONNX model, YuNet by its name")  # fmt: skip
    if "rtmpose" in path.name.lower() or "rtmw" in path.name.lower():
        return Chosen(module="rtmpose_onnx", parameters={"weights": f"file:{path}"}, name=path.name,
                      looked_at="an ONNX model, RTMPose by its name", licence="Apache-2.0 if OpenMMLab's")  # fmt: skip
    licence = metadata.get("license", "yours to know")
    told = ", ".join(f"{key}={metadata[key][:40]}" for key in ("task", "author", "names") if key in metadata)
    return Chosen(module="yolo_onnx", parameters={"weights": f"file:{path}"}, name=path.name, licence=licence,
                  looked_at=f"an ONNX model, metadata: {told or 'none'}")  # fmt: skip


def _openvino(path: Path, kind: str | None) -> Chosen:
    outputs = weights.openvino_outputs(path)
    if outputs is None:
        raise UserError(f"--model {path} is no OpenVINO model", why="it has no <net> element")
    if not path.with_suffix(".bin").is_file():
        raise UserError(f"--model {path}: its weights are not beside it", why=f"no {path.with_suffix('.bin').name}")
    return Chosen(
        module="mask_rcnn_openvino", parameters={"weights": f"file:{path}"}, name=path.name,
        licence="yours to know", looked_at="an OpenVINO model", add=(str(path.with_suffix(".bin")),),
    )  # fmt: skip


def _checkpoint(path: Path, kind: str | None) -> Chosen:
    names = weights.pickled_names(path)
    if any(name.startswith("ultralytics") for name in names):
        return Chosen(module="ultralytics_yolo", parameters={"model": f"file:{path}"}, name=path.name,
                      licence=LICENCE_OF_ULTRALYTICS, looked_at="a checkpoint of Ultralytics")  # fmt: skip
    if any(name.startswith("image_encoder.patch_embed") for name in names):
        return Chosen(module="sam_checkpoint", parameters={"weights": f"file:{path}"}, name=path.name,
                      licence="Apache-2.0 where it is Meta's", looked_at="a checkpoint of SAM")  # fmt: skip
    shown = ", ".join(sorted(name for name in names if "." in name)[:3])
    raise UserError(
        f"--model {path}: no known checkpoint", why=f"it names {shown}" if names else "no checkpoint of PyTorch",
        remedy=f"known are {KNOWN}",
    )  # fmt: skip
