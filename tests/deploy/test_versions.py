"""Each version has a tag of its own, and Nuclio keeps the last one that served: for whoever puts it back."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cvat_nuclio.commands.deploy import _tell_of_version
from cvat_nuclio.deploy.versions import ANNOTATION, has_own_tag, image_of, last_good, superseded, with_last_good
from cvat_nuclio.nuclio.function_yaml import FunctionYaml

Scene = Callable[..., dict[str, str]]
Deploy = Callable[..., subprocess.CompletedProcess[str]]
Calls = Callable[[], list[list[str]]]
MakeBundle = Callable[..., Path]

OLD = "nuclio/processor-demo-detector:0123456789ab"
KUBE = ("--skip-check", "--platform", "kube", "--registry", "localhost:1")


def deploys(calls: Calls) -> list[list[str]]:
    return [call for call in calls() if call[0] == "deploy"]


@pytest.fixture
def kept(make_bundle: MakeBundle) -> dict[str, Any]:
    """What Nuclio keeps of a version that serves."""
    config = FunctionYaml.open(make_bundle()).config
    return {**config, "spec": {**config["spec"], "image": OLD, "imageHash": "1", "build": {"image": "x"}}}


def test_a_tag_follows_what_goes_into_the_image_alone(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    image = image_of(FunctionYaml.open(bundle), "1.13.0")
    assert image.startswith("nuclio/processor-demo-detector:")
    assert image == image_of(FunctionYaml.open(bundle), "1.13.0") != image_of(FunctionYaml.open(bundle), "1.14.1")
    (bundle / "__pycache__").mkdir()
    (bundle / "__pycache__" / "main.pyc").write_bytes(b"1")
    assert image_of(FunctionYaml.open(bundle), "1.13.0") == image
    (bundle / "main.py").write_text("def handler(context, event):\n    return 1\n")
    assert image_of(FunctionYaml.open(bundle), "1.13.0") != image


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("team/detector", "team/detector:"),
        ("team/detector:2", "team/detector:2-"),
        ("localhost:5000/detector", "localhost:5000/detector:"),
    ],
)
def test_the_file_s_own_name_and_tag_stay(name: str, head: str, make_bundle: MakeBundle) -> None:
    image = image_of(FunctionYaml.open(make_bundle(more=f'  build: {{image: "{name}"}}')), "")
    assert image.startswith(head)
    assert len(image) == len(head) + 12


def test_latest_is_no_tag_of_its_own() -> None:
    assert [has_own_tag(name) for name in ("a", "a:latest", "h:5/a", "h:5/a:1", "a@sha256:0")] == [0, 0, 0, 1, 1]


def test_what_served_before_is_kept_without_key_and_build(kept: dict[str, Any]) -> None:
    kept["spec"]["env"] = [{"name": "AA_STATE_KEY", "value": "secret"}, {"name": "A", "value": "1"}]
    new = with_last_good({"metadata": {"name": "n"}, "spec": {}}, kept, serves=True)
    now = {**new, "spec": {"env": [{"name": "AA_STATE_KEY", "value": "of now"}]}}
    back = last_good(now)
    assert back is not None
    assert back["spec"]["image"] == OLD
    assert not {"build", "imageHash"} & set(back["spec"])
    assert back["spec"]["env"] == [{"name": "A", "value": "1"}, {"name": "AA_STATE_KEY", "value": "of now"}]
    failed_again = with_last_good({"metadata": {"name": "n"}, "spec": {}}, now, serves=False)
    assert failed_again["metadata"]["annotations"][ANNOTATION] == new["metadata"]["annotations"][ANNOTATION]


@pytest.mark.parametrize("text", ["", "no base64", "AAAA", "eJyrBQBK", "eJwDAAAAAAE="])
def test_an_annotation_of_others_is_no_version(text: str) -> None:
    assert last_good({"metadata": {"annotations": {ANNOTATION: text}}, "spec": {}}) is None


def test_what_nuctl_could_not_pass_on_is_not_kept(kept: dict[str, Any]) -> None:
    new = {"metadata": {"name": "n", "annotations": {"spec": "x" * 79_800}}, "spec": {}}
    assert ANNOTATION not in with_last_good(new, kept, serves=True)["metadata"]["annotations"]
    assert ANNOTATION in with_last_good(new, kept, serves=True, platform="kube")["metadata"]["annotations"]


def test_images_that_nothing_goes_back_to_are_named(kept: dict[str, Any]) -> None:
    now = with_last_good({"metadata": {"name": "n"}, "spec": {}}, kept, serves=True)
    name, _, _ = OLD.partition(":")
    current, older = f"{name}:ffffffffffff", [f"{name}:aaaaaaaaaaaa", f"{name}:2.0-bbbbbbbbbbbb"]
    others = [f"{name}:latest", f"{name}:mine", f"{name}2:aaaaaaaaaaaa", f"{name}:aaaaaaaaaaaaa"]
    assert superseded([current, OLD, *older, *others], current, now) == older


def test_a_good_deploy_removes_them(scene: Scene, deploy: Deploy, make_bundle: MakeBundle, answering: int) -> None:
    old = "nuclio/processor-demo-detector:aaaaaaaaaaaa"
    listed = {"image ls nuclio/processor-demo-detector": [0, f"{old}\n", ""], f"image rm {old}": [0, "", ""]}
    environment = scene(after={"state": "ready", "httpPort": answering}, docker=listed)
    done = deploy(environment, "--skip-check", make_bundle())
    assert f"demo-detector: removed {old}, which no version goes back to" in done.stdout


def failing_on_docker(kept: dict[str, Any], port: int) -> dict[str, Any]:
    """An update whose model does not load: the old container is gone; what is put back serves."""
    return {
        "before": {"state": "ready", "httpPort": port}, "config": kept,
        "container": {"before": container(port), "after": None, "rolled_back": container(port)},
        "docker": {"image inspect": [0, json.dumps([SOUND]), ""]},
        "deploys": [
            {"exit_code": 1, "stderr": "ModuleNotFoundError: No module named 'nothing'\n", "after": {"state": "error"}},
            {"exit_code": 0, "stderr": "", "after": {"state": "ready", "httpPort": port}},
        ],
    }  # fmt: skip


SOUND = {"Config": {"Healthcheck": {"Test": ["CMD", "x"]}, "Cmd": ["processor"], "Entrypoint": None}}


def container(port: int) -> dict[str, Any]:
    ports = {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(port)}]}
    return {"Id": "c", "State": {"Status": "running"}, "NetworkSettings": {"Ports": ports}}


def test_a_failed_update_names_the_way_back_and_rollback_goes_it(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls, kept: dict[str, Any], answering: int
) -> None:
    environment = scene(**failing_on_docker(kept, answering))
    done = deploy(environment, "--skip-check", make_bundle())
    assert done.returncode == 1
    assert "put the last good version back: cvat-nuclio deploy --rollback demo-detector\n" in done.stdout
    file = Path(environment["FAKE_SCENE"]).with_name("deployed.yaml")
    assert json.loads(file.read_text())["spec"]["build"]["image"].startswith("nuclio/processor-demo-detector:")
    back = deploy(environment, "--rollback", "demo-detector")
    assert back.returncode == 0, back.stdout + back.stderr
    assert "--path" not in deploys(calls)[1]
    deployed = json.loads(file.read_text())
    assert deployed["spec"]["image"] == OLD
    assert not deployed["spec"].get("build")


def test_keep_serving_goes_back_by_itself_and_keeps_both_logs(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls, kept: dict[str, Any], answering: int,
    tmp_path: Path,
) -> None:  # fmt: skip
    environment = scene(**failing_on_docker(kept, answering))
    done = deploy(environment, "--skip-check", "--keep-serving", make_bundle())
    assert done.returncode == 1
    assert "no Python module nothing" in done.stdout
    assert f"what is left: the last good version, {OLD}, was put back and serves" in done.stdout
    assert len(deploys(calls)) == 2
    assert "ModuleNotFoundError" in (tmp_path / "logs" / "demo-detector.log").read_text()
    assert (tmp_path / "logs" / "demo-detector.rollback.log").is_file()


def test_without_a_version_before_nothing_is_offered_and_rollback_says_why(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls
) -> None:
    environment = scene(exit_code=1, stderr="ModuleNotFoundError: No module named 'x'\n", after={"state": "error"})
    assert "put the last good" not in deploy(environment, "--skip-check", make_bundle()).stdout
    done = deploy(environment, "--rollback", make_bundle())
    assert done.returncode == 2
    assert "no version of demo-detector before is known" in done.stderr
    assert len(deploys(calls)) == 1


@pytest.mark.parametrize(
    ("id_", "offered"),
    [("update-to-import-error", True), ("update-to-missing-image", True), ("update-push-refused-serving", False)],
)
def test_on_a_cluster_it_is_offered_where_the_function_lost_its_addresses(
    id_: str, offered: bool, of_cluster: Any, deploy: Deploy, make_bundle: MakeBundle, kept: dict[str, Any]
) -> None:
    environment, name = of_cluster(id_, config=kept)
    done = deploy(environment, *KUBE, make_bundle(name))
    assert done.returncode == 1
    line = f"put the last good version back: cvat-nuclio deploy --rollback {name} --platform kube\n"
    assert (line in done.stdout) == offered


def test_faults_of_nuctl_s_version_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    for version in ("1.17.5", "1.14.1", "", "latest"):
        fleet: Any = SimpleNamespace(nuctl=SimpleNamespace(version=version), options=SimpleNamespace(platform="local"))
        _tell_of_version(fleet)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("note: Nuclio 1.17.5: its arm64 images carry x86-64 wheels")
    assert second == "note: Nuclio 1.17.5 was never run with this tool, which was run with 1.13.0 and 1.14.1"
