"""What requirements come to: asked of an index, here a folder of wheels that the tests make."""

import importlib.util
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from cvat_nuclio.errors import UserError
from cvat_nuclio.generate import closure


def wheel(
    folder: Path, name: str, version: str, *requires: str, tag: str = "py3-none-any", python: str = ">=3.8"
) -> None:
    """An empty distribution that requires others."""
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: {python}"]
    metadata += [f"Requires-Dist: {item}" for item in requires]
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as file:
        file.writestr(f"{info}/METADATA", "\n".join(metadata) + "\n")
        file.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip's configuration names as the only place to look in."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nno-index = true\nfind-links = {folder}\n")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    return folder


def pins(*lines: str, python: str = "3.11", **tried: str) -> Mapping[str, str]:
    found = closure.resolve(lines, python=python, tried=tried)
    assert not found.unknown
    return found.pins


def test_what_a_requirement_brings_along_is_pinned_too(index: Path) -> None:
    wheel(index, "detect", "2.0", "weights>=1")
    wheel(index, "weights", "1.5")

    assert pins("detect") == {"detect": "2.0", "weights": "1.5"}


def test_the_versions_that_were_tried_stay(index: Path) -> None:
    wheel(index, "detect", "2.0", "weights>=1")
    for version in ("1.4", "1.5", "1.6"):
        wheel(index, "weights", version)

    assert pins("detect", weights="1.5")["weights"] == "1.5"


def test_a_requirement_weighs_more_than_what_was_tried(index: Path) -> None:
    for version in ("1.4", "1.5", "1.6"):
        wheel(index, "weights", version)

    assert pins("weights<1.5", weights="1.5") == {"weights": "1.4"}


def test_what_was_tried_and_is_not_asked_for_is_left_out(index: Path) -> None:
    wheel(index, "weights", "1.5")

    assert pins("weights", other="3.0") == {"weights": "1.5"}


def test_the_image_s_python_decides_and_not_this_one(index: Path) -> None:
    wheel(index, "detect", "2.0", python=">=3.13")
    wheel(index, "detect", "1.0", python=">=3.8")

    assert pins("detect", python="3.11") == {"detect": "1.0"}
    assert pins("detect", python="3.13") == {"detect": "2.0"}


def test_wheels_of_other_systems_are_none_of_the_image_s(index: Path) -> None:
    wheel(index, "detect", "2.0", tag="cp311-cp311-win_amd64")
    wheel(index, "detect", "1.0", tag="cp311-cp311-manylinux_2_17_x86_64")

    assert pins("detect") == {"detect": "1.0"}


@pytest.mark.parametrize(
    "lines",
    [("numpy<2", "detect"), ("numpy<2", "numpy>=2"), ("numpy==2.*", "numpy<2"), ("detect", "numpy===1.9")],
)
def test_a_contradiction_is_told_in_the_resolver_s_words(index: Path, lines: tuple[str, ...]) -> None:
    wheel(index, "detect", "2.0", "numpy>=2")
    wheel(index, "numpy", "1.9")
    wheel(index, "numpy", "2.4")

    with pytest.raises(UserError, match="cannot be installed together") as caught:
        closure.resolve(lines, python="3.11", tried={})

    assert "numpy" in (caught.value.why or "")


def test_options_of_the_file_reach_the_resolver(tmp_path: Path, index: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    wheel(more, "detect", "2.0")

    assert pins("--pre", "--trusted-host example.com", f"--find-links {more}", "detect") == {"detect": "2.0"}


def test_an_index_out_of_reach_leaves_the_closure_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")

    found = closure.resolve(["numpy"], python="3.11", tried={})

    assert not found.pins
    assert "refused" in found.unknown


def test_the_cause_that_is_told_is_no_hint_of_the_resolver_s() -> None:
    """What uv said of an index behind a company's own certificate."""
    said = """error: Failed to fetch: https://index.example/simple/six/
  cause: client error (Connect)
  cause: invalid peer certificate: UnknownIssuer

hint: Consider enabling use of system TLS certificates with the `--system-certs` command-line flag
"""
    assert closure._last_cause(said) == "invalid peer certificate: UnknownIssuer"


def test_an_environment_without_pip_asks_where_the_pip_on_path_would(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uv and pipx make such environments."""
    wheel(index, "detect", "2.0")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pip3").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pip "$@"\n')
    (programs / "pip3").chmod(0o755)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    closure._settings.cache_clear()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    assert pins("detect") == {"detect": "2.0"}

    (programs / "pip3").unlink()
    closure._settings.cache_clear()
    monkeypatch.setenv("PATH", str(programs))
    assert not closure._settings(frozenset())
    closure._settings.cache_clear()


def test_an_index_that_does_not_answer_is_not_waited_for(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = closure.resolve(["numpy"], python="3.11", tried={}, timeout=0)

    assert found.unknown == "the package index gave no answer within 0 s"


def test_a_name_that_no_index_here_knows_is_no_contradiction(index: Path) -> None:
    found = closure.resolve(["private"], python="3.11", tried={})

    assert "private was not found" in found.unknown


def test_the_size_of_what_is_downloaded_is_told_where_the_index_tells_it(index: Path) -> None:
    wheel(index, "detect", "2.0", "weights")
    wheel(index, "weights", "1.5")

    found = closure.resolve(["detect"], python="3.11", tried={})

    assert set(found.sizes) == {"detect", "weights"}
