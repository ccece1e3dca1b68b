"""`--engine nuclio`: what is laid over the bundle's file, how the processor is started, watched and cleaned up."""

import shutil
import sys
from pathlib import Path

import pytest
import urllib3
import yaml
from tests.serve.serve_client import wait_until

from cvat_nuclio.errors import UserError
from cvat_nuclio.nuclio import read
from cvat_nuclio.serve import running
from cvat_nuclio.serve.nuclio_home import check_home, processor_yaml
from cvat_nuclio.serve.nuclio_processor import goroutines_cut, read_record

HERE = Path(__file__).parent


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A Nuclio home with a stand-in for the processor."""
    home = tmp_path / "home"
    (home / "py").mkdir(parents=True)
    (home / "py" / "_nuclio_wrapper.py").touch()
    script = (HERE / "fake_processor.py").read_text()
    (home / "processor").write_text(f"#!{sys.executable}\n{script}")
    (home / "processor").chmod(0o755)
    return home


def test_only_the_address_and_the_termination_time_are_laid_over_the_file() -> None:
    text = (
        "# a comment\nmetadata: {name: f, annotations: {a: 1.10, b: yes}}\n"
        "Spec:\n  handler: main:handler\n  unknown: [1, 2]\n  triggers:\n"
        "    t: {kind: http, URL: ':8080', numWorkers: 2, attributes: {port: 3}}\n    c: {kind: cron}\n"
    )
    changed = processor_yaml(text, "127.0.0.1:9", "1s")
    before, after = yaml.safe_load(text), yaml.safe_load(changed)
    trigger = before["Spec"]["triggers"]["t"]
    del trigger["URL"]
    trigger |= {"url": "127.0.0.1:9", "workerTerminationTimeout": "1s"}
    assert after == before
    assert "1.10" in changed
    assert [d.path for d in read(changed).dropped] == [d.path for d in read(text).dropped]


def test_a_file_without_a_trigger_gets_the_one_of_a_deployment() -> None:
    spec = yaml.safe_load(processor_yaml("spec: {handler: main:handler}", "127.0.0.1:9", None))["spec"]
    assert spec["triggers"] == {"default-http": {"kind": "http", "name": "default-http", "url": "127.0.0.1:9"}}


def test_the_number_of_workers_can_be_laid_over_too() -> None:
    text = "spec: {triggers: {t: {kind: http, numWorkers: 4}}}"
    assert yaml.safe_load(processor_yaml(text, "a:1", None, 2))["spec"]["triggers"]["t"]["numWorkers"] == 2


@pytest.mark.parametrize("missing", ["processor", "py/_nuclio_wrapper.py"])
def test_a_home_that_lacks_a_part_is_refused_with_the_way_to_get_it(home: Path, missing: str) -> None:
    (home / missing).unlink()
    with pytest.raises(UserError, match=missing) as error:
        check_home(home)
    assert "docker cp" in str(error.value)


def test_no_home_is_refused_with_the_way_to_get_one() -> None:
    with pytest.raises(UserError, match="docker cp"):
        check_home(None)


def test_a_processor_that_cannot_be_run_is_refused(home: Path) -> None:
    (home / "processor").chmod(0o644)
    with pytest.raises(UserError, match="chmod"):
        check_home(home)


def test_the_processor_runs_the_bundles_own_file(bundle: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with running(bundle, engine="nuclio", nuclio_home=home) as server:
        told = urllib3.request("GET", server.url).json()
        pid = server.process.pid
        assert Path(told["socket"]).exists()
    env, trigger = told["env"], told["config"]["spec"]["triggers"]["myHttpTrigger"]
    assert trigger["url"] == server.url.removeprefix("http://")
    assert trigger["attributes"] == {"maxRequestBodySize": 33554432}
    assert env["NUCLIO_PYTHON_WRAPPER_PATH"] == str(home / "py" / "_nuclio_wrapper.py")
    assert env["NUCLIO_PYTHON_PATH"] == str(bundle)
    assert env["NUCLIO_PYTHON_EXE_PATH"] == sys.executable
    assert env["GREETING"] == "from spec.env"
    assert "KUBERNETES_SERVICE_HOST" not in env
    assert not Path(told["socket"]).exists()
    assert not Path(told["cwd"]).exists()
    assert not Path(f"/proc/{pid}").exists()


def test_a_processor_that_ends_tells_why(bundle: Path, home: Path) -> None:
    with (
        pytest.raises(UserError, match="exited unexpectedly") as error,
        running(bundle, engine="nuclio", nuclio_home=home, env={"FAKE_FAILS": "1"}),
    ):
        pass
    assert "goroutine" not in str(error.value).partition("why:")[2].partition("cannot start")[2]


def test_the_home_can_come_from_the_environment(bundle: Path, home: Path) -> None:
    with running(bundle, engine="nuclio", env={"NUCLIO_HOME": str(home)}) as server:
        assert urllib3.request("GET", server.url).status == 200


def test_a_processor_that_dies_ends_the_engine(bundle: Path, home: Path) -> None:
    with running(bundle, engine="nuclio", nuclio_home=home) as server:
        processor = next(p for p in Path("/proc").glob("[0-9]*") if is_child(p, server.process.pid))
        import os

        os.kill(int(processor.name), 9)
        assert wait_until(lambda: server.process.poll() is not None)


def is_child(path: Path, parent: int) -> bool:
    """Whether a process is the parent's child."""
    try:
        return f"PPid:\t{parent}\n" in (path / "status").read_text()
    except OSError:
        return False


def test_the_processors_own_chatter_is_debug() -> None:
    line = '{"level":"info","time":1,"name":"processor","message":"Starting"}'
    record = read_record("f", line)
    assert record
    assert (record.level, record.message) == ("debug", "Starting")
    own = read_record("f", '{"level":"info","time":1,"name":"x","message":"hello","worker_id":"0"}')
    assert own
    assert own.level == "info"
    assert read_record("f", "plain text") is None
    assert read_record("f", "{'no': json}") is None


def test_gos_stacks_are_cut() -> None:
    assert goroutines_cut(["panic: x", "", "goroutine 1 [running]:", "main.main()"]) == ["panic: x"]


def test_the_stand_in_is_no_processor(home: Path) -> None:
    shutil.rmtree(home / "py")
    with pytest.raises(UserError):
        check_home(home)
