"""Every tracker gets a key: one, the same, and nobody else's to read."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cvat_nuclio.errors import UserError
from cvat_nuclio.state_keys import VARIABLE, deploy_key, file_with, kept_key, worker_key

TRACKER: dict[str, Any] = {
    "metadata": {"name": "follow", "annotations": {"type": "tracker"}},
    "spec": {"handler": "m:h"},
}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the keys of this test lie."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path / "state" / "cvat-nuclio" / "state-keys"


def test_a_key_is_made_once_and_read_by_its_user_alone(keys: Path) -> None:
    key = kept_key("local", "nuclio", "follow")
    assert len(key) >= 43
    assert kept_key("local", "nuclio", "follow") == key
    (file,) = keys.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (keys, keys.parent)} == {0o700}


def test_each_function_has_its_own(keys: Path) -> None:
    scopes = [("local", "nuclio", "a"), ("kube", "nuclio", "a"), ("local", "b", "a"), ("local", "nuclio", "b/../a")]
    assert len({kept_key(*scope) for scope in scopes}) == 4
    assert len(list(keys.iterdir())) == 4


def test_of_two_that_make_it_at_once_both_get_one(keys: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: kept_key("local", "nuclio", "follow"), range(40)))) == 1
    assert len(list(keys.iterdir())) == 1


def test_a_link_in_its_place_is_not_followed(keys: Path, tmp_path: Path) -> None:
    kept_key("local", "nuclio", "follow")
    (file,) = keys.iterdir()
    file.unlink()
    for target in (tmp_path / "mine", tmp_path / "absent"):
        (tmp_path / "mine").write_text("the key of somebody else's choice")
        file.symlink_to(target)
        with pytest.raises(UserError, match="cannot open"):
            kept_key("local", "nuclio", "follow")
        file.unlink()
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("content", ["", "\n", "short"])
def test_a_key_that_was_cut_off_is_not_used(keys: Path, content: str) -> None:
    kept_key("local", "nuclio", "follow")
    (file,) = keys.iterdir()
    file.write_text(content)
    with pytest.raises(UserError, match="holds no key"):
        kept_key("local", "nuclio", "follow")


def test_a_tracker_is_deployed_with_the_kept_key() -> None:
    assert deploy_key(TRACKER, "local", "nuclio") == kept_key("local", "nuclio", "follow")


def test_other_functions_need_none(keys: Path) -> None:
    for kind in ("detector", "interactor", "reid", None):
        config = {"metadata": {"name": "x", "annotations": {"type": kind}}}
        assert deploy_key(config, "local", "nuclio") is None
        assert worker_key(str(kind), "nuclio", "x", {}) == {}
    assert deploy_key({"metadata": {"name": "x"}}, "local", "nuclio") is None
    assert not keys.exists()


@pytest.mark.parametrize("entry", [{"name": VARIABLE, "value": "its own"}, {"name": VARIABLE, "valueFrom": {}}])
def test_a_key_in_function_yaml_wins(keys: Path, monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any]) -> None:
    monkeypatch.setenv(VARIABLE, "the environment's key")
    assert deploy_key({**TRACKER, "spec": {"env": [entry]}}, "local", "nuclio") is None
    assert not keys.exists()


def test_a_key_in_the_environment_wins_over_the_kept_one(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "the environment's key")
    monkeypatch.setenv("ANOTHER", "another key of mine")
    assert deploy_key(TRACKER, "local", "nuclio") == "the environment's key"
    assert deploy_key(TRACKER, "local", "nuclio", "ANOTHER") == "another key of mine"
    assert worker_key("tracker", "nuclio", "follow", os.environ) == {}
    assert worker_key("tracker", "nuclio", "follow", {VARIABLE: ""}) == {}
    assert not keys.exists()


def test_a_variable_that_was_named_and_is_not_set_is_an_error() -> None:
    with pytest.raises(UserError, match="ABSENT is not set"):
        deploy_key(TRACKER, "local", "nuclio", "ABSENT")


def test_a_served_tracker_has_one_key_after_every_start() -> None:
    first = worker_key("tracker", "nuclio", "follow", {})
    assert len(first[VARIABLE]) >= 43
    assert worker_key("tracker", "nuclio", "follow", {}) == first


def test_nuctl_gets_the_key_in_a_file_that_is_gone_afterwards(keys: Path) -> None:
    config = {**TRACKER, "spec": {"handler": "m:h", "env": [{"name": "A", "value": "b"}]}}
    with file_with({VARIABLE: "the key"}, config) as file:
        assert keys in file.parents
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        written = json.loads(file.read_text())
        assert written["spec"]["env"] == [{"name": "A", "value": "b"}, {"name": VARIABLE, "value": "the key"}]
        assert written["metadata"] == config["metadata"]
        assert written["spec"]["handler"] == "m:h"
    assert not file.parent.exists()
    assert config["spec"]["env"] == [{"name": "A", "value": "b"}]
