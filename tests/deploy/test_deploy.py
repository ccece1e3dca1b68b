"""`deploy.sh` from the user's side, against programs that replay what the real nuctl printed."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tools import tiny_onnx

from cvat_nuclio.__main__ import main
from cvat_nuclio.deploy.versions import image_of
from cvat_nuclio.nuclio.function_yaml import FunctionYaml

EXPECTED = yaml.safe_load(Path(__file__).with_name("expected_causes.yaml").read_text("utf-8"))

Records = Callable[[str], list[dict[str, Any]]]
Scene = Callable[..., dict[str, str]]
Deploy = Callable[..., subprocess.CompletedProcess[str]]
Calls = Callable[[], list[list[str]]]
MakeBundle = Callable[..., Path]


def record_of(records: Records, file: str, id_: str) -> dict[str, Any]:
    """The record of nuctl 1.13.0, or of 1.14.1 where it alone has it."""
    return next(record for record in records(file) if record["id"] == id_)


def running(container: str, port: int) -> dict[str, Any]:
    """As `docker inspect` shows it."""
    ports = {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(port)}]}
    return {"Id": container, "State": {"Status": "running", "ExitCode": 0}, "NetworkSettings": {"Ports": ports}}


def stopped(container: str) -> dict[str, Any]:
    """As `docker inspect` shows it."""
    return {"Id": container, "State": {"Status": "exited", "ExitCode": 2}, "NetworkSettings": {"Ports": {}}}


# One recorded failure for each place where a deploy can break.
FAILURES = [
    "project-missing", "network-missing", "base-image-missing-pull", "pip-no-such-version", "pip-network-none",
    "msgpack-mismatch-3.10", "python-not-on-path", "pep-668", "init-context-raises-on-failure-3", "import-error",
    "init-too-slow", "port-busy", "gpu-no-nvidia-runtime", "resource-memory-oom-at-init", "env-single-quote",
    "annotation-100kb", "buildkit-without-buildx", "tmp-full", "docker-not-running-deploy", "apt-fails",
]  # fmt: skip


@pytest.mark.parametrize("id_", FAILURES)
def test_a_failure_is_told_in_one_line_with_its_remedy_and_the_log(
    id_: str, records: Records, scene: Scene, deploy: Deploy, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    record = record_of(records, "failures", id_)
    environment = scene(
        stdout=record["stdout"], stderr=record["stderr"], exit_code=record["exit_code"], after={"state": "error"}
    )
    done = deploy(environment, "--skip-check", make_bundle())
    assert done.returncode == 1, done.stderr
    expected = EXPECTED[f"failures/{id_}"]
    assert f"demo-detector: {expected[0] if isinstance(expected, list) else expected}\n  try: " in done.stdout
    assert len(done.stdout) < 4000
    log = tmp_path / "logs" / "demo-detector.log"
    assert f"whole log: {log}" in done.stdout
    assert record["stderr"].splitlines()[1] in log.read_text("utf-8")


def test_success_is_believed_only_after_a_real_request(
    records: Records, scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls, answering: int
) -> None:
    record = record_of(records, "deploy", "deploy-detector-first")
    environment = scene(stdout=record["stdout"], after={"state": "ready", "httpPort": answering})
    bundle = make_bundle()
    done = deploy(environment, "--skip-check", "--offline", bundle)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"ready at http://127.0.0.1:{answering}/" in done.stdout
    assert calls()[0] == ["create", "project", "cvat", "--platform", "local"]
    (command,) = [call for call in calls() if call[0] == "deploy"]
    assert command[:3] == ["deploy", "--project-name", "cvat"]
    assert command[5:] == ["--path", str(bundle), "--no-pull", "--platform", "local"]
    deployed = json.loads(Path(environment["FAKE_SCENE"]).with_name("deployed.yaml").read_text())
    assert deployed["spec"]["build"]["image"] == image_of(FunctionYaml.open(bundle), "1.13.0")


def test_a_ready_function_that_does_not_answer_has_failed(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        environment = scene(after={"state": "ready", "httpPort": unused.getsockname()[1]})
        done = deploy(environment, "--skip-check", make_bundle())
    assert done.returncode == 1
    assert "deployed, but a first request failed: the job fails: ConnectionError" in done.stdout


def test_a_disabled_function_is_not_taken_for_ready(scene: Scene, deploy: Deploy, make_bundle: MakeBundle) -> None:
    bundle = make_bundle(more="  disable: true")
    done = deploy(scene(after={"state": "ready", "httpPort": -1}), "--skip-check", bundle)
    assert done.returncode == 1
    assert "the file asks for no replica" in done.stdout


def test_after_a_failed_build_the_old_version_is_said_to_serve(
    records: Records, scene: Scene, deploy: Deploy, make_bundle: MakeBundle, answering: int
) -> None:
    record = record_of(records, "states", "redeploy-build-fails-old-container-stays")
    environment = scene(
        stdout=record["stdout"], stderr=record["stderr"], exit_code=record["exit_code"],
        before={"state": "ready", "httpPort": answering}, after={"state": "error"},
        container={"before": running("old", answering), "after": running("old", answering)},
    )  # fmt: skip
    done = deploy(environment, "--skip-check", make_bundle())
    assert f"the old version still serves on port {answering}, although its state is error" in done.stdout


def test_after_a_failed_start_the_old_version_is_said_to_be_gone(
    records: Records, scene: Scene, deploy: Deploy, make_bundle: MakeBundle, answering: int
) -> None:
    record = record_of(records, "states", "redeploy-init-fails-old-container-gone")
    environment = scene(
        stdout=record["stdout"], stderr=record["stderr"], exit_code=record["exit_code"],
        before={"state": "ready", "httpPort": answering}, after={"state": "error"},
        container={"before": running("old", answering), "after": stopped("new")},
    )  # fmt: skip
    done = deploy(environment, "--skip-check", make_bundle())
    assert "demo-detector: the function fails to start: RuntimeError: boom" in done.stdout
    assert "nothing: the old version was removed before the new one failed" in done.stdout


def test_a_failure_does_not_stop_the_others(
    records: Records, scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls
) -> None:
    record = record_of(records, "failures", "apt-fails")
    environment = scene(stderr=record["stderr"], exit_code=1, after={"state": "error"})
    done = deploy(environment, "--skip-check", "--parallel", 2, make_bundle("one"), make_bundle("two"))
    assert done.returncode == 1
    assert sum(call[0] == "deploy" for call in calls()) == 2
    assert "one: apt: Unable to locate" in done.stdout
    assert "two: apt: Unable to locate" in done.stdout


def test_several_models_of_the_page_are_deployed_by_one_command(
    repository: Path, tmp_path: Path, scene: Scene, deploy: Deploy, calls: Calls, answering: int
) -> None:
    pytest.importorskip("onnx")
    page = (repository / "docs/models.md").read_text("utf-8")
    (line,) = re.findall(r"^\./deploy\.sh (.*)$", page, re.M)
    bundles = line.split()
    assert len(bundles) > 1
    for name in bundles:
        tiny_onnx.yolo(tmp_path / f"{name}.onnx", ["helmet", "hat"], side=64)
        assert main(["generate", "--model", str(tmp_path / f"{name}.onnx"), "--output", str(tmp_path / name)]) == 0
    done = deploy(scene(after={"state": "ready", "httpPort": answering}), "--offline", *bundles)
    assert done.returncode == 0, done.stdout + done.stderr
    deployed = [call[call.index("--file") + 1] for call in calls() if call[0] == "deploy"]
    assert len(deployed) == len(bundles)
    for name in bundles:
        assert f"{name}: ready at http://127.0.0.1:{answering}/" in done.stdout


def test_a_function_left_at_building_is_refused_and_freed_with_force(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls, answering: int
) -> None:
    environment = scene(before={"state": "building"}, after={"state": "ready", "httpPort": answering})
    refused = deploy(environment, "--skip-check", make_bundle())
    assert refused.returncode == 2
    assert "Nuclio takes this function for being deployed" in refused.stderr
    assert not any(call[0] in ("deploy", "delete") for call in calls())
    deploy(environment, "--skip-check", "--force", make_bundle())
    assert ["delete", "function", "demo-detector", "--force", "--platform", "local"] in calls()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_nothing_stuck(
    sent: signal.Signals, scene: Scene, make_bundle: MakeBundle, interrupted: Any, calls: Calls
) -> None:
    done = interrupted(scene(exit_code=-2, after={"state": "building"}), make_bundle(), sent=sent)
    assert done.returncode == 1, done.stderr
    assert "freeing what it would leave at `building`" in done.stdout
    assert "deleted, since Nuclio would have kept it at `building`" in done.stdout
    assert ["delete", "function", "demo-detector", "--force", "--platform", "local"] in calls()


def test_dry_run_prints_the_command_and_runs_none(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls
) -> None:
    bundle = make_bundle()
    done = deploy(scene(), "--skip-check", "--dry-run", bundle)
    assert done.returncode == 0
    assert f"nuctl deploy --project-name cvat --file {bundle / 'function.yaml'}" in done.stdout
    assert not any(call[0] == "deploy" for call in calls())


def test_prebuilt_gives_no_path_and_looks_at_the_image_first(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls, answering: int
) -> None:
    bundle = make_bundle(more='  image: "team/detector:1"', file="function-prebuilt.yaml")
    sound = [{"Config": {"Healthcheck": {"Test": ["CMD", "x"]}, "Cmd": ["processor"], "Entrypoint": None}}]
    environment = scene(
        after={"state": "ready", "httpPort": answering}, docker={"image inspect": [0, json.dumps(sound), ""]}
    )
    done = deploy(environment, "--skip-check", "--prebuilt", bundle)
    assert done.returncode == 0, done.stderr
    (command,) = [call for call in calls() if call[0] == "deploy"]
    assert "--path" not in command


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"Cmd": ["processor"]}, "has no HEALTHCHECK, and nuctl panics"),
        ({"Cmd": ["bash"], "Healthcheck": {"Test": ["CMD", "x"]}}, "does not start `processor`"),
        (
            {"Cmd": ["processor"], "Healthcheck": {"Test": ["CMD", "x"]}, "Entrypoint": ["/bin/echo"]},
            "may swallow the command",
        ),
    ],
)
def test_an_image_that_nuctl_would_choke_on_is_found_before(
    config: dict[str, Any], words: str, scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls
) -> None:
    bundle = make_bundle(more='  image: "team/detector:1"', file="function-prebuilt.yaml")
    environment = scene(docker={"image inspect": [0, json.dumps([{"Config": config}]), ""]})
    done = deploy(environment, "--skip-check", "--prebuilt", bundle)
    assert done.returncode == 2
    assert words in done.stderr
    assert not any(call[0] == "deploy" for call in calls())


def test_status_and_delete(scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls, answering: int) -> None:
    environment = scene(before={"state": "ready", "httpPort": answering})
    status = deploy(environment, "--status", make_bundle())
    assert status.returncode == 0
    assert f"http://127.0.0.1:{answering}/" in status.stdout
    assert deploy(environment, "--delete", make_bundle()).returncode == 0
    assert deploy(environment, "--status", make_bundle()).returncode == 1
    assert ["delete", "function", "demo-detector", "--platform", "local"] in calls()
    again = deploy(environment, "--delete", make_bundle())
    assert again.returncode == 1
    assert "there is no function of this name" in again.stdout


def test_two_bundles_of_one_name_are_refused(scene: Scene, deploy: Deploy, make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    done = deploy(scene(), "--skip-check", bundle, bundle)
    assert done.returncode == 2
    assert "two functions are named demo-detector" in done.stderr


def test_a_bundle_without_a_gpu_form_is_refused(scene: Scene, deploy: Deploy, make_bundle: MakeBundle) -> None:
    done = deploy(scene(), "--gpu", make_bundle())
    assert done.returncode == 2
    assert "holds no function-gpu.yaml" in done.stderr


def test_without_nuctl_the_user_is_told_to_install_it(
    deploy: Deploy, make_bundle: MakeBundle, scene: Scene, tmp_path: Path
) -> None:
    from cvat_nuclio.deploy.nuctl import Nuctl
    from cvat_nuclio.errors import UserError

    with pytest.raises(UserError, match="there is no program nuctl-of-nobody") as caught:
        Nuctl(program="nuctl-of-nobody").get("x")
    assert "install nuctl" in caught.value.remedy


def test_a_tracker_gets_one_key_that_no_bundle_log_or_command_line_holds(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls, answering: int, tmp_path: Path
) -> None:
    bundle = make_bundle()
    file = bundle / "function.yaml"
    text = file.read_text().replace('detector"', 'tracker"')
    file.write_text(text)
    environment = scene(after={"state": "ready", "httpPort": answering})
    environment.pop("AA_STATE_KEY", None)
    keys = []
    for _ in range(2):
        deploy(environment, "--skip-check", "--verbose", bundle)
        deployed = json.loads((tmp_path / "deployed.yaml").read_text())
        keys += [entry["value"] for entry in deployed["spec"]["env"] if entry["name"] == "AA_STATE_KEY"]
        assert deployed["metadata"]["annotations"]["type"] == "tracker"
    assert len(keys) == 2
    assert len(set(keys)) == 1
    command = [call for call in calls() if call[0] == "deploy"][-1]
    assert keys[0] not in " ".join(command)
    assert command[command.index("--path") + 1] == str(bundle)
    assert not Path(command[command.index("--file") + 1]).exists()
    assert file.read_text() == text
    holding = [one for one in tmp_path.rglob("*") if one.is_file() and keys[0] in one.read_text(errors="replace")]
    assert [one.parent.name for one in holding if one.name != "deployed.yaml"] == ["state-keys"]
    deploy({**environment, "MY_KEY": "a key of my own choice"}, "--skip-check", "--state-key-env", "MY_KEY", bundle)
    assert "a key of my own choice" in (tmp_path / "deployed.yaml").read_text()


def test_what_is_left_is_true_after_one_failed_build_upon_another(
    records: Records, scene: Scene, deploy: Deploy, make_bundle: MakeBundle, answering: int
) -> None:
    """The state is `error` before already, without a port, while the version before both serves on."""
    record = record_of(records, "states", "redeploy-build-fails-old-container-stays")
    environment = scene(
        stdout=record["stdout"], stderr=record["stderr"], exit_code=1,
        before={"state": "error"}, after={"state": "error"},
        container={"before": running("old", answering), "after": running("old", answering)},
    )  # fmt: skip
    done = deploy(environment, "--skip-check", make_bundle())
    assert f"what is left: the old version still serves on port {answering}, although its state is error" in done.stdout


def test_an_interrupted_build_leaves_the_version_that_serves(
    scene: Scene, make_bundle: MakeBundle, interrupted: Any, calls: Calls, answering: int
) -> None:
    environment = scene(
        exit_code=-2, before={"state": "ready", "httpPort": answering}, after={"state": "building"},
        container={"before": running("old", answering), "after": running("old", answering)},
    )  # fmt: skip
    done = interrupted(environment, make_bundle())
    assert "the old version still serves" in done.stdout
    assert "the next deploy needs --force" in done.stdout
    assert not any(call[0] == "delete" for call in calls())


def test_an_answer_that_cvat_refuses_is_no_success(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, function_answering: Callable[[bytes], int]
) -> None:
    port = function_answering(b'[{"label": "person", "points": [1, 2, 3]}]')
    done = deploy(scene(after={"state": "ready", "httpPort": port}), "--skip-check", make_bundle())
    assert done.returncode == 1
    assert "deployed, but a first request failed: the job fails" in done.stdout


def test_another_project_must_be_there_already(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls, answering: int
) -> None:
    environment = scene(after={"state": "ready", "httpPort": answering}, projects=["cvat", "ours"])
    refused = deploy(environment, "--skip-check", "--project", "nope", make_bundle())
    assert refused.returncode == 2
    assert "there is no project nope; CVAT lists the functions of project cvat alone" in refused.stderr
    assert not any(call[0] == "deploy" for call in calls())
    assert deploy(environment, "--skip-check", "--project", "ours", make_bundle()).returncode == 0


def test_variables_are_set_over_the_file_s_own(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, answering: int, tmp_path: Path
) -> None:
    bundle = make_bundle(more='  env: [{name: "A", value: "old"}, {name: "B", value: "kept"}]')
    environment = scene(after={"state": "ready", "httpPort": answering})
    done = deploy(environment, "--skip-check", "--env", "A=a=new", "--env", "C=", bundle)
    assert done.returncode == 0, done.stderr
    env = json.loads((tmp_path / "deployed.yaml").read_text())["spec"]["env"]
    assert {entry["name"]: entry.get("value", "") for entry in env} == {"A": "a=new", "B": "kept", "C": ""}


def test_a_dry_run_needs_neither_docker_nor_nuctl(scene: Scene, make_bundle: MakeBundle, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    command = [sys.executable, "-m", "cvat_nuclio", "deploy", "--skip-check", "--dry-run", str(make_bundle())]
    environment = {**scene(), "PATH": str(empty)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert "not checked: what needs nuctl and docker" in done.stdout
    assert "nuctl deploy --project-name cvat" in done.stdout


def test_a_dry_run_without_nuctl_misses_the_registry(make_bundle: MakeBundle, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cvat_nuclio", "deploy", "--skip-check", "--dry-run", "--platform", "kube"]
    done = subprocess.run(
        [*command, str(make_bundle())], env={"PATH": str(tmp_path), "HOME": str(tmp_path)}, cwd=tmp_path,
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no --registry: the cluster's nodes cannot get an image" in done.stderr


def test_nuctl_that_never_ends_is_ended(scene: Scene, deploy: Deploy, make_bundle: MakeBundle) -> None:
    done = deploy(scene(exit_code=-2, after={"state": "error"}), "--skip-check", "--limit", "0.05", make_bundle())
    assert done.returncode == 1
    assert "nuctl did not come back in the time that it has" in done.stdout


def test_build_arguments_reach_the_build_and_leave_their_values_nowhere(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls, answering: int, tmp_path: Path
) -> None:
    """As Docker 20.10 was seen to do with it: a flag that only names takes the value from the client's environment."""
    bundle = make_bundle(more='  build: {directives: {preCopy: [{kind: "USER", value: "root"}]}, flags: ["--squash"]}')
    environment = scene(
        after={"state": "ready", "httpPort": answering}, stdout="https://u:secret@pypi.example/simple\n"
    )
    done = deploy(
        {**environment, "TOKEN": "two words"}, "--skip-check", "--verbose",
        "--pip-index-url", "https://u:secret@pypi.example/simple",
        "--pip-extra-index-url", "https://a.example", "--pip-extra-index-url", "https://b.example",
        "--build-arg", "HTTPS_PROXY=http://proxy.example:3128", "--build-arg", "TOKEN", bundle,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "note: `docker history` of the image will show PIP_INDEX_URL with its login" in done.stdout
    build = json.loads((tmp_path / "deployed.yaml").read_text())["spec"]["build"]
    assert [one["value"] for one in build["directives"]["preCopy"]] == [
        "TOKEN", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "root",
    ]  # fmt: skip
    names = ["HTTPS_PROXY", "https_proxy", "TOKEN", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"]
    assert build["flags"] == ["--squash", *(f"--build-arg={name}" for name in names)]
    told = json.loads((tmp_path / "environment.json").read_text())
    assert [told[name] for name in names] == [
        "http://proxy.example:3128", "http://proxy.example:3128", "two words",
        "https://u:secret@pypi.example/simple", "https://a.example https://b.example",
    ]  # fmt: skip
    holding = [one.name for one in tmp_path.rglob("*") if one.is_file() and "secret" in one.read_text(errors="replace")]
    assert sorted(holding) == ["environment.json", "scene.json"]
    assert "secret" not in done.stdout
    assert not any("secret" in word or "proxy" in word for call in calls() for word in call)


SECRET_STEPS = """\
  build:
    directives:
      preCopy:
        - {kind: RUN, value: "--mount=type=secret,id=HF_TOKEN,required=true python bake.py"}
        - {kind: RUN, value: "--mount=type=cache,target=/c --mount=id=OTHER,type=secret echo --mount=type=secret,id=NO"}
"""


def test_a_secret_reaches_the_step_that_mounts_it_and_stays_nowhere(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls, answering: int, tmp_path: Path
) -> None:
    environment = scene(after={"state": "ready", "httpPort": answering})
    bundle = make_bundle(more=SECRET_STEPS)
    done = deploy({**environment, "HF_TOKEN": "hf_hidden", "NO": "1"}, "--skip-check", "--verbose", bundle)
    assert done.returncode == 0, done.stderr
    deployed = json.loads((tmp_path / "deployed.yaml").read_text())
    assert deployed["spec"]["build"]["flags"] == ["--secret=id=HF_TOKEN,env=HF_TOKEN"]
    told = json.loads((tmp_path / "environment.json").read_text())
    assert (told["HF_TOKEN"], told["DOCKER_BUILDKIT"]) == ("hf_hidden", "1")
    holding = [one.name for one in tmp_path.rglob("*") if one.is_file() and "hf_hid" in one.read_text(errors="replace")]
    assert holding == ["environment.json"]
    assert not any("hf_hidden" in word for call in calls() for word in call)


def test_a_secret_that_nobody_can_hand_over_is_told_before_the_build(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, answering: int
) -> None:
    environment = scene(after={"state": "ready", "httpPort": answering})
    bundle = make_bundle(more=SECRET_STEPS)
    done = deploy({**environment, "OTHER": "there"}, "--skip-check", bundle)
    assert done.returncode
    assert "the image's build asks for the secret HF_TOKEN" in done.stdout + done.stderr
    kaniko = {**environment, "HF_TOKEN": "hf_hidden", "NUCLIO_CONTAINER_BUILDER_KIND": "kaniko"}
    done = deploy(kaniko, "--skip-check", bundle)
    assert "the secret HF_TOKEN reaches no build in the cluster" in done.stdout + done.stderr


def test_build_arguments_that_would_reach_nothing_are_refused(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, answering: int
) -> None:
    environment = scene(after={"state": "ready", "httpPort": answering})
    bundle = make_bundle(more='  build: {commands: ["pip install numpy"]}')
    for words, said in [
        (["--build-arg", "NOWHERE_SET"], "there is no variable NOWHERE_SET in the environment"),
        (["--build-arg", "A B=C"], "'A B' is no name of a build argument"),
        (["--build-arg", "A=B", "--prebuilt"], "--prebuilt builds no image"),
        (["--build-arg", "A=B", "--rollback"], "--rollback builds no image"),
        (["--build-arg", "A=B"], "spec.build.commands replaces the directives"),
    ]:
        done = deploy(environment, "--skip-check", *words, bundle)
        assert done.returncode, words
        assert said in done.stderr + done.stdout
    kaniko = deploy({**environment, "NUCLIO_CONTAINER_BUILDER_KIND": "kaniko"}, "--build-arg", "A=B", bundle)
    assert "build arguments reach no build in the cluster" in kaniko.stderr
    assert deploy(environment, "--skip-check", "--build-arg", "NO_PROXY=.example", bundle).returncode == 0
