"""Where locks, logs and keys lie: the user's own, whatever others prepared there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from cvat_nuclio.errors import UserError
from cvat_nuclio.private_files import journal_of, open_private, private_folder


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's state folder; it is not there yet."""
    folder = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


@pytest.fixture
def ordinary_user(tmp_path: Path) -> Iterator[None]:
    """Permissions hold for whoever runs the test: root lays its powers down."""
    if os.geteuid() != 0:
        yield
        return
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    os.seteuid(65534)
    yield
    os.seteuid(0)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_the_folder_is_open_to_nobody_else(state: Path) -> None:
    folder = private_folder("deploy")
    assert folder == state / "cvat-nuclio" / "deploy"
    assert (mode(folder), mode(folder.parent)) == (0o700, 0o700)


def test_a_folder_that_was_open_is_closed(state: Path) -> None:
    (state / "cvat-nuclio").mkdir(parents=True)
    (state / "cvat-nuclio").chmod(0o777)
    private_folder()
    assert mode(state / "cvat-nuclio") == 0o700


@pytest.mark.parametrize("place", ["cvat-nuclio", "cvat-nuclio/deploy"])
def test_a_link_in_the_place_of_a_folder_is_refused(state: Path, tmp_path: Path, place: str) -> None:
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o755)
    victim.chmod(0o755)
    (state / place).parent.mkdir(parents=True)
    (state / place).symlink_to(victim)
    with pytest.raises(UserError, match="cannot use") as caught:
        private_folder("deploy")
    assert "it is a link" in str(caught.value)
    assert mode(victim) == 0o755
    assert not any(victim.iterdir())


def test_a_folder_of_somebody_else_is_refused(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private_folder()
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(UserError, match="cannot use") as caught:
        private_folder()
    assert "belongs to another user" in str(caught.value)
    assert "XDG_STATE_HOME" in caught.value.remedy


@pytest.mark.usefixtures("ordinary_user")
def test_a_folder_that_cannot_be_made_is_explained(state: Path, tmp_path: Path) -> None:
    if os.geteuid() == os.getuid():
        tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot use") as caught:
        private_folder()
    assert caught.value.why == "Permission denied"


@pytest.mark.usefixtures("state")
def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    planted = private_folder() / "x.log"
    planted.symlink_to(victim)
    for how in ("w", "a", "r"):
        with pytest.raises(UserError, match=r"x\.log") as caught:
            open_private(planted, how)
        assert caught.value.why == "it is a link"
    assert victim.read_text() == "precious"


@pytest.mark.usefixtures("state")
def test_a_pipe_in_the_place_of_a_file_is_refused_at_once() -> None:
    planted = private_folder() / "x.log"
    os.mkfifo(planted)
    for how in ("w", "r"):
        with pytest.raises(UserError, match=r"x\.log"):
            open_private(planted, how)


@pytest.mark.usefixtures("state")
def test_a_file_is_written_and_added_to_and_nobody_else_reads_it() -> None:
    path = private_folder() / "x.log"
    for how in ("w", "a"):
        with open_private(path, how) as file:
            file.write("line\n")
    assert path.read_text() == "line\nline\n"
    assert mode(path) == 0o600


def test_one_process_has_a_journal_at_a_time(state: Path) -> None:
    with journal_of("track", {"task": 1}) as path:
        with pytest.raises(UserError, match="under way"), journal_of("track", {"task": 1}):
            pass
        with journal_of("track", {"task": 2}) as other:
            assert other != path
        path.write_text("half of it")
    with journal_of("track", {"task": 1}) as again:
        assert again.read_text() == "half of it"
        again.unlink()
    assert list(path.parent.iterdir()) == []


def test_a_lock_that_its_holder_removes_is_no_lock(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process has opened it before, and locks it after."""

    def late(file: IO[str]) -> bool:
        lock.unlink()
        return True

    with journal_of("track", {"task": 1}) as path:
        lock = path.with_suffix(".lock")
    monkeypatch.setattr("cvat_nuclio.private_files.locked_alone", late)
    with pytest.raises(UserError, match="under way"), journal_of("track", {"task": 1}):
        pass
