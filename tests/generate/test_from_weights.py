"""`generate --model`: what a file, a folder or a name is taken for, and what is said where it is none."""

import hashlib
import http.server
import json
import pickle
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cvat_nuclio.__main__ import main
from cvat_nuclio.errors import UserError
from cvat_nuclio.models import table
from cvat_nuclio.models.chosen import Chosen
from cvat_nuclio.models.recognise import recognise

COMMIT = "0123456789abcdef0123456789abcdef01234567"
#: Of safetensors, whole: the length of a JSON text, and that.
NO_WEIGHTS = b"\2" + bytes(7) + b"{}"
SUM = hashlib.sha256(b"weights").hexdigest()
CONFIGS = {
    "PekingU/rtdetr_v2_r18vd": {"model_type": "rt_detr_v2", "architectures": ["RTDetrV2ForObjectDetection"]},
    "facebook/sam2.1-hiera-small": {"model_type": "sam2_video", "architectures": ["Sam2VideoModel"]},
    "facebook/sam3": {"model_type": "sam3_video", "architectures": ["Sam3VideoModel"]},
    "IDEA-Research/grounding-dino-tiny": {
        "model_type": "grounding-dino", "architectures": ["GroundingDinoForObjectDetection"],
    },
    "facebook/dinov2-small": {"model_type": "dinov2", "architectures": ["Dinov2Model"]},
    "google/vit-base-patch16-224": {"model_type": "vit", "architectures": ["ViTForImageClassification"]},
    "nvidia/segformer-b0-finetuned-ade-512-512": {
        "model_type": "segformer", "architectures": ["SegformerForSemanticSegmentation"],
    },
    "usyd-community/vitpose-base-simple": {"model_type": "vitpose", "architectures": ["VitPoseForPoseEstimation"]},
    "openai-community/gpt2": {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]},
}  # fmt: skip


class Hub(http.server.BaseHTTPRequestHandler):
    """Answers as the Hugging Face hub's API does, for the networks above."""

    asked: list[tuple[str, str | None]] = []  # noqa: RUF012 - the handler is made anew for each request

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        path = self.path.partition("?")[0].removeprefix("/api/models")
        source = "/".join(path.split("/")[1:3])
        if source == "meta/gated":
            self.send_error(401)
        elif source not in CONFIGS:
            self.send_error(404)
        elif path.endswith("/config.json"):
            assert path == f"/{source}/resolve/{COMMIT}/config.json"
            self._json(CONFIGS[source])
        else:
            files = [{"rfilename": "config.json"}, {"rfilename": "model.safetensors", "lfs": {"sha256": SUM}}]
            self._json({"sha": COMMIT, "cardData": {"license": "apache-2.0"}, "siblings": files})

    def _json(self, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str | None]]]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Hub.asked.clear()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield Hub.asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A hub that nobody answers for, and an empty cache of it."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("model", "kind", "family"),
    [
        ("hf:PekingU/rtdetr_v2_r18vd", None, "transformers_detection"),
        ("sam2.1_hiera_small", None, "transformers_sam"),
        ("sam2.1-hiera-small", "tracker", "transformers_sam_video"),
        ("hf:facebook/sam2.1-hiera-small", "tracker", "transformers_sam_video"),
        ("facebook/sam3", None, "transformers_sam3"),
        ("sam3", "interactor", "transformers_sam"),
        ("hf:IDEA-Research/grounding-dino-tiny", None, "transformers_zero_shot"),
        ("dinov2-small", None, "transformers_reid"),
        ("hf:google/vit-base-patch16-224", None, "transformers_classification"),
        ("hf:google/vit-base-patch16-224", "reid", "transformers_reid"),
        ("segformer-b0-finetuned-ade-512-512", None, "transformers_segmentation"),
        ("vitpose-base-simple", None, "transformers_pose"),
    ],
)
def test_a_name_is_pinned_to_what_the_hub_has_now(hub: list[Any], model: str, kind: str | None, family: str) -> None:
    chosen = recognise(model, kind)
    assert chosen.module == family
    assert chosen.parameters["revision"] == f"str:{COMMIT}"
    assert chosen.parameters["sha256"] == f"str:{SUM}"
    assert chosen.bake
    assert chosen.licence


def test_a_revision_and_a_token_are_passed_on(hub: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert recognise("hf:PekingU/rtdetr_v2_r18vd@v1").licence == "apache-2.0"
    assert hub[0] == ("/api/models/PekingU/rtdetr_v2_r18vd/revision/v1?blobs=true", "Bearer secret")


@pytest.mark.parametrize(
    ("model", "kind", "said"),
    [
        ("hf:meta/gated", None, "accept its conditions"),
        ("hf:nobody/nothing", None, "hf:OWNER/NAME"),
        ("hf:openai-community/gpt2", None, "GPT2LMHeadModel"),
        ("hf:PekingU/rtdetr_v2_r18vd", "tracker", "--kind detector"),
        ("a_name_nobody_knows", None, "cvat-nuclio models"),
    ],
)
def test_what_cannot_be_run_is_told_with_what_can(hub: list[Any], model: str, kind: str | None, said: str) -> None:
    with pytest.raises(UserError) as caught:
        recognise(model, kind)
    assert said in str(caught.value)


def test_without_a_network_the_hub_s_cache_serves(no_network: Path) -> None:
    source = "PekingU/rtdetr_v2_r18vd"
    with pytest.raises(UserError, match="cannot be reached"):
        recognise(f"hf:{source}")
    folder = no_network / "hub" / "models--PekingU--rtdetr_v2_r18vd"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs/main").write_text(COMMIT)
    (folder / "snapshots" / COMMIT).mkdir(parents=True)
    (folder / "snapshots" / COMMIT / "config.json").write_text(json.dumps(CONFIGS[source]))
    chosen = recognise(f"hf:{source}")
    assert chosen.parameters == {"model": f"str:{source}", "revision": f"str:{COMMIT}"}


def checkpoint(path: Path, names: list[str]) -> Path:
    """A checkpoint as PyTorch saves it, whose pickle names classes that must not be imported."""
    module = b"".join(
        f"c{name.rpartition('.')[0]}\n{name.rpartition('.')[2]}\n".encode() for name in names if "." in name
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{path.stem}/data.pkl", b"\x80\x02" + module + pickle.dumps(names, 2)[2:])
    return path


@pytest.mark.parametrize(
    ("names", "module"),
    [
        (["ultralytics.nn.tasks.DetectionModel"], "ultralytics_yolo"),
        (["image_encoder.patch_embed.proj.weight"], "sam_checkpoint"),
    ],
)
def test_a_checkpoint_is_told_by_its_names_and_not_run(tmp_path: Path, names: list[str], module: str) -> None:
    assert recognise(str(checkpoint(tmp_path / "best.pt", names))).module == module


def test_what_words_come_to_goes_into_the_bundle(tmp_path: Path) -> None:
    """World's and YOLOE's: the function lays it beside the checkpoint when it is loaded here."""
    file = checkpoint(tmp_path / "yolov8s-world.pt", ["ultralytics.nn.tasks.WorldModel"])
    assert "add" not in recognise(str(file)).options({})
    options = recognise(str(file)).options({"function_parameters": ["labels=str:helmet"], "add": ["mine.txt"]})
    assert options["add"] == [str(tmp_path / "yolov8s-world.words.npz"), "mine.txt"]


def test_a_strange_checkpoint_is_told_with_what_it_names(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"mmdet\.models"):
        recognise(str(checkpoint(tmp_path / "best.pth", ["mmdet.models.Detector"])))
    (tmp_path / "old.pt").write_bytes(b"no zip")
    with pytest.raises(UserError, match="no checkpoint of PyTorch"):
        recognise(str(tmp_path / "old.pt"))


def yolo(path: Path) -> Path:
    from tools.tiny_onnx import yolo

    return yolo(path, ["cat", "hat"], side=64)


def test_a_graph_tells_by_its_metadata(tmp_path: Path) -> None:
    chosen = recognise(str(yolo(tmp_path / "x.onnx")))
    assert (chosen.module, chosen.parameters) == ("yolo_onnx", {"weights": f"file:{tmp_path / 'x.onnx'}"})
    assert "task=detect" in chosen.looked_at
    assert recognise(str(tmp_path / "x.onnx"), "reid").module == "reid_onnx"
    assert recognise(str(yolo(tmp_path / "face_detection_yunet_2023mar.onnx"))).module == "yunet_opencv"
    whole = recognise(str(yolo(tmp_path / "rtmw-x.onnx")))
    assert whole.module == "rtmpose_onnx"
    with pytest.raises(UserError, match=r"-p detector=file:yolo11n\.onnx"):
        whole.options({})
    (tmp_path / "y.onnx").write_bytes(b"\x0a\xff\xff\xff\xff\x0f")
    with pytest.raises(UserError, match="no ONNX model"):
        recognise(str(tmp_path / "y.onnx"))


def test_an_openvino_model_brings_its_weights_along(tmp_path: Path) -> None:
    (tmp_path / "m.xml").write_text('<?xml version="1.0"?>\n<net name="m" version="11"></net>')
    with pytest.raises(UserError, match=r"no m\.bin"):
        recognise(str(tmp_path / "m.xml"))
    (tmp_path / "m.bin").write_bytes(b"")
    chosen = recognise(str(tmp_path / "m.xml"))
    assert chosen.add == (str(tmp_path / "m.bin"),)
    with pytest.raises(UserError, match="needs labels"):
        chosen.options({})
    assert chosen.options({"function_parameters": ["labels=file:names.txt"]})["add"] == [str(tmp_path / "m.bin")]
    (tmp_path / "n.xml").write_text("<svg/>")
    with pytest.raises(UserError, match="no OpenVINO model"):
        recognise(str(tmp_path / "n.xml"))


def test_a_description_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "yolo11n.yaml").write_text("nc: 80\n")
    with pytest.raises(UserError, match=r"no weights[\s\S]*untrained[\s\S]*best\.pt"):
        recognise(str(tmp_path / "yolo11n.yaml"))


def test_example_pictures_go_with_owlv2_alone(workshop: Any, standin_place: Any) -> None:
    yolo(workshop.folder / "x.onnx")
    words = ["--examples-from-task", "1:0..3", *standin_place.words]
    assert "takes no example pictures" in workshop.run("--model", "x.onnx", *words).err
    assert "goes with --model" in workshop.run("func.py", *words).err
    assert "makes a new bundle" in workshop.run("--model", "x.onnx", "--pretend", *words).err
    assert "FIRST..LAST is expected" in workshop.run("--model", "x.onnx", "--examples-from-task", "1:3").err


def test_a_folder_needs_a_configuration_and_weights(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no config\.json"):
        recognise(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps(CONFIGS["PekingU/rtdetr_v2_r18vd"]))
    with pytest.raises(UserError, match="no weights beside"):
        recognise(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(NO_WEIGHTS)
    chosen = recognise(str(tmp_path))
    assert (chosen.module, chosen.bake) == ("transformers_detection", False)
    assert chosen.parameters == {"model": f"file:{tmp_path}"}


def test_options_of_the_user_win_and_a_vocabulary_is_asked_for(hub: list[Any]) -> None:
    chosen = recognise("grounding-dino-tiny")
    with pytest.raises(UserError, match=r"needs labels[\s\S]*-p labels="):
        chosen.options({})
    options = chosen.options({"function_parameters": ["labels=str:cat", "revision=str:v1"], "bake": False})
    assert options["bake"] is False
    assert "revision=str:v1" in options["function_parameters"]
    assert f"revision=str:{COMMIT}" not in options["function_parameters"]
    assert not any(item.startswith("sha256=") for item in options["function_parameters"]), "of another revision"
    assert "Apache-2.0" in options["description"]


def test_a_detector_beside_the_network_is_pinned_as_it_is(hub: list[Any], tmp_path: Path) -> None:
    """ViTPose's: both are fetched while the image is built, and must be what was tried."""
    detector = "PekingU/rtdetr_v2_r18vd"
    chosen = recognise("vitpose-base-simple")
    options = chosen.options({"function_parameters": [f"detector=str:{detector}"]})
    assert f"detector_revision=str:{COMMIT}" in options["function_parameters"]
    assert f"detector_sha256=str:{SUM}" in options["function_parameters"]
    chosen.options({"function_parameters": [f"detector=str:{detector}", "detector_revision=str:v2"]})
    assert (f"/api/models/{detector}/revision/v2?blobs=true", None) in hub
    (tmp_path / "config.json").write_text(json.dumps(CONFIGS["usyd-community/vitpose-base-simple"]))
    (tmp_path / "model.safetensors").write_bytes(NO_WEIGHTS)
    folder = recognise(str(tmp_path))
    assert folder.options({"function_parameters": [f"detector=str:{detector}"]})["bake"], "the detector is fetched"
    for own in (f"str:{tmp_path}", f"file:{tmp_path}"):
        options = folder.options({"function_parameters": [f"detector={own}"]})
        assert (options["bake"], len(options["function_parameters"])) == (False, 2)
    with pytest.raises(UserError, match="hf:OWNER/NAME"):
        chosen.options({"function_parameters": ["detector=str:nobody/nothing"]})


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("retinanet_resnet50_fpn_v2", "torchvision_detection"),
        ("maskrcnn_resnet50_fpn_v2", "torchvision_instance_segmentation"),
        ("keypointrcnn_resnet50_fpn", "torchvision_keypoint_detection"),
        ("efficientnet_v2_s", "torchvision_classification"),
    ],
)
def test_torchvision_s_networks_are_cvat_sdk_s_functions(name: str, module: str) -> None:
    chosen = recognise(f"torchvision:{name}")
    assert chosen.function_module == f"cvat_sdk.auto_annotation.functions.{module}"
    assert chosen.options({})["function_parameters"] == [f"model_name=str:{name}"]


def test_every_family_is_a_module_and_every_row_has_a_family(repository: Path) -> None:
    files = (repository / "functions/cvat_functions").glob("*.py")
    modules = {path.stem for path in files if "\ndef create(" in path.read_text("utf-8")}
    assert set(table.families()) == modules
    rows = table.networks()
    assert len(rows) >= 50
    assert len({(row.source, row.family) for row in rows}) == len(rows)
    assert all(row.family in modules and row.licence for row in rows)


def test_the_table_is_shown_and_searched(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert "facebook/sam2.1-hiera-small" in out
    assert "ultralytics_yolo" in out
    assert main(["models", "gated", "tracker"]) == 0
    (header, group, row, _) = capsys.readouterr().out.splitlines()
    assert "licence" in header
    assert group.startswith("tracker: ")
    assert row.startswith("facebook/sam3")
    assert main(["models", "--json", "dfine-nano"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["architecture"] == "d_fine"
    assert main(["models", "nothing of that kind"]) == 1


def test_a_bundle_from_a_graph_has_all_that_it_needs(workshop: Any) -> None:
    """From weights to a bundle by one command."""
    graph = yolo(workshop.folder / "helmets.onnx").read_bytes()
    run = workshop.run("--model", "helmets.onnx", "--output", "helmets", "-p", "confidence=float:0.4")
    assert run.status == 0, run.err
    assert "cvat_functions.yolo_onnx" in run.out
    assert "next: cvat-nuclio invoke helmets" in run.out
    bundle = workshop.folder / "helmets/nuclio"
    assert (bundle / "helmets.onnx").read_bytes() == graph
    modules = {path.stem for path in (bundle / "cvat_functions").iterdir()}
    assert {"__init__", "yolo_onnx", "yolo_outputs", "shared"} <= modules
    assert not modules & {"hub", "on_torch", "reid_onnx"}
    assert "hat" in (bundle / "function.yaml").read_text()
    assert (
        f"{hashlib.sha256(graph).hexdigest()}  nuclio/helmets.onnx" in (bundle.parent / "cvat-nuclio.sums").read_text()
    )
    assert "onnxruntime" in (bundle / "requirements.txt").read_text()
    options = (bundle.parent / "cvat-nuclio.yaml").read_text()
    assert "weights: file:../helmets.onnx" in options
    assert "confidence: float:0.4" in options
    assert "working-directory" not in options
    assert workshop.run("--check", "helmets").status == 0


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("best.pt", "best"),
        ("facebook/sam2.1-hiera-small", "sam2-1-hiera-small"),
        ("torchvision's ssd300_vgg16", "ssd300-vgg16"),
    ],
)
def test_a_bundle_is_named_after_its_model(name: str, folder: str) -> None:
    chosen = Chosen(module="yolo_onnx", parameters={}, name=name, licence="", looked_at="")
    assert chosen.folder == folder


def test_a_bundle_without_a_named_folder(workshop: Any) -> None:
    yolo(workshop.folder / "Helmets 2.onnx")
    assert workshop.run("--model", "Helmets 2.onnx").status == 0
    assert (workshop.folder / "helmets-2/nuclio").is_dir()
    run = workshop.run("--kind", "reid", "func.py")
    assert "--kind goes with --model" in run.err


@pytest.mark.parametrize("kind", ["detector", "interactor", "tracker", "reid"])
def test_a_function_to_start_from_answers_and_becomes_a_bundle(workshop: Any, kind: str) -> None:
    assert main(["init", kind, "--output", "mine"]) == 0
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir=.", "mine"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert tested.returncode == 0, tested.stdout
    run = workshop.run("mine/func.py", "--output", "bundle")
    assert run.status == 0, run.err
    assert f'type: "{kind}"' in Path("bundle/nuclio/function.yaml").read_text()
    assert main(["init", kind, "--output", "mine"]) == 2
