"""The page itself: wrong files, tabs beside each other, functions that fail or die, keyboard, themes, phones."""

import json
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cvat_nuclio.serve import Server, running

pytest.importorskip("playwright")
NewTab = Callable[..., Any]
YAML = """\
metadata: {{name: {name}, annotations: {{type: detector, spec: '{spec}'}}}}
spec:
  description: "{name} of the tests"
  handler: "main:handler"
  runtime: "python:3.11"
  platform: {{attributes: {{restartPolicy: {{name: on-failure, maximumRetryCount: 3}}}}}}
  triggers: {{http: {{kind: http, numWorkers: 1, attributes: {{maxRequestBodySize: 33554432}}}}}}
"""
NODE = '<circle data-type="element node" data-element-id="{0}" data-node-id="{0}" data-label-name="{1}"></circle>'
EDGE = '<line data-type="edge" data-node-from="1" data-node-to="2"></line>'
PERSON = {
    "name": "person",
    "type": "skeleton",
    "svg": EDGE + NODE.format(1, "head") + NODE.format(2, "foot"),
    "sublabels": [{"name": "head", "type": "points"}, {"name": "foot", "type": "points"}],
}
SPEC = [{"name": "thing", "type": "any"}, {"name": "scene", "type": "tag"}, PERSON]
EVERY_SHAPE = [
    {"label": "thing", "type": "rectangle", "points": [20, 20, 80, 60], "rotation": 30},
    {"label": "thing", "type": "ellipse", "points": [150, 50, 190, 30]},
    {"label": "thing", "type": "polygon", "points": [220, 20, 280, 20, 250, 80]},
    {"label": "thing", "type": "polyline", "points": [20, 100, 60, 140, 100, 100]},
    {"label": "thing", "type": "points", "points": [130, 110, 150, 130]},
    {
        "label": "thing",
        "type": "cuboid",
        "points": [220, 120, 220, 160, 260, 120, 260, 160, 280, 110, 280, 150, 240, 110, 240, 150],
    },
    {
        "label": "thing",
        "type": "mask",
        "mask": [1] * 200 + [100, 150, 119, 159],
        "points": [100, 150, 119, 150, 119, 159, 100, 159],
    },
    {"label": "scene", "type": "tag"},
    {
        "label": "person",
        "type": "skeleton",
        "elements": [
            {"label": "head", "type": "points", "points": [320, 100], "outside": False},
            {"label": "foot", "type": "points", "points": [320, 200], "outside": False},
        ],
    },
]
BODIES = {
    "raises": 'print("asked"); raise ValueError("no such weights")',
    "broken": 'return json.dumps([{"type": "rectangle", "points": [1, 2, 3, 4]}])',
    "dies": "os._exit(3)",
    "shapes": f"return json.dumps({EVERY_SHAPE!r})",
}


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Functions that fail in every way, and one that answers with every type of shape."""
    folders = []
    for name, body in BODIES.items():
        folders.append(tmp_path_factory.mktemp(name))
        (folders[-1] / "function.yaml").write_text(
            YAML.format(name=name, spec=json.dumps(SPEC)).replace('"type": "rectangle"', '"type": "any"')
        )
        handler = f"def handler(context, event):\n    {body}\n"
        (folders[-1] / "main.py").write_text(f"import json, os\n\ndef init_context(context): pass\n\n{handler}")
    with running(*folders, page=True) as server:
        yield server


def test_files_that_are_none_are_refused_in_words(tab: NewTab, tmp_path: Path, samples: Path) -> None:
    page = tab()
    wrong, damaged = tmp_path / "notes.txt", tmp_path / "a.png"
    wrong.write_text("words")
    damaged.write_bytes((samples / "letter.png").read_bytes()[:200])
    page.page.set_input_files("#files", [str(wrong), str(damaged)])
    told = page.page.locator("#toasts .card")
    told.nth(1).wait_for()
    first, second = told.all_inner_texts()
    assert "notes.txt is no image that CVAT could send" in first
    assert "use JPEG, PNG" in first
    assert "a.png" in second
    assert page.page.locator(".thumb").count() == 0


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_that_is_dropped_or_pasted_is_taken(tab: NewTab, kind: str) -> None:
    page = tab()
    give = """async (kind) => {
        const data = new DataTransfer();
        const blob = await (await fetch("/page/samples/coffee.jpg")).blob();
        data.items.add(new File([blob], "mine.jpg", { type: "image/jpeg" }));
        const event = { drop: () => new DragEvent("drop", { dataTransfer: data }),
            paste: () => new ClipboardEvent("paste", { clipboardData: data }) };
        window.dispatchEvent(event[kind]());
    }"""
    page.page.evaluate(give, kind)
    page.page.get_by_role("button", name="mine.jpg, 1 frames").wait_for()


def test_two_tabs_do_not_disturb_each_other(tab: NewTab, samples: Path) -> None:
    one, other = tab(), tab()
    for page in (one, other):
        page.choose("GrabCut")
    one.give(samples / "coffee.jpg")
    one.click(290, 160)
    first = one.answered("report.shapes.length == 1")
    other.give(samples / "letter.png")
    other.page.locator("input[value=G2]").check(force=True)
    other.click(60, 60)
    one.click(300, 230, button="right")
    second = one.answered(f"report.call != '{first['call']}'")
    theirs = other.answered("true")
    assert (second["cvat"], theirs["cvat"]) == ("G3", "G2")
    assert '"pos_points": [[290' in second["request"]["text"]
    assert '"pos_points": [[60' in theirs["request"]["text"]
    assert [page.page.locator(".thumb").count() for page in (one, other)] == [1, 1]


def test_a_failing_function_shows_its_traceback(tab: NewTab, failing: Server, samples: Path) -> None:
    page = tab(failing)
    page.choose("raises")
    page.give(samples / "coffee.jpg")
    page.answered("report.failed")
    told = page.page.locator("#fault").inner_text()
    assert "What CVAT’s user sees" in told
    assert "HTTPError" in told
    assert "ValueError: no such weights" in told
    page.page.click("#tab-Log")
    assert "asked" in page.page.locator("#tab pre").inner_text()


def test_a_broken_answer_shows_what_cvat_s_user_sees(tab: NewTab, failing: Server, samples: Path) -> None:
    page = tab(failing)
    page.choose("broken")
    page.give(samples / "coffee.jpg")
    page.answered("report.failed")
    told = page.page.locator("#fault").inner_text()
    assert "KeyError" in told
    assert "an item of the answer has no 'label'" in told


def test_a_function_that_dies_comes_back(tab: NewTab, failing: Server, samples: Path) -> None:
    page = tab(failing)
    page.choose("dies")
    page.give(samples / "coffee.jpg")
    page.answered("report.failed")
    assert "CVAT’s user sees" in page.page.locator("#fault").inner_text()
    page.until("app.function.restarts > 0 && app.function.state == 'ready'")
    page.page.get_by_role("radio", name="dies").get_by_role("img", name="ready").wait_for()
    page.choose("shapes")
    page.answered("report.shapes.length == 9")


def test_every_type_of_shape_is_painted_where_it_is(tab: NewTab, failing: Server, samples: Path) -> None:
    page = tab(failing)
    page.choose("broken")
    page.give(samples / "letter.png")
    page.answered("report.failed")
    places = [(50, 40), (150, 50), (250, 40), (60, 140), (130, 110), (240, 160), (110, 155), (5, 5), (320, 150)]
    before = [page.pixel(*place) for place in places]
    page.choose("shapes")
    page.answered("report.shapes.length == 9")
    changed = [page.pixel(*place) != colour for place, colour in zip(places, before, strict=True)]
    assert changed == [True] * 9
    assert page.page.locator("tr[data-shape]").count() == 9


def test_labels_can_be_hidden_and_masks_become_polygons(tab: NewTab, failing: Server, samples: Path) -> None:
    page = tab(failing)
    page.choose("shapes")
    page.give(samples / "letter.png")
    report = page.answered("report.shapes.length == 9")
    seen = page.pixel(320, 150)
    page.page.get_by_role("group", name="Labels").get_by_text("person").click()
    assert page.pixel(320, 150) != seen
    assert page.page.evaluate("app.answer.shapes(0).length") == 8
    page.page.get_by_label("Convert masks to polygons").check()
    again = page.answered(f"report.call != '{report['call']}'")
    kinds = [[shape["type"] for shape in each["shapes"]] for each in (report, again)]
    assert [each.count("mask") for each in kinds] == [1, 0]


def test_what_came_can_be_saved(tab: NewTab, samples: Path) -> None:
    page = tab()
    page.choose("GrabCut")
    page.give(samples / "coffee.jpg")
    page.click(290, 160)
    page.answered("report.shapes.length == 1")
    with page.page.expect_download() as picture:
        page.page.click("#save-picture")
    assert picture.value.suggested_filename == "answer.png"
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")
    page.page.click("#tab-Repeat")
    told = page.page.locator("#tab").inner_text()
    assert "cvat-nuclio invoke" in told
    assert "--pos=290" in told
    assert "curl -sS http://127.0.0.1:" in told
    with page.page.expect_download() as request:
        page.page.get_by_role("button", name="Save request.json").click()
    assert json.loads(request.value.path().read_text())["image"]


def test_the_keyboard_alone_draws_a_box_and_clicks(tab: NewTab, samples: Path) -> None:
    page = tab()
    page.give(samples / "coffee.jpg")
    page.page.locator(".function[aria-checked=true]").focus()
    while page.page.evaluate("app.function.kind") != "interactor":
        page.page.keyboard.press("ArrowDown")
    page.page.locator("#canvas").focus()
    for key in ("ArrowUp", "ArrowUp", "Enter"):
        page.page.keyboard.press(key)
    report = page.answered("report.shapes.length == 1")
    assert '"pos_points": [[300' in report["request"]["text"]
    page.until("/kept/.test(document.getElementById('live').textContent)")
    for key in ("Shift+ArrowLeft", "b", "Shift+ArrowRight", "Shift+ArrowDown", "b"):
        page.page.keyboard.press(key)
    second = page.answered(f"report.call != '{report['call']}'")
    assert '"obj_bbox": [[' in second["request"]["text"]
    page.page.keyboard.press("u")
    page.answered(f"report.call != '{second['call']}'")


def test_everything_that_can_be_used_has_a_name_and_a_role(tab: NewTab, samples: Path) -> None:
    page = tab()
    page.give(samples / "table.mp4")
    for title in ("GrabCut", "Correlation tracker", "Appearance ReID", "PP-OCRv4"):
        page.choose(title)
        nameless = """[...document.querySelectorAll("button, select, input, canvas, [role=tab]")].filter((each) =>
            each.checkVisibility() && !each.closest("[aria-hidden]")
            && !each.matches("button canvas") && !(each.textContent.trim() || each.ariaLabel || each.title
            || each.closest("label")?.textContent.trim())).map((each) => each.outerHTML)"""
        assert page.page.evaluate(nameless) == []
    assert page.page.locator("[aria-live=polite]").count() == 1
    assert page.page.locator("main, nav, aside, header, h1").count() == 5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_light_or_dark_as_the_system_and_can_be_changed(tab: NewTab, theme: str) -> None:
    page = tab(color_scheme=theme)
    luminance = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b)"
    assert (page.page.evaluate(luminance) < 380) == (theme == "dark")
    page.page.click("#theme")
    assert (page.page.evaluate(luminance) < 380) == (theme == "light")


def test_a_phone_s_screen_works(tab: NewTab, samples: Path) -> None:
    page = tab(has_touch=True, is_mobile=True, device_scale_factor=2)
    page.page.set_viewport_size({"width": 360, "height": 740})
    page.choose("GrabCut")
    page.give(samples / "coffee.jpg")
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 360
    page.page.touchscreen.tap(*page.place(290, 160))
    page.answered("report.shapes.length == 1")
    page.page.locator("#tools").get_by_text("Out").click()
    page.page.touchscreen.tap(*page.place(300, 230))
    assert '"neg_points": [[' in page.answered('report.request.text.includes("neg_points\\": [[")')["request"]["text"]


def test_a_strange_page_cannot_call(tab: NewTab, failing: Server, served: Server) -> None:
    """A page of another port of this machine, in the same browser: refused even by what it may send without asking."""
    page = tab(failing)
    attack = textwrap.dedent("""
        async (url) => {
            const tries = [fetch(url + "/api/functions", { mode: "no-cors", headers: { accept: "a" } }),
                fetch(url + "/api/calls", { method: "POST", headers: { "x-cvat-nuclio": "page" }, body: "{}" })];
            return (await Promise.allSettled(tries)).map(({ status }) => status);
        }""")
    page.page.route("**/strange", lambda route: route.fulfill(body="<p>strange", content_type="text/html"))
    page.page.goto(failing.page_url.replace("127.0.0.1", "localhost") + "/strange")
    said = []
    page.page.on("response", lambda response: said.append((response.url, response.status)))
    assert page.page.evaluate(attack, served.page_url) == ["rejected", "rejected"]
    assert all(status == 403 for url, status in said if url.startswith(served.page_url))
