"""`generate --model`: what is said of broken files, of other programs' forms and of the wrong folder."""

import io
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.generate.test_from_weights import COMMIT, CONFIGS, NO_WEIGHTS, checkpoint, hub, yolo

from cvat_nuclio.errors import UserError
from cvat_nuclio.generate.added import expand
from cvat_nuclio.models.recognise import recognise

__all__ = ["hub"]
DETECTOR = CONFIGS["PekingU/rtdetr_v2_r18vd"]
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
CUT_OFF = b"PK\x03\x04" + bytes(3000)
PAGE = b"\n<!DOCTYPE html>\n<html><title>Virus scan warning</title></html>"


def said(model: object, kind: str | None = None) -> str:
    with pytest.raises(UserError) as caught:
        recognise(str(model), kind)
    assert caught.value.remedy, "a refusal says what to do"
    return str(caught.value)


@pytest.mark.parametrize("name", ["best.pt", "sam.pth", "x.onnx", "m.xml", "w.safetensors", "x.engine"])
@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "empty"), (LFS, "Git LFS pointer[\\s\\S]*git lfs pull"), (PAGE, "page of HTML"), (CUT_OFF, "cut off")],
)
def test_a_broken_download_is_told(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=why):
        recognise(str(tmp_path / name))


@pytest.mark.parametrize("graph", [b"\xff\xff\xff", b"\x2a\x09\x6a\x07\x0a\x08location", b"\x2b"])
def test_a_graph_whose_inside_is_broken_is_no_onnx_model(tmp_path: Path, graph: bytes) -> None:
    (tmp_path / "x.onnx").write_bytes(bytes([7 << 3 | 2, len(graph)]) + graph)
    with pytest.raises(UserError, match="is no ONNX model"):
        recognise(str(tmp_path / "x.onnx"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("best.engine", ["TensorRT", "format=onnx"]),
        ("best.tflite", ["TensorFlow Lite", "format=onnx"]),
        ("model.safetensors", ["without what they belong to", "the folder that has config.json"]),
        ("model_final.pkl", ["Detectron2", "init detector"]),
        ("net.zip", ["archive", "unpack"]),
        ("noext", ["ends in nothing", "known are best.pt"]),
        ("photo.jpg", [".jpg", "known are best.pt"]),
    ],
)
def test_a_form_that_nothing_here_runs_is_named_with_a_way_out(tmp_path: Path, name: str, words: list[str]) -> None:
    (tmp_path / name).write_bytes(NO_WEIGHTS)
    text = said(tmp_path / name)
    assert all(word in text for word in words), text


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["models.yolo.Model"], ["YOLOv5 or YOLOv7", "export.py"]),
        (["__torch__.torch.nn.Linear"], ["TorchScript", "format=onnx"]),
        (["image_encoder.trunk.pos_embed"], ["SAM 2", "--model sam2.1-hiera-small"]),
        (["backbone.backbone.stem.conv.conv.weight"], ["YOLOX"]),
        (["meta", "mmdet_version"], ["MMDetection"]),
        (["transformer.level_embed"], ["grounding-dino-tiny"]),
        (["image_encoder.patch_embed.seq.0.c.weight", "image_encoder.layers.0.x"], ["MobileSAM", "edgetam"]),
        (["model.0.conv.weight"], ["state_dict", "best.pt"]),
        (["who.knows"], ["it names who.knows", "known are"]),
    ],
)
def test_a_checkpoint_of_others_is_named_with_a_way_out(tmp_path: Path, names: list[str], words: list[str]) -> None:
    text = said(checkpoint(tmp_path / "best.pt", names))
    assert all(word in text for word in words), text


class Touch:
    """A pickle that would leave a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.file),)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("packed", [True, False])
def test_a_text_makes_no_checkpoint_of_ultralytics(tmp_path: Path, protocol: int, packed: bool) -> None:
    """It would be loaded, and with that run, for what is only said in it."""
    trap = pickle.dumps({"a": Touch(tmp_path / "run")} if protocol == 2 else ["ultralytics"], protocol)
    data = pickle.dumps("ultralytics.nn.tasks", protocol)[:-1] + trap[2:]
    if packed:
        with zipfile.ZipFile(tmp_path / "best.pt", "w") as archive:
            archive.writestr("best/data.pkl", data)
    else:
        (tmp_path / "best.pt").write_bytes(data)
    said(tmp_path / "best.pt")
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_of_before_pytorch_1_6_is_read_too(tmp_path: Path) -> None:
    """Four pickles one after the other, the last with what was saved; the weights' bytes follow."""
    names = pickle.dumps("x", 2)[:-1] + b"0cultralytics.nn.tasks\nDetectionModel\n."
    stream = io.BytesIO()
    for one in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(one, stream, 2)
    (tmp_path / "best.pt").write_bytes(stream.getvalue() + names + bytes(100))
    assert recognise(str(tmp_path / "best.pt")).module == "ultralytics_yolo"
    (tmp_path / "best.pt").write_bytes(stream.getvalue())
    assert "no checkpoint of PyTorch" in said(tmp_path / "best.pt")


def test_classes_of_newer_pickles_are_read_too(tmp_path: Path) -> None:
    text = b"\x8c\x14ultralytics.nn.tasks\x8c\x0eDetectionModel\x93."
    with zipfile.ZipFile(tmp_path / "best.pt", "w") as archive:
        archive.writestr("best/data.pkl", b"\x80\x04" + text)
    assert recognise(str(tmp_path / "best.pt")).module == "ultralytics_yolo"


def test_the_folder_of_a_training_leads_to_its_weights(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "train 2"
    (run / "weights").mkdir(parents=True)
    assert "no model in this folder" in said(run)
    for name in ("best.pt", "last.pt"):
        checkpoint(run / "weights" / name, ["ultralytics.nn.tasks.DetectionModel"])
    assert f"--model '{run / 'weights' / 'best.pt'}'" in said(run)
    assert f"--model '{run / 'weights' / 'best.pt'}'" in said(run / "weights")
    (tmp_path / "out" / "checkpoint-500").mkdir(parents=True)
    (tmp_path / "out" / "checkpoint-500" / "config.json").write_text("{}")
    assert f"--model '{tmp_path / 'out' / 'checkpoint-500'}'" in said(tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "file", "words"),
    [
        ("best_openvino_model", "best.xml", ["OpenVINO", "format=onnx"]),
        ("best_ncnn_model", "model.ncnn.param", ["ncnn"]),
        ("best.mlpackage", "Manifest.json", ["Core ML"]),
        ("exported", "saved_model.pb", ["TensorFlow"]),
        ("lora", "adapter_config.json", ["LoRA", "merge_and_unload"]),
    ],
)
def test_a_folder_of_others_is_named_with_a_way_out(tmp_path: Path, name: str, file: str, words: list[str]) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / file).write_text("x")
    text = said(tmp_path / name)
    assert all(word in text for word in words), text


def saved(folder: Path, config: object = DETECTOR, weights: bytes = NO_WEIGHTS) -> Path:
    """A folder as transformers saves it."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def test_a_configuration_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    folder = saved(tmp_path / "net", {**DETECTOR, "architectures": "RTDetrV2ForObjectDetection"})
    assert recognise(str(folder)).module == "transformers_detection"
    file = folder / "config.json"
    for content, why in (
        (b"[1]", "no JSON object"),
        (b"{bad", "line 1"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"\xff", "utf-8"),
    ):
        file.write_bytes(content)
        assert why in said(folder)
    file.write_text('{"model_type": "x"}')
    assert "architectures none" in said(folder)


def test_a_folder_of_timm_is_a_classifier(tmp_path: Path) -> None:
    """transformers loads it by a class of its own, where timm is installed."""
    config = {"architecture": "resnet18", "num_classes": 3, "pretrained_cfg": {"input_size": [3, 64, 64]}}
    assert recognise(str(saved(tmp_path / "net", config))).module == "transformers_classification"


def test_weights_of_a_folder_have_to_be_whole(tmp_path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "__metadata__": {}}).encode()
    whole = len(header).to_bytes(8, "little") + header + bytes(8)
    assert recognise(str(saved(tmp_path / "net", weights=whole))).module == "transformers_detection"
    for broken in (whole[:-1], whole[:20], LFS, b""):
        assert "does not hold weights" in said(saved(tmp_path / "net", weights=broken))
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    saved(tmp_path / "net", weights=whole)
    (tmp_path / "net" / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "model-2.safetensors" in said(tmp_path / "net")
    (tmp_path / "net" / "model-2.safetensors").write_bytes(whole)
    recognise(str(tmp_path / "net"))


def test_older_forms_of_weights_are_named(tmp_path: Path) -> None:
    folder = saved(tmp_path / "net")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    text = said(folder)
    assert "there is pytorch_model.bin" in text
    assert "save_pretrained" in text


@pytest.mark.parametrize(
    "text",
    [
        "https://huggingface.co/PekingU/rtdetr_v2_r18vd",
        "huggingface.co/PekingU/rtdetr_v2_r18vd/",
        "https://huggingface.co/PekingU/rtdetr_v2_r18vd?library=transformers",
        "hf:https://huggingface.co/PekingU/rtdetr_v2_r18vd/tree/v1",
        "https://huggingface.co/PekingU/rtdetr_v2_r18vd/blob/v1/config.json",
    ],
)
def test_the_address_of_a_page_is_a_name(hub: list[Any], text: str) -> None:
    chosen = recognise(text)
    assert chosen.parameters["model"] == "str:PekingU/rtdetr_v2_r18vd"
    assert chosen.parameters["revision"] == f"str:{COMMIT}"
    assert f"/revision/{'v1' if 'v1' in text.split('r18vd')[1] else 'main'}?" in hub[0][0]


def test_what_is_no_name_asks_nobody(hub: list[Any]) -> None:
    for text in ("hf:", "hf:a/b/c", "hf:@main", "hf:../x", "hf:a b/c"):
        assert "hf:OWNER/NAME" in said(text)
    assert "--model hf:somebody/net;" in said("somebody/net")
    assert "fetch the file" in said("https://example.com/best.pt")
    assert hub == []


def test_weights_beside_a_graph_go_with_it(workshop: Any) -> None:
    """`torch.onnx.export` lays them there by itself where there are many."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(yolo(workshop.folder / "whole.onnx"))
    options = {"save_as_external_data": True, "size_threshold": 100, "location": "best.onnx.data"}
    onnx.save(model, workshop.folder / "best.onnx", **options)
    data = workshop.folder / "best.onnx.data"
    assert recognise("best.onnx").add == ["best.onnx.data=best.onnx.data"]
    assert recognise("whole.onnx").add == []
    assert workshop.run("--model", "best.onnx").status == 0
    assert (workshop.folder / "best/nuclio/best.onnx.data").read_bytes() == data.read_bytes()
    assert workshop.run("--check", "best").status == 0
    data.unlink()
    assert "names best.onnx.data" in said("best.onnx")


def test_a_yolo_in_openvino_s_form_is_no_mask_rcnn(tmp_path: Path) -> None:
    for name, text in (("best.xml", '<net name="m">'), ("best.bin", ""), ("metadata.yaml", "task: detect")):
        (tmp_path / name).write_text(text)
    assert "format=onnx" in said(tmp_path / "best.xml")


def test_a_ready_function_s_own_words_are_enough(workshop: Any) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(yolo(workshop.folder / "named.onnx"))
    del model.metadata_props[:]
    onnx.save(model, workshop.folder / "best.onnx")
    run = workshop.run("--model", "best.onnx", "--output", "out")
    assert run.status == 2
    assert "why: the graph does not name its classes" in run.err
    assert "-p labels=file:FILE" in run.err
    assert "python -c" not in run.err
    assert not (workshop.folder / "out").exists()


def test_what_a_training_leaves_stays_where_it_is(tmp_path: Path) -> None:
    folder = saved(tmp_path / "net")
    for name in ("checkpoint-500/optimizer.pt", ".git/x", "training_args.bin", "runs/a", "added/runs.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    read = ["net/added/runs.json", "net/config.json", "net/model.safetensors"]
    assert [place for place, _ in expand(folder, "net")] == read
    (folder / "config.json").unlink()
    assert "net/runs/a" in [place for place, _ in expand(folder, "net")]
