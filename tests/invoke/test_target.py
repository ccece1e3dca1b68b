"""What is called, what it says when it fails, and which limits are named."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from cvat_nuclio.__main__ import COMMANDS, build_parser, main
from cvat_nuclio.errors import UserError
from cvat_nuclio.interpreter import interpreter
from cvat_nuclio.invoke.answer_causes import refused_by_nuclio
from cvat_nuclio.invoke.call_target import own_lines
from cvat_nuclio.invoke.frame_files import load_frames

FAILS = """
import cvat_sdk.auto_annotation as cvataa

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("car", 0)])


def detect(context, image):
    print("looking at", image.size)
    raise ValueError("no such luck")
"""
LOG = "f: 1 of 1 workers …\nf | info: loaded\nfunction kind\nCtrl-C ends it\nf | seen\nTraceback\n  boom\n"


def test_a_lone_file_is_called_and_its_own_words_are_shown(
    tmp_path: Path, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    function = tmp_path / "unlucky.py"
    function.write_text(FAILS)
    assert main(["invoke", str(function), str(image)]) == 1
    shown = capsys.readouterr()
    assert "unlucky · detector" in shown.out
    assert "looking at (120, 90)" in shown.err
    assert "ValueError: no such luck" in shown.err
    assert "Ctrl-C" not in shown.err
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_the_engines_own_lines_are_left_out() -> None:
    assert own_lines(LOG, "f") == "f | info: loaded\nf | seen\nTraceback\n  boom\n"


@pytest.mark.parametrize("options", [[], ["--kind", "detector"]])
def test_a_dead_url_says_that_nothing_listens(
    options: list[str], image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert main(["invoke", f"http://127.0.0.1:{port}", str(image), *options]) == 2
    told = capsys.readouterr().err
    assert f"nothing listens at http://127.0.0.1:{port}" in told
    assert f"--port {port}" in told


def test_a_folder_gives_its_pictures_in_the_order_that_people_count(tmp_path: Path) -> None:
    for name in ("10.png", "2.png", "1.JPG"):
        Image.new("RGB", (4, 3)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("x")
    assert [frame.name for frame in load_frames([tmp_path])] == ["1.JPG", "2.png", "10.png"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no picture"):
        load_frames([tmp_path / "empty"])


def test_a_body_over_nuclios_limit_names_the_key_and_an_option_that_is_enough() -> None:
    trigger = {"kind": "http", "attributes": {"maxRequestBodySize": 2**20}}
    function = {"spec": {"triggers": {"http": trigger}}}
    told = ["the function refused", "Error when parsing request"]
    (cause,) = refused_by_nuclio(told, function, {"image": "a" * 3 * 2**20})
    assert "3.0 MiB is over maxRequestBodySize 1048576" in cause
    assert "--max-body 4Mi" in cause
    assert refused_by_nuclio(told, function, {"image": "a"}) == []
    assert refused_by_nuclio(told, {}, {"image": "a" * 2**22}) == []


def test_a_call_that_nuclio_cut_names_the_time() -> None:
    told = ["the function refused", '{"error": "handler timed out"}']
    (cause,) = refused_by_nuclio(told, {"spec": {"eventTimeout": "10s"}}, {})
    assert "eventTimeout 10s" in cause
    assert "--event-timeout" in cause


def test_the_interpreter_is_the_one_named_or_generates_or_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, python in (("a", "../venv/bin/python"), ("b", "python3.12")):
        (tmp_path / name / "nuclio").mkdir(parents=True)
        (tmp_path / name / "cvat-nuclio.yaml").write_text(f"function-file: f.py\nname: {name}\npython: {python}\n")
    assert interpreter("venv/bin/python") == str(tmp_path / "venv/bin/python")
    assert interpreter(None, tmp_path / "a") == interpreter(None, "a/nuclio") == str(tmp_path / "venv/bin/python")
    assert interpreter(None, tmp_path / "b") == "python3.12"
    assert interpreter(None, tmp_path) == sys.executable
    with pytest.raises(UserError, match="different interpreters"):
        interpreter(None, "a", "b")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_writes_names_as_they_are_written(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args([command, "--help"])
    described = capsys.readouterr().out.replace("\n", " ")
    summary = COMMANDS[command]
    assert f"{summary[0].upper()}{summary[1:]}." in described


def test_a_function_s_file_gets_its_parameters(
    tmp_path: Path, image: Path, invoke: Callable[..., tuple[int, str]]
) -> None:
    function = tmp_path / "follows.py"
    function.write_text(
        "import pathlib\nimport cvat_sdk.auto_annotation as cvataa\n\n\n"
        "class Function:\n"
        "    def __init__(self, names: str, width: int = 1):\n"
        "        self.width = width\n"
        "        labels = [cvataa.label_spec(pathlib.Path(names).read_text(), 0, type='rectangle')]\n"
        "        self.spec = cvataa.DetectionFunctionSpec(labels=labels)\n\n"
        "    def detect(self, context, image):\n"
        "        return [cvataa.rectangle(0, [1, 2, self.width, 9])]\n\n\n"
        "create = Function\n"
    )
    names = tmp_path / "names.txt"
    names.write_text("zebra")
    given = [f"-pnames=file:{names}", "--function-parameter", "width=int:31"]
    status, text = invoke(function, image, *given)
    assert status == 0, text
    assert "zebra" in text
    assert "1,2,31,9" in text
    status, text = invoke("http://127.0.0.1:9", image, *given)
    assert status == 2
    assert f"cvat-nuclio generate DIR -p names=file:{names}" in text


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [("#3", [3]), ("#3-5", [3, 4, 5]), ("#21-", [21, 22, 23]), ("", list(range(24))), ("#22-99", [22, 23])],
)
def test_single_frames_of_a_video_can_be_named(repository: Path, asked: str, numbers: list[int]) -> None:
    clip = repository / "generator/cvat_nuclio/playground/page/samples/table.mp4"
    frames = load_frames([clip.with_name(clip.name + asked)])
    assert [frame.name for frame in frames] == [f"table.mp4#{number}" for number in numbers]
    assert frames[0].content == load_frames([clip])[numbers[0]].content


def test_a_frame_that_a_video_lacks_is_told(repository: Path, tmp_path: Path) -> None:
    clip = repository / "generator/cvat_nuclio/playground/page/samples/table.mp4"
    for asked, words in (("#24", "no frame 24"), ("#5-3", "no frame 5")):
        with pytest.raises(UserError, match=words):
            load_frames([clip.with_name(clip.name + asked)])
    Image.new("RGB", (8, 8)).save(tmp_path / "a#1.png")
    assert [frame.name for frame in load_frames([tmp_path / "a#1.png"])] == ["a#1.png"]
    with pytest.raises(UserError, match="no file"):
        load_frames([tmp_path / "a.png#1"])
