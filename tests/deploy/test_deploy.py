"""`deploy.sh` from the user's side, against programs that replay what the real nuctl printed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

EXPECTED = yaml.safe_load(Path(__file__).with_name("expected_causes.yaml").read_text("utf-8"))

Records = Callable[[str], list[dict[str, Any]]]
Scene = Callable[..., dict[str, str]]
Deploy = Callable[..., subprocess.CompletedProcess[str]]
Calls = Callable[[], list[list[str]]]
MakeBundle = Callable[..., Path]


def record_of(records: Records, file: str, id_: str) -> dict[str, Any]:
    """The record of nuctl 1.13.0, or of 1.14.1 where it alone has it."""
    return next(record for record in records(file) if record["id"] == id_)


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
    file = str(bundle / "function.yaml")
    assert [
        "deploy", "--project-name", "cvat", "--file", file, "--path", str(bundle), "--no-pull", "--platform", "local"
    ] in calls()  # fmt: skip


def test_a_ready_function_that_does_not_answer_has_failed(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        environment = scene(after={"state": "ready", "httpPort": unused.getsockname()[1]})
        done = deploy(environment, "--skip-check", make_bundle())
    assert done.returncode == 1
    assert "deployed, but a first request failed: no answer" in done.stdout


def test_a_disabled_function_is_not_taken_for_ready(scene: Scene, deploy: Deploy, make_bundle: MakeBundle) -> None:
    done = deploy(scene(after={"state": "ready", "httpPort": -1}), "--skip-check", make_bundle())
    assert done.returncode == 1
    assert "nuctl reports success, but the state is ready" in done.stdout


def test_after_a_failed_build_the_old_version_is_said_to_serve(
    records: Records, scene: Scene, deploy: Deploy, make_bundle: MakeBundle, answering: int
) -> None:
    record = record_of(records, "states", "redeploy-build-fails-old-container-stays")
    environment = scene(
        stdout=record["stdout"], stderr=record["stderr"], exit_code=record["exit_code"],
        before={"state": "ready", "httpPort": answering}, after={"state": "error"},
    )  # fmt: skip
    done = deploy(environment, "--skip-check", make_bundle())
    assert f"the old version still serves on port {answering}, although its state is error" in done.stdout


def test_after_a_failed_start_the_old_version_is_said_to_be_gone(
    records: Records, scene: Scene, deploy: Deploy, make_bundle: MakeBundle
) -> None:
    record = record_of(records, "states", "redeploy-init-fails-old-container-gone")
    environment = scene(
        stdout=record["stdout"], stderr=record["stderr"], exit_code=record["exit_code"],
        before={"state": "ready", "httpPort": 1}, after={"state": "error"},
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


def test_a_function_left_at_building_is_refused_and_freed_with_force(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls, answering: int
) -> None:
    environment = scene(before={"state": "building"}, after={"state": "ready", "httpPort": answering})
    refused = deploy(environment, "--skip-check", make_bundle())
    assert refused.returncode == 2
    assert "an earlier deploy of this function was cut off" in refused.stderr
    assert not any(call[0] in ("deploy", "delete") for call in calls())
    deploy(environment, "--skip-check", "--force", make_bundle())
    assert ["delete", "function", "demo-detector", "--force", "--platform", "local"] in calls()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_nothing_stuck(
    sent: signal.Signals, scene: Scene, make_bundle: MakeBundle, tmp_path: Path, calls: Calls
) -> None:
    environment = scene(exit_code=-2, after={"state": "building"})
    words = ["deploy", "--skip-check", "--logs", str(tmp_path / "logs"), str(make_bundle())]
    process = subprocess.Popen(
        [sys.executable, "-m", "cvat_nuclio", *words],
        env=environment, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "waiting").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(process.pid, sent)
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1, stderr
    assert "freeing what it leaves at `building`" in stdout
    assert "deleted, since Nuclio would have kept it at `building`" in stdout
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


def test_status_and_delete(scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls) -> None:
    environment = scene(before={"state": "ready", "httpPort": 32768})
    status = deploy(environment, "--status", make_bundle())
    assert status.returncode == 0
    assert "http://127.0.0.1:32768/" in status.stdout
    assert deploy(environment, "--delete", make_bundle()).returncode == 0
    assert deploy(environment, "--status", make_bundle()).returncode == 1
    assert ["delete", "function", "demo-detector", "--platform", "local"] in calls()


def test_two_bundles_of_one_name_are_refused(scene: Scene, deploy: Deploy, make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    done = deploy(scene(), "--skip-check", bundle, bundle)
    assert done.returncode == 2
    assert "two of the bundles are named demo-detector" in done.stderr


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
