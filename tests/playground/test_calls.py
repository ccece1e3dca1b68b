"""What the page is told of a call is what `invoke` says of it."""

import io
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import urllib3

from cvat_nuclio.playground import pictures


def invoked(command: str, folder: Path, *more: str) -> Any:
    """What the command prints with `--json`, run where the files lie."""
    words = [sys.executable, "-m", "cvat_nuclio", *shlex.split(command)[1:], "--json", *more]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def test_a_click_gives_a_mask_and_the_commands_repeat_it(
    client: Any, coffee: list[str], samples: Path, tmp_path: Path
) -> None:
    told = client.call("opencv-grabcut", coffee, pos=["290,160"], neg=["20,20"], box="70,10,490,392")
    (shape,) = told["shapes"]
    assert (shape["type"], told["failed"], told["error"]) == ("mask", False, None)
    assert told["form"].startswith("'shapes'")
    repeated = invoked(told["commands"]["invoke"], samples, "--output", str(tmp_path / "again.png"))
    assert [list(kept["points"]) for kept in repeated["kept"]] == [shape["mask"]]
    assert repeated["requests"] == json.loads(told["request"]["text"])
    saved = client.request("GET", f"/api/calls/{told['call']}/request.json").data
    (tmp_path / "request.json").write_bytes(saved)
    done = subprocess.run(told["commands"]["curl"], shell=True, cwd=tmp_path, capture_output=True, timeout=60)
    assert json.loads(done.stdout) == json.loads(told["answer"]["text"])[0]
    picture = client.request("GET", f"/api/calls/{told['call']}/answer.png").data
    assert picture == (tmp_path / "again.png").read_bytes()


def test_a_tracker_goes_frame_by_frame(client: Any, samples: Path, tmp_path: Path) -> None:
    frames = client.give("table.mp4", (samples / "table.mp4").read_bytes())[:21]
    told = client.call("opencv-correlation-tracker", frames, shape=["rectangle:150,40,330,190"])
    shapes = list(told["shapes"])
    while not told["done"]:
        told = client.json("POST", f"/api/calls/{told['call']}/step")
        shapes += told["shapes"]
    assert [shape["frame"] for shape in shapes] == list(range(21))
    assert len(told["milliseconds"]) == 21
    repeated = invoked(told["commands"]["invoke"], samples, "--output", str(tmp_path / "again.gif"))
    assert [shape["geometry"] for shape in shapes] == [told_geometry(kept) for kept in repeated["kept"]]
    film = PIL.Image.open(io.BytesIO(client.request("GET", f"/api/calls/{told['call']}/answer.gif").data))
    assert getattr(film, "n_frames", 1) == 21
    after = client.json("POST", f"/api/calls/{told['call']}/step")
    assert (after["done"], after["shapes"]) == (True, [])


def told_geometry(kept: Any) -> str:
    """As the table has it."""
    return ",".join(f"{round(point, 1):g}" for point in kept["points"])


def test_reid_joins_boxes_and_gives_tracks_their_colours(client: Any, samples: Path, tmp_path: Path) -> None:
    frames = client.give("table.mp4", (samples / "table.mp4").read_bytes())
    told = client.call(
        "opencv-appearance-reid", [frames[0], frames[2]], box0=["150,40,330,190"], box1=["145,35,325,185"]
    )
    first, second = [shape for shape in told["shapes"] if not shape["outside"]]
    assert (first["frame"], second["frame"], first["track"]) == (0, 1, second["track"])
    assert first["color"] == second["color"]
    assert "'table.mp4#0' 'table.mp4#2'" in told["commands"]["invoke"]
    repeated = invoked(told["commands"]["invoke"], samples, "--output", str(tmp_path / "pair.png"))
    assert len(repeated["kept"]) == len(told["shapes"])


def test_what_cvat_drops_is_told_with_the_reason(client: Any, coffee: list[str]) -> None:
    told = client.call("drops", coffee)
    assert [(shape["label"], shape["points"], shape["group"]) for shape in told["shapes"]] == [
        ("thing", [[1, 2], [30, 2], [30, 40], [1, 40]], 7)
    ]
    (drop,) = told["dropped"]
    assert (drop["item"], "other" in drop["reason"]) == (1, True)


@pytest.mark.parametrize("cvat", ["G1", "G2", "G3"])
def test_the_generation_is_a_switch(client: Any, coffee: list[str], cvat: str) -> None:
    told = client.call("opencv-grabcut", coffee, pos=["290,160"], cvat=cvat)
    (request,) = json.loads(told["request"]["text"])
    assert told["cvat"] == cvat
    assert request["pos_points"] == [[290.0, 160.0]]
    assert request["obj_bbox"] == (None if cvat == "G1" else [])
    assert ("--cvat" in told["commands"]["invoke"]) == (cvat != "G3")


def test_a_failing_function_shows_its_traceback_and_what_cvat_s_user_sees(client: Any, coffee: list[str]) -> None:
    client.call("raises", coffee)
    told = client.call("raises", coffee)
    assert told["failed"]
    assert "HTTPError" in told["error"]["cvat"]
    assert told["log"].count("asked") == 1
    assert any("Traceback" in line for line in told["log"])
    assert any("ValueError: no such weights" in line for line in told["log"])


def test_a_broken_answer_shows_what_cvat_s_user_sees(client: Any, coffee: list[str]) -> None:
    told = client.call("broken", coffee)
    assert "KeyError" in told["error"]["cvat"]
    assert told["error"]["causes"] == ["an item of the answer has no 'label'"]


def test_numbers_and_letters_that_json_and_utf_8_lack_reach_the_page(client: Any, coffee: list[str]) -> None:
    told = client.call("odd", coffee, cvat="G1")
    assert told["failed"]
    assert [shape["points"] for shape in told["shapes"]] == [[[None, 5.0]]]
    assert told["dropped"][0]["item"] == 1
    saved = client.request("GET", f"/api/calls/{told['call']}/answer.json").data
    assert b"NaN" in saved


def test_cvat_s_own_rules_are_told_before_a_call(client: Any, coffee: list[str]) -> None:
    told = client.call("wants-two", coffee, 422, pos=["1,1"])
    assert "2 positive points" in told["error"]["why"]
    (listed,) = [each for each in client.json("GET", "/api/functions") if each["name"] == "wants-two"]
    assert "2 positive points" in listed["waits_for"]


def test_a_function_that_dies_comes_back(client: Any, coffee: list[str]) -> None:
    def state() -> Any:
        (found,) = [each for each in client.json("GET", "/api/functions") if each["name"] == "dies"]
        return found

    before = state()
    assert before["state"] == "ready"
    told = client.call("dies", coffee)
    assert told["failed"]
    end = time.monotonic() + 60
    while (now := state())["state"] != "ready" or now["restarts"] == before["restarts"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert client.call("drops", coffee)["failed"] is False


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notes.txt", b"words", "notes.txt is no image that CVAT could send"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(20), "a.png"),
        ("a.mp4", b"no video", "a.mp4 has no frame that OpenCV can read"),
        ("", b"", "picture is no image that CVAT could send"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_in_words(client: Any, name: str, content: bytes, words: str) -> None:
    told = client.json("POST", f"/api/pictures?name={name}", 422, body=content)
    assert words in told["error"]["what"]
    assert "/tmp" not in json.dumps(told)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(client: Any) -> None:
    headers = {"x-cvat-nuclio": "page", "Content-Length": str(pictures.MOST_BYTES + 1)}
    answer = client.request("POST", "/api/pictures?name=a.png", headers, body=b"x", preload_content=False)
    assert answer.status == 413


def test_formats_that_browsers_do_not_show_come_as_png(client: Any) -> None:
    picture, buffer = PIL.Image.new("RGB", (40, 30), (200, 10, 10)), io.BytesIO()
    picture.save(buffer, "TIFF")
    (name,) = client.give("a.tif", buffer.getvalue())
    answer = client.request("GET", f"/api/pictures/{name}")
    assert answer.headers["Content-Type"] == "image/png"
    with PIL.Image.open(io.BytesIO(answer.data)) as shown:
        assert (shown.size, shown.getpixel((3, 3))) == ((40, 30), (200, 10, 10))


@pytest.mark.parametrize(
    "options",
    [
        {"pos": "1,1"},
        {"pos": [1]},
        {"output": "/etc/passwd"},
        {"box": "1,2,3"},
        {"threshold": "x"},
        {"cvat": "G9"},
        {"pos": ["a,b"]},
        {"max_distance": 1.5},
    ],
)
def test_odd_options_are_refused_in_words(client: Any, coffee: list[str], options: Any) -> None:
    assert client.call("opencv-grabcut", coffee, 422, **options)["error"]["what"]


def test_a_generation_that_is_none_is_told(client: Any) -> None:
    assert "no generation 'G9'" in client.json("GET", "/api/functions?cvat=G9", 422)["error"]["what"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"function": 1}', b'{"function": "drops", "frames": "x"}'])
def test_odd_bodies_are_refused_in_words(client: Any, body: bytes) -> None:
    assert client.json("POST", "/api/calls", 422, body=body)["error"]["what"]


def test_what_is_no_longer_kept_is_told(client: Any) -> None:
    assert "choose it again" in client.call("drops", ["gone"], 422)["error"]["remedy"]
    assert "no longer kept" in client.json("POST", "/api/calls/gone/step", 422)["error"]["what"]


def test_the_oldest_pictures_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO()
    PIL.Image.effect_noise((64, 64), 90).save(content, "PNG")
    monkeypatch.setattr(pictures, "HELD_BYTES", 3 * len(content.getvalue()))
    held = pictures.Pictures()
    names = [held.take("C:\\Users\\me\\a b.png", content.getvalue())[0][0] for _ in range(4)]
    assert {each.file for each in names} == {"a b.png"}
    assert held.get([names[3].id])[0] is names[3]
    with pytest.raises(Exception, match="no longer kept"):
        held.get([names[0].id])


def test_the_list_tells_kinds_labels_and_states(client: Any, served: Any) -> None:
    listed = {each["name"]: each for each in client.json("GET", "/api/functions?cvat=G2")}
    assert listed["opencv-correlation-tracker"]["shape_types"] == ["rectangle"]
    assert listed["drops"]["labels"][0]["name"] == "thing"
    assert listed["opencv-grabcut"]["kind"] == "interactor"
    assert urllib3.request("GET", served.dashboard_url + "/api/functions").json().keys() == listed.keys()
