"""`cvat-nuclio serve` and `running` as a user and as other code meet them."""

import json
import os
import re
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.serve.serve_client import wait_until

from cvat_nuclio.errors import UserError
from cvat_nuclio.serve import running


def ask(url: str, **options: Any) -> Any:
    """The JSON answer to a POST."""
    return urllib3.request("POST", url, **options).json()


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    return not Path(f"/proc/{pid}").exists()


def serve(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """`cvat-nuclio serve` until it ends by itself."""
    command = [sys.executable, "-m", "cvat_nuclio", "serve", "--dashboard-port", "0", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def change(path: Path, old: str, new: str) -> None:
    """Replaces text in a file that must hold it."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_bundle_is_served_while_the_block_runs(bundle: Path) -> None:
    with running(bundle) as server:
        pids = server.worker_pids
        answers = [ask(server.url, json={"n": n}) for n in range(4)]
        ready = urllib3.request("GET", f"{server.health_url}/ready").status
    assert [answer["body"] for answer in answers] == [{"n": n} for n in range(4)]
    assert [answer["pid"] for answer in answers] == [*pids, *pids]
    assert {answer["greeting"] for answer in answers} == {"from spec.env"}
    assert ready == 200
    assert all(map(gone, [*pids, server.process.pid]))
    assert server.process.returncode == 0


def test_a_function_s_file_is_served_from_a_bundle_that_goes_away(repository: Path, tmp_path: Path) -> None:
    function = tmp_path / "street.py"
    function.write_bytes((repository / "tests/generate/zoo/detector.py").read_bytes())
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with running(function, env={"TMPDIR": str(scratch)}) as server:
        assert [found.name for found in server.functions] == ["street"]
        assert any(scratch.glob("*/street/nuclio/function.yaml"))
        assert urllib3.request("POST", server.url, json={}).status == 400
    assert [path for path in scratch.glob("cvat-nuclio-*") if path.is_dir()] == []
    assert not (tmp_path / "street").exists()


def test_parameters_of_two_functions_files_are_refused(repository: Path) -> None:
    file = str(repository / "tests/generate/zoo/detector.py")
    ended = serve(file, file, "-p", "size=int:3")
    assert ended.returncode == 2
    assert "parameters go with one function's file" in ended.stderr


def test_the_number_of_workers_can_be_laid_over_the_files(bundle: Path) -> None:
    with running(bundle, workers=1) as server:
        assert len(server.worker_pids) == 1


def test_several_bundles_share_a_dashboard(bundle: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in ("main.py", "function.yaml"):
        (other / name).write_text((bundle / name).read_text().replace("name: echo", "name: other"))
    with running(bundle, other, workers=1) as server:
        listed = urllib3.request("GET", f"{server.dashboard_url}/api/functions").json()
        assert {name: entry["status"]["httpPort"] for name, entry in listed.items()} == {
            function.name: int(function.url.rpartition(":")[2]) for function in server.functions
        }
        assert [function.name for function in server.functions] == ["echo", "other"]


def test_the_current_folder_is_no_part_of_the_engines_path(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    for name in ("types", "queue", "logging", "yaml", "msgpack", "h11"):
        (folder / f"{name}.py").write_text("raise SystemExit('the current folder is on the path')\n")
    code = (
        "import sys, urllib3\nfrom cvat_nuclio.serve import running\n"
        "with running(sys.argv[1], python=sys.argv[2]) as server:\n"
        "    print(urllib3.request('POST', server.url).status)\n"
    )
    other_name = Path(sys.executable).with_name("python3")
    command = [sys.executable, "-P", "-c", code, str(bundle), str(other_name)]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (told.stdout, told.stderr) == ("200\n", "")


def test_a_worker_finds_its_function_where_python_is_asked_for_a_safe_path(bundle: Path) -> None:
    with running(bundle, env={"PYTHONSAFEPATH": "1"}) as server:
        assert ask(server.url)["greeting"] == "from spec.env"


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ("import os\n", "import os, time\ntime.sleep(2)\n", "1 of 1 workers import main:handler"),
        ('    context.logger.info("loaded")\n', "    import time; time.sleep(2)\n", "1 of 1 workers run init_context"),
    ],
)
def test_a_start_that_takes_a_while_says_what_it_is_at(bundle: Path, old: str, new: str, at: str) -> None:
    change(bundle / "main.py", old, new)
    with running(bundle, workers=1) as server:
        assert re.search(rf"^echo: {at} … \d+ s$", server.log, re.MULTILINE)


def test_what_the_function_prints_and_logs_is_shown_with_its_name(bundle: Path) -> None:
    with running(bundle, workers=1) as server:
        ask(server.url)
        ask_error = urllib3.request("POST", f"{server.url}/raise")
        wait_until(lambda: "ValueError: asked to" in server.log)
        log = server.log
    assert ask_error.status == 500
    assert re.search(r"^function +kind +URL +workers *$", log, re.MULTILINE)
    assert re.search(r"^echo +detector +http://127\.0\.0\.1:\d+ +1 *$", log, re.MULTILINE)
    assert "echo | called" in log
    assert "echo | info: loaded  worker_id=0" in log
    assert "echo | ValueError: asked to" in log


def test_the_current_folder_is_the_bundles_only_where_the_image_makes_it_so(bundle: Path) -> None:
    with running(bundle, workers=1) as server:
        assert ask(server.url)["cwd"] != str(bundle)
    build = '  build: {directives: {preCopy: [{kind: WORKDIR, value: "/opt/nuclio"}]}}\n'
    change(bundle / "function.yaml", "  triggers:\n", f"{build}  triggers:\n")
    with running(bundle, workers=1) as server:
        assert ask(server.url)["cwd"] == str(bundle)


def test_a_failing_init_context_is_shown_at_once_with_its_traceback(bundle: Path) -> None:
    change(bundle / "main.py", '    context.logger.info("loaded")', '    raise RuntimeError("no weights here")')
    ended = serve(str(bundle))
    assert ended.returncode == 2
    assert "cvat-nuclio serve: echo cannot start" in ended.stderr
    assert 'main.py", line 7, in init_context' in ended.stderr
    assert "RuntimeError: no weights here" in ended.stderr


def test_a_failing_import_is_shown_with_its_traceback(bundle: Path) -> None:
    change(bundle / "main.py", "import os\n", "import os\nimport no_such_module\n")
    with pytest.raises(UserError, match=r"No module named 'no_such_module'(?s:.*)mend the function"), running(bundle):
        pass
    (bundle / "requirements.txt").write_text("no-such-module\n")
    with pytest.raises(UserError, match=r"pip install -r .*requirements\.txt, in the environment"), running(bundle):
        pass


def test_a_busy_port_is_named(bundle: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        ended = serve(str(bundle), "--port", str(port))
        dashboard = serve(str(bundle), "--dashboard-port", str(port))
    assert (ended.returncode, dashboard.returncode) == (2, 2)
    assert f"port {port} is taken" in ended.stderr
    assert f"(process {os.getpid()}) listens on it" in ended.stderr
    assert "name another port: --port N" in ended.stderr
    assert f"port {port} is taken" in dashboard.stderr
    assert "name another port: --dashboard-port N (0: any free one), or --no-dashboard" in dashboard.stderr


def test_a_port_that_there_is_not_is_refused_in_words(bundle: Path) -> None:
    ended = serve(str(bundle), "--port", "70000")
    assert ended.returncode == 2
    assert "port 70000 of 127.0.0.1 cannot be had" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_key_that_nuclio_drops_is_named(bundle: Path) -> None:
    change(bundle / "function.yaml", "  description:", "  descriptoin: x\n  description:")
    with running(bundle, workers=1) as server:
        assert "spec.descriptoin" in server.log


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("maxRequestBodySize: 33554432", 'maxRequestBodySize: "32MB"', "maxRequestBodySize"),
        ('handler: "main:handler"', "handler: main", "Malformed handler"),
        ("kind: http", "kind: htpp", "htpp"),
        ("  env:", "  eventTimeout: 30\n  env:", "missing unit in duration"),
        ("      numWorkers: 2", "      numWorkers: 2\n      batch: {mode: enable}", "batch"),
    ],
)
def test_what_nuclio_would_refuse_is_refused(bundle: Path, old: str, new: str, message: str) -> None:
    change(bundle / "function.yaml", old, new)
    ended = serve(str(bundle))
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_every_port_has_room_for_its_connections(bundle: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, limits[1]))
    try:
        with running(bundle, workers=1) as server:
            told = Path(f"/proc/{server.process.pid}/limits").read_text()
            assert int(re.findall(r"Max open files +(\d+)", told)[0]) > 3 * 512
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_two_functions_cannot_share_a_name(bundle: Path) -> None:
    assert "two functions are named echo" in serve(str(bundle), str(bundle)).stderr


def test_a_folder_without_a_function_is_refused(tmp_path: Path) -> None:
    assert "function.yaml" in serve(str(tmp_path)).stderr


def test_an_interpreter_without_the_sdk_is_refused(bundle: Path, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho \"No module named 'nuclio_sdk'\" >&2\nexit 1\n")
    python.chmod(0o755)
    ended = serve(str(bundle), "--python", str(python))
    assert "No module named 'nuclio_sdk'" in ended.stderr
    assert "pip install nuclio-sdk msgpack" in ended.stderr


def test_listening_for_other_machines_is_warned_of(bundle: Path) -> None:
    command = [sys.executable, "-m", "cvat_nuclio", "serve", str(bundle), "--host", "0.0.0.0", "--dashboard-port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            assert "can be reached from other machines" in process.stderr.readline()
        finally:
            process.terminate()


def test_the_engine_ends_with_the_process_that_started_it(bundle: Path) -> None:
    code = (
        "import os, sys\nfrom cvat_nuclio.serve import running\n"
        "with running(sys.argv[1]) as server:\n"
        "    print(server.process.pid, *server.worker_pids, flush=True)\n    os._exit(0)\n"
    )
    told = subprocess.run([sys.executable, "-c", code, str(bundle)], capture_output=True, text=True, check=True)
    pids = [int(word) for word in told.stdout.split()]
    assert len(pids) == 3
    wait_until(lambda: all(map(gone, pids)))


def test_a_second_interrupt_ends_at_once(bundle: Path) -> None:
    change(bundle / "main.py", '    print("called")', "    import time; time.sleep(60)")
    with running(bundle, workers=1) as server:
        pid = server.worker_pids[0]
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            time.sleep(0.3)
            server.process.send_signal(2)
            time.sleep(0.3)
            assert server.process.poll() is None
            server.process.send_signal(2)
            assert server.process.wait(4) == 0
        wait_until(lambda: gone(pid))


def test_a_worker_that_dies_ends_its_function_alone(bundle: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in ("main.py", "function.yaml"):
        (other / name).write_text((bundle / name).read_text().replace("name: echo", "name: other"))
    with running(bundle, other, workers=1) as server:
        dead, alive = server.functions
        os.kill(dead.pids[0], 9)
        url = f"{server.dashboard_url}/api/functions/echo"
        status = wait_until(lambda: (s := urllib3.request("GET", url).json()["status"])["state"] != "ready" and s)
        assert status["state"] == "unhealthy"
        assert status["message"].startswith("Function is not healthy: Wrapper process for worker 0 exited unexpectedly")
        assert ask(alive.url)["pid"] == alive.pids[0]
        assert "exited unexpectedly with: signal: killed" in server.log
        headers = {"x-nuclio-function-name": "echo", "x-nuclio-function-namespace": "nuclio"}
        called = urllib3.request("POST", f"{server.dashboard_url}/api/function_invocations", headers=headers)
        assert called.status == 500
        assert called.json()["error"].startswith("Failed to invoke function: Post ")


def test_a_restarted_worker_shows_its_new_pid(bundle: Path) -> None:
    change(bundle / "function.yaml", "  env:", "  eventTimeout: 1s\n  env:")
    change(bundle / "main.py", '    print("called")', "    import time; time.sleep(30)")
    with running(bundle, workers=1) as server:
        before = server.worker_pids
        answer = urllib3.request("POST", server.url, json={})
        assert (answer.status, answer.json()) == (408, {"error": "handler timed out"})
        wait_until(lambda: server.worker_pids and server.worker_pids != before)
        assert json.dumps(server.worker_pids)
