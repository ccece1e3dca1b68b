"""`check --online`: a real resolver asks an index, which is a folder here."""

import zipfile
from pathlib import Path

import pytest

from cvat_nuclio.__main__ import main

ZOO = Path(__file__).resolve().parent.parent / "zoo" / "CN351-no-such-version"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels in place of the network."""
    with zipfile.ZipFile(tmp_path / "pillow-11.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("pillow-11.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: pillow\nVersion: 11.0\n")
        wheel.writestr("pillow-11.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("pillow-11.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("index")
def test_a_version_that_the_index_lacks_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--online", str(ZOO / "bad")]) == 1
    assert "the index has no pillow==99.1" in capsys.readouterr().out
    assert main(["check", "--online", str(ZOO / "good")]) == 0


@pytest.mark.usefixtures("index")
def test_nothing_is_asked_without_online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cvat_nuclio.generate.closure._run", pytest.fail)
    assert main(["check", str(ZOO / "bad")]) == 0


@pytest.mark.usefixtures("index")
def test_several_are_named_and_a_name_that_nobody_has(tmp_path: Path) -> None:
    from cvat_nuclio.generate.closure import absent

    asked = ["pillow==99.1", "Nobody_Has.this>=2", "pillow>=10"]
    assert list(absent(asked[1:], python="3.11")) == [asked[1]]
    assert list(absent(asked[:1], python="3.11")) == asked[:1]
    assert list(absent(asked[2:], python="3.11")) == []
