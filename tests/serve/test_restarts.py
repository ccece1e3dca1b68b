"""A function whose worker dies: its container's restart policy, and that nobody else notices."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.serve.serve_client import get, wait_until

from cvat_nuclio.serve import Server, running
from cvat_nuclio.serve.function_settings import RestartPolicy, read_settings

POLICY = "  platform: {attributes: {restartPolicy: {name: on-failure, maximumRetryCount: 3}}}\n"
DEATHS = {
    "/exit": "        os._exit(3)\n",
    "/segfault": "        import ctypes; ctypes.string_at(0)\n",
    "/killed": "        os.kill(os.getpid(), 9)\n",
}


@pytest.fixture
def fragile(bundle: Path) -> Path:
    """The echo function, which dies when it is asked to, with the restart policy of generated bundles."""
    config = bundle / "function.yaml"
    config.write_text(config.read_text().replace("  triggers:\n", f"{POLICY}  triggers:\n"))
    asked = "".join(f'    if event.path == "{path}":\n{death}' for path, death in DEATHS.items())
    slow = '    if event.path == "/slow":\n        import time; time.sleep(30)\n'
    main = bundle / "main.py"
    main.write_text(main.read_text().replace('    print("called")\n', asked + slow))
    return bundle


@pytest.fixture
def steady(bundle: Path, tmp_path: Path) -> Path:
    """Another function."""
    other = tmp_path / "other"
    other.mkdir()
    for name in ("main.py", "function.yaml"):
        (other / name).write_text((bundle / name).read_text().replace("name: echo", "name: other"))
    return other


def port(url: str) -> int:
    return int(url.rpartition(":")[2])


def status(server: Server) -> dict[str, Any]:
    """What the dashboard says of the fragile function."""
    told: dict[str, Any] = urllib3.request("GET", f"{server.dashboard_url}/api/functions/echo").json()["status"]
    return told


def wait_for_restart(server: Server, before: list[int]) -> None:
    """Until other workers than those answer."""
    wait_until(lambda: (pids := server.functions[0].pids) and not set(pids) & set(before))
    wait_until(lambda: status(server)["state"] == "ready")


@pytest.mark.parametrize("death", DEATHS)
def test_a_function_that_dies_is_started_again_while_another_goes_on(steady: Path, fragile: Path, death: str) -> None:
    with running(fragile, steady, workers=2) as server:
        echo, other = server.functions
        with_dying = wait_until(lambda: get(port(other.url)).status)
        dying = get(port(echo.url), death)
        assert (dying.status, dying.body) in [(500, b"EOF"), (None, b"")]
        while not (pids := server.functions[0].pids) or set(pids) & set(echo.pids):
            assert get(port(other.url)).status == 200
        wait_for_restart(server, echo.pids)
        assert with_dying == get(port(echo.url)).status == 200
        assert server.functions[0].url == echo.url
        assert server.functions[1].pids == other.pids
        assert "restart 1 (restart policy on-failure:3)" in server.log


def test_requests_of_its_other_workers_are_cut(fragile: Path) -> None:
    from tests.serve.serve_scenarios import concurrently

    with running(fragile, workers=2) as server:
        number, before = port(server.url), server.worker_pids
        cut = concurrently([lambda: get(number, "/slow")])[0]
        time.sleep(0.5)
        get(number, "/killed")
        answer = cut.result()
        assert (answer.status, answer.error) in [(None, "closed without response"), (None, "ConnectionResetError")]
        wait_for_restart(server, before)
        assert get(number).status == 200


def test_after_three_restarts_it_is_unhealthy_and_the_cause_is_told(steady: Path, fragile: Path) -> None:
    with running(fragile, steady, workers=1) as server:
        for _ in range(3):
            before = server.functions[0].pids
            os.kill(before[0], 9)
            wait_for_restart(server, before)
        os.kill(server.functions[0].pids[0], 9)
        told = wait_until(lambda: (s := status(server))["state"] == "unhealthy" and not server.functions[0].pids and s)
        wait_until(lambda: "unhealthy after 3 restarts (restart policy on-failure:3)" in server.log)
        assert "exited unexpectedly with: signal: killed" in told["message"]
        assert get(port(server.url)).status is None
        assert get(port(server.functions[1].url)).status == 200
        assert server.process.poll() is None


def test_a_start_that_fails_is_a_death_too(fragile: Path, tmp_path: Path) -> None:
    main, broken = fragile / "main.py", tmp_path / "broken"
    fails = f'    if os.path.exists("{broken}"):\n        raise RuntimeError("no memory for the weights")\n'
    main.write_text(main.read_text().replace('    context.logger.info("loaded")\n', fails))
    with running(fragile, workers=1) as server:
        broken.touch()
        os.kill(server.worker_pids[0], 9)
        assert wait_until(lambda: server.process.poll()) == 2
        assert "no memory for the weights" in server.log
        assert "unhealthy after 3 restarts" in server.log


def test_the_end_comes_in_the_middle_of_a_restart(fragile: Path) -> None:
    with running(fragile, workers=1) as server:
        pid = server.worker_pids[0]
        os.kill(pid, 9)
        wait_until(lambda: "restart 1" in server.log)
        assert server.stop() == 0
        assert all(not Path(f"/proc/{p}").exists() for p in (pid, *server.worker_pids))


@pytest.mark.parametrize(
    ("policy", "status", "done", "again"),
    [
        (RestartPolicy(), 2, 0, False),
        (RestartPolicy("on-failure", 3), 2, 2, True),
        (RestartPolicy("on-failure", 3), 2, 3, False),
        (RestartPolicy("on-failure", 3), 0, 0, False),
        (RestartPolicy("on-failure"), 2, 99, True),
        (RestartPolicy("always", 3), 2, 99, True),
        (RestartPolicy("unless-stopped"), 0, 0, True),
    ],
)
def test_a_policy_is_dockers(policy: RestartPolicy, status: int, done: int, again: bool) -> None:
    assert policy.restarts(status, done) is again


def test_the_policy_is_the_files(bundle: Path, fragile: Path) -> None:
    assert read_settings(fragile).restart == RestartPolicy("on-failure", 3)
