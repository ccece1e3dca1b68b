"""The test that a bundle carries: answers that say nothing, or are of another kind, do not pass it."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

SHAPE = {"type": "rectangle", "points": [104.0, 80.0, 184.0, 160.0]}
MASK = {"type": "mask", "points": [0, 4, 1, 1, 2, 2], "attributes": []}
# A sound answer, then answers that are none.
ANSWERS: dict[str, tuple[Any, list[Any]]] = {
    "detector": (
        [{"label": "car", "type": "rectangle", "points": [1, 2, 3, 4]}],
        [None, {}, "", 0, [None], [[]], [{}], [{"label": "nobody", "type": "rectangle", "points": [1, 2, 3, 4]}],
         [{"label": "car", "type": "rectangle", "points": [1, 2]}], {"shapes": [], "states": []}],
    ),
    "interactor": ({"shapes": [MASK]}, [None, [], {}, "", 0, {"shapes": None}, {"shapes": [{}]}, [0], [SHAPE]]),
    "tracker": (
        {"shapes": [SHAPE], "states": ["s"]},
        [None, [], {}, "", {"shapes": [], "states": []}, {"shapes": [None], "states": [None]}, {"shapes": [SHAPE]},
         {"shapes": [{"type": "rectangle", "points": []}], "states": ["s"]},
         {"shapes": [{"type": "mask", "points": [0, 4, 1, 1, 2, 2]}], "states": ["s"]}],
    ),
    "reid": ([0, 1], [None, [], {}, "", [0], [0, 0], [0, 3], [0.0, 1.0], ["0", "1"], {"shapes": []}]),
}  # fmt: skip
NOTHING: dict[str, Any] = {
    "detector": [], "interactor": {"shapes": []}, "tracker": {"shapes": [None], "states": ["s"]}, "reid": [-1, -1],
}  # fmt: skip


def run_test(workshop: Any, kind: str, answer: Any) -> None:
    """The bundle's own test, told that the function answered this."""
    folder = workshop.folder / kind
    if not folder.is_dir():
        workshop.generate(kind)
    spec = importlib.util.spec_from_file_location(f"bundle_of_{kind}", folder / "nuclio" / "test_function.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (test,) = [value for name, value in vars(module).items() if name.startswith("test_")]
    if kind == "detector":
        module.LABELS["car"] = "rectangle"
    test(lambda body: answer, *(["rectangle"] if kind == "tracker" else []))


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_bundle_s_test_takes_sound_answers_alone(workshop: Any, kind: str) -> None:
    sound, others = ANSWERS[kind]
    run_test(workshop, kind, sound)
    for answer in others:
        with pytest.raises((AssertionError, TypeError, KeyError, AttributeError, ValueError, IndexError)):
            run_test(workshop, kind, answer)


@pytest.mark.parametrize("kind", NOTHING)
def test_finding_nothing_is_no_passed_test(workshop: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pytest.skip.Exception, match="CVAT_NUCLIO_TEST_IMAGE"):
        run_test(workshop, kind, NOTHING[kind])
    own = Path(__file__).parents[2] / "docs" / "pictures"
    monkeypatch.setenv("CVAT_NUCLIO_TEST_IMAGE", str(next(own.glob("*.jpg"))))
    with pytest.raises(pytest.fail.Exception, match="nothing was found in"):
        run_test(workshop, kind, NOTHING[kind])


@pytest.mark.parametrize("body", ["", "null", "{}", "<html>"])
def test_an_empty_or_foreign_body_fails(workshop: Any, body: str) -> None:
    folder = workshop.generate("detector")
    (folder / "nuclio" / "main.py").write_text(
        "import nuclio_sdk\ndef init_context(context):\n    pass\ndef handler(context, event):\n"
        f"    return nuclio_sdk.Response(body={body!r}, content_type='application/json', status_code=200)\n"
    )
    outcome = pytest.main(
        ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", str(folder / "nuclio" / "test_function.py")]
    )
    assert outcome == pytest.ExitCode.TESTS_FAILED
