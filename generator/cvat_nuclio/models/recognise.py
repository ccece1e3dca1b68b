"""A model's name, folder or file → the ready function that runs it."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs

from ..errors import UserError
from . import strangers, weights
from .architectures import family_of
from .chosen import Chosen
from .hub import look
from .table import named

#: The address of a network's page on the hub, as people copy it, with what may follow.
PAGE = re.compile(
    r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/([^/?#]+/[^/?#]+)(?:/(?:tree|blob|resolve)/([^/?#]+))?"
)
HOSTED = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
LICENCE_OF_ULTRALYTICS = "AGPL-3.0 (Ultralytics' package and its weights), or your licence from Ultralytics"


def recognise(text: str, kind: str | None = None) -> Chosen:
    """What runs the model. `kind` chooses where it can do several things. Raises UserError."""
    if page := PAGE.match(text.removeprefix("hf:")):
        return _hosted("@".join(part for part in page.groups() if part), kind)
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
    raise UserError(
        f"--model {text}: no file, no folder and no name that is known", why=f"looked in {Path.cwd()}",
        remedy=_meant(text) + strangers.KNOWN,
    )  # fmt: skip


def _meant(text: str) -> str:
    """What somebody may have wanted with a text that is nothing here."""
    if "://" in text:
        return "fetch the file, and name that; "
    on_hub = text.count("/") == 1 and HOSTED.fullmatch(text)
    return f"if it is on the Hugging Face hub: --model hf:{text}; " if on_hub else ""


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
    if not HOSTED.fullmatch(source):
        raise UserError(
            f"--model hf:{text}: no name of the Hugging Face hub", remedy="hf:OWNER/NAME or hf:OWNER/NAME@REVISION"
        )
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
    if not file.is_file():
        raise strangers.folder(path)
    try:
        config = json.loads(file.read_text("utf-8"))
        if not isinstance(config, dict):
            raise ValueError("it holds no JSON object")
    except (OSError, ValueError) as error:
        raise UserError(
            f"--model {path}: its config.json cannot be read", why=str(error),
            remedy="JSON in UTF-8, without a mark at its start, as save_pretrained writes it",
        ) from error  # fmt: skip
    family = family_of(config, kind, str(path))
    _check_weights(path)
    return Chosen(
        module=family, parameters={"model": f"file:{path}"}, name=path.resolve().name,
        architecture=str(config.get("model_type", "")),
        licence="yours to know", looked_at=f"config.json: {config.get('model_type')}",
    )  # fmt: skip


def _check_weights(path: Path) -> None:
    """Raises UserError unless the weights of a folder are all there."""
    found = sorted(path.glob("*.safetensors"))
    if not found:
        others = [
            name for name in ("pytorch_model.bin", "tf_model.h5", "flax_model.msgpack") if (path / name).is_file()
        ]
        raise UserError(
            f"--model {path}: no weights beside config.json",
            why=f"looked for *.safetensors{', and there is ' + others[0] if others else ''}",
            remedy="load the folder with its class of transformers, and save it with save_pretrained(NEW)",
        )
    for file in found:
        strangers.check_whole(file)
    index = path / "model.safetensors.index.json"
    wanted = set(json.loads(index.read_text("utf-8"))["weight_map"].values()) if index.is_file() else set()
    if missing := sorted(wanted - {file.name for file in found}):
        raise UserError(
            f"--model {path}: {len(missing)} of {len(wanted)} files of weights are not there",
            why=f"{index.name} names {missing[0]}", remedy="fetch the missing ones",
        )  # fmt: skip


def _file(path: Path, kind: str | None) -> Chosen:
    readers = {".onnx": _onnx, ".xml": _openvino, ".pt": _checkpoint, ".pth": _checkpoint}
    if path.suffix.lower() in (".yaml", ".yml"):
        raise UserError(f"--model {path}: a description has no weights", why="what Ultralytics makes of a .yaml is an "
                        "untrained network, which finds nothing", remedy="name the best.pt of its training; of weights "
                        'apart: YOLO("x.yaml").load("weights.pt").save("best.pt")')  # fmt: skip
    strangers.check_whole(path)
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise strangers.file(path)
    return reader(path, kind)


def _onnx(path: Path, kind: str | None) -> Chosen:
    told = weights.onnx_told(path)
    if told is None:
        raise UserError(f"--model {path} is no ONNX model", why="its bytes are not those of a ModelProto",
                        remedy="export it again, or fetch it again")  # fmt: skip
    metadata, elsewhere = told
    return attrs.evolve(_graph(path, kind, metadata), add=_beside(path, elsewhere))


def _beside(path: Path, elsewhere: Iterable[str]) -> list[str]:
    """The files that go with a graph: those `elsewhere` that hold its weights. Raises UserError."""
    found = []
    for name in sorted(elsewhere):
        if Path(name).is_absolute() or ".." in Path(name).parts or not (path.parent / name).is_file():
            raise UserError(
                f"--model {path}: its weights are not beside it", why=f"it names {name}",
                remedy="lay both into one folder, or export it with its weights inside",
            )  # fmt: skip
        found.append(f"{path.parent / name}={name}")
    return found


def _graph(path: Path, kind: str | None, metadata: Mapping[str, str]) -> Chosen:
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
        raise UserError(f"--model {path} is no OpenVINO model", why="it has no <net> element",
                        remedy="name the .xml of its IR, or an ONNX graph")  # fmt: skip
    if (path.parent / "metadata.yaml").is_file():
        raise strangers.folder(path.parent)
    if not path.with_suffix(".bin").is_file():
        raise UserError(f"--model {path}: its weights are not beside it", why=f"no {path.with_suffix('.bin').name}",
                        remedy="lay it there")  # fmt: skip
    return Chosen(
        module="mask_rcnn_openvino", parameters={"weights": f"file:{path}"}, name=path.name,
        licence="yours to know", looked_at="an OpenVINO model", add=(str(path.with_suffix(".bin")),),
    )  # fmt: skip


def _checkpoint(path: Path, kind: str | None) -> Chosen:
    classes, texts = weights.pickled_names(path)
    if any(name.startswith("ultralytics.") for name in classes):
        return Chosen(module="ultralytics_yolo", parameters={"model": f"file:{path}"}, name=path.name,
                      licence=LICENCE_OF_ULTRALYTICS, looked_at="a checkpoint of Ultralytics")  # fmt: skip
    if any(name.startswith("image_encoder.patch_embed.proj.") for name in texts):
        return Chosen(module="sam_checkpoint", parameters={"weights": f"file:{path}"}, name=path.name,
                      licence="Apache-2.0 where it is Meta's", looked_at="a checkpoint of SAM")  # fmt: skip
    raise strangers.checkpoint(path, classes, texts)
