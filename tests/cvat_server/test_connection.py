"""Log-in, versions and rights: what a user reads where it does not work."""

import argparse
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from cvat_sdk.core.auth import configure_client_auth_arguments

from cvat_nuclio.commands.shared_options import add_login
from cvat_nuclio.cvat import Generation
from cvat_nuclio.cvat_server import Refused, Unreachable, connect, open_job, open_task
from cvat_nuclio.errors import UserError


def wanted(url: str, auth: str | None = "annotator:secret") -> argparse.Namespace:
    return argparse.Namespace(
        server_host=url, server_port=None, auth=auth, profile=None, organization=None, insecure=False
    )


def test_the_options_are_cvat_clis() -> None:
    def described(parser: argparse.ArgumentParser) -> dict[str, tuple[Any, ...]]:
        return {
            action.dest: (tuple(sorted(action.option_strings)), action.nargs, action.default)
            for action in parser._actions
            if action.dest != "help"
        }

    ours, theirs = argparse.ArgumentParser(), argparse.ArgumentParser()
    add_login(ours)
    configure_client_auth_arguments(theirs)
    assert described(ours) == described(theirs)


def test_password_and_generation(standin: Any) -> None:
    with connect(wanted(standin.url)) as connection:
        assert connection.version == (2, 73)
        assert connection.generation is Generation.G3
        assert connection.get("users/self")["username"] == "annotator"


def test_password_of_the_environment(standin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASS", "secret")
    with connect(wanted(standin.url, "annotator")) as connection:
        assert connection.get("users/self")["username"] == "annotator"


def test_token_of_the_environment(standin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    standin.tokens["abc"] = ("annotator", False)
    monkeypatch.setenv("CVAT_ACCESS_TOKEN", "abc")
    with connect(wanted(standin.url, None)):
        assert not any("auth/login" in line for line in standin.seen)


def test_wrong_token_is_seen_at_once(standin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVAT_ACCESS_TOKEN", "abc")
    with pytest.raises(UserError, match="does not let you in") as caught, connect(wanted(standin.url, None)):
        pass
    assert caught.value.why == "Invalid token."
    assert "CVAT_ACCESS_TOKEN" in caught.value.remedy


def test_wrong_password(standin: Any) -> None:
    with pytest.raises(UserError, match="does not let you in") as caught, connect(wanted(standin.url, "annotator:no")):
        pass
    assert caught.value.why == "Unable to log in with provided credentials."


def test_unknown_profile(standin: Any) -> None:
    args = wanted(standin.url)
    args.server_host = args.auth = None
    args.profile = "nobody's"
    with pytest.raises(UserError, match="cannot log in") as caught, connect(args):
        pass
    assert "Unknown profile" in caught.value.why


def test_old_server(standin: Any) -> None:
    standin.version = "2.34.0"
    with pytest.raises(UserError, match=r"CVAT 2\.34\.0 .* is too old") as caught, connect(wanted(standin.url)):
        pass
    assert "2.40" in caught.value.why


def test_a_server_between_has_its_own_generation(standin: Any) -> None:
    standin.version = "2.54.1"
    with connect(wanted(standin.url)) as connection:
        assert connection.generation is Generation.G2


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Unreachable, match="no answer from CVAT") as caught, connect(wanted(url)):
        pass
    assert "Connection refused" in caught.value.why


def test_no_right_to_the_task(standin: Any, standin_place: Any) -> None:
    scope = standin_place.task()
    with connect(wanted(standin.url, "stranger:secret")) as connection:
        with pytest.raises(Refused, match=f"cannot open task {scope.task_id}") as caught:
            open_task(connection, scope.task_id)
        assert caught.value.status == 403
        with pytest.raises(Refused):
            open_job(connection, scope.jobs[0].id)


def test_who_has_one_job_works_on_it(standin: Any, standin_place: Any) -> None:
    """CVAT answers 403 on the task's own addresses then."""
    scope = standin_place.task(segment_size=5)
    mine = standin.job(scope.jobs[1].id)
    mine.assignee = standin.users["stranger"]
    with connect(wanted(standin.url, "stranger:secret")) as connection:
        found = open_task(connection, scope.task_id)
        assert [job.id for job in found.jobs] == [mine.id]
        assert found.frames == (5, 6, 7, 8, 9)
        assert found.title == f"task {scope.task_id}"  # a name that CVAT does not tell


def test_what_reads_waits_for_a_restart(standin: Any, standin_place: Any) -> None:

    # cvat-sdk itself tries a GET four times.
    standin.trouble("GET", "/api/projects", 503, times=6)
    standin.projects[1] = {"id": 1, "name": "p", "labels": []}
    assert standin_place.connection.get("projects/1")["id"] == 1


def test_one_at_a_time_tells_of_a_restart_however_many_wait(
    standin: Any, standin_place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell, told = threading.Lock(), list[str]()

    @contextmanager
    def waiting(what: str) -> Iterator[None]:
        assert tell.acquire(blocking=False)
        told.append(what)
        yield
        tell.release()

    monkeypatch.setattr("cvat_nuclio.cvat_server.connection.waiting", waiting)
    standin.trouble("GET", "/api/users/self", 503, times=24)  # cvat-sdk tries four times: twice for each thread
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: standin_place.connection.get("users/self"), range(3)))
    assert [each["username"] for each in found] == ["annotator"] * 3
    assert set(told) == {f"waiting for CVAT at {standin.url}"}


def test_no_such_task(cvat_place: Any) -> None:
    with pytest.raises(Refused, match="cannot open task 99999999") as caught:
        open_task(cvat_place.connection, 99999999)
    assert caught.value.status == 404
