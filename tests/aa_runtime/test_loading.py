import contextlib
import gc
import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import cvat_sdk.auto_annotation as cvataa
import nuclio_sdk
import pytest
from cvat_cli._internal.common import FunctionLoader

from aa_runtime import FunctionSource, Handler, Kind, Options, ReIDFunctionSpec, create_handler, kind_of, load
from aa_runtime.loading import FILE_MODULE
from aa_runtime.log import Log

SPEC = "import cvat_sdk.auto_annotation as cvataa\nspec = cvataa.DetectionFunctionSpec(labels=[])\n"
MODULES = {
    "plain": SPEC + "def detect(context, image): return []\n",
    "factory": SPEC + "class F:\n    def __init__(self, size, on=True): self.spec, self.size = spec, size\n"
    "def create(size, on=True): return F(size, on)\n",
    "specless": "def detect(context, image): return []\n",
    "specless_factory": "def create(): return object()\n",
    "broken": "raise RuntimeError('at import')\n",
    "exits": "raise SystemExit(4)\n",
    "syntax": "def (\n",
}


@pytest.fixture(autouse=True)
def _forget_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, FILE_MODULE, raising=False)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in MODULES.items():
        (tmp_path / f"aa_{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, f"aa_{name}", raising=False)
    return tmp_path


@pytest.mark.parametrize("by", ["module", "file"])
@pytest.mark.parametrize("parameters", [{}, {"size": 3}, {"colour": 1}], ids=str)
@pytest.mark.parametrize("name", [*MODULES, "missing"])
def test_does_what_cvat_cli_does(place: Path, by: str, name: str, parameters: dict[str, Any]) -> None:
    module, file = (f"aa_{name}", None) if by == "module" else (None, place / f"aa_{name}.py")

    def outcome(call: Any) -> tuple[str, str]:
        try:
            loaded = call()
        except BaseException as fault:
            return type(fault).__name__, str(fault)
        return type(loaded).__name__, getattr(loaded, "__name__", str(getattr(loaded, "size", "")))

    expected = outcome(FunctionLoader(module, file, parameters).load)
    sys.modules.pop(f"aa_{name}", None)
    assert outcome(lambda: load(FunctionSource(module=module, file=file, parameters=parameters))) == expected


def test_a_files_module_can_be_found_while_it_runs_and_after(tmp_path: Path) -> None:
    file = tmp_path / "func.py"
    file.write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass, KW_ONLY\n"
        f"{SPEC}@dataclass\nclass State:\n    _: KW_ONLY\n    x: int\n"
    )
    function = load(FunctionSource(file=file))
    assert sys.modules[FILE_MODULE] is function
    assert function.State.__module__ == FILE_MODULE


def test_a_file_that_fails_leaves_no_module(place: Path) -> None:
    for name in ("broken", "exits"):
        with pytest.raises(BaseException, match=r"at import|4"):
            load(FunctionSource(file=place / f"aa_{name}.py"))
        assert FILE_MODULE not in sys.modules
    good = load(FunctionSource(file=place / "aa_plain.py"))
    with pytest.raises(RuntimeError):
        load(FunctionSource(file=place / "aa_broken.py"))
    assert sys.modules[FILE_MODULE] is good


@pytest.mark.parametrize("names", [{}, {"module": "a", "file": "b.py"}])
def test_a_source_is_a_module_or_a_file(names: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either a module or a file"):
        FunctionSource(**names)


def test_a_source_cannot_change() -> None:
    parameters = {"a": 1}
    source = FunctionSource(module="m", parameters=parameters)
    parameters["a"] = 2
    assert dict(source.parameters) == {"a": 1}


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (cvataa.DetectionFunctionSpec(labels=[]), Kind.DETECTOR),
        (cvataa.InteractionFunctionSpec(min_pos_points=1), Kind.INTERACTOR),
        (cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle"]), Kind.TRACKER),
        (ReIDFunctionSpec(), Kind.REID),
    ],
)
def test_the_spec_tells_the_kind(spec: object, kind: Kind) -> None:
    assert kind_of(spec) is kind
    assert kind.value in ("detector", "interactor", "tracker", "reid")


def test_makes_a_handler(place: Path) -> None:
    logger = nuclio_sdk.Logger(level=50)
    handler = create_handler(FunctionSource(file=place / "aa_plain.py"), Options(name="plain"), logger)
    assert isinstance(handler, Handler)
    assert handler.kind is Kind.DETECTOR


@pytest.mark.parametrize(
    "options",
    [
        {"interactor_answer": "both"},
        {"lost_shape": "none"},
        {"state": "disk"},
        {"name": "a/b"},
        {"name": ""},
        {"max_image_pixels": 0},
        {"cache_entries": -1},
        {"cache_bytes": 1.5},
        {"reid_threshold": -0.1},
        {"state_key_env": "A B"},
        {"unknown": 1},
    ],
)
def test_refuses_options_that_cannot_work(options: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Options(**options)


COLLECTING = """\
import gc
import cvat_sdk.auto_annotation as cvataa

def create(fail: bool = False):
    seen.append(gc.isenabled())
    if fail:
        raise ValueError("no model")
    return Function()

class Function:
    spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("a", 0, type="rectangle")])
    def detect(self, context, image):
        return []

from aa_seen import seen
"""


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("fail", [True, False])
def test_the_collector_rests_while_a_function_loads_and_is_then_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: bool, fail: bool
) -> None:
    seen: list[bool] = []
    monkeypatch.setitem(sys.modules, "aa_seen", SimpleNamespace(seen=seen))
    file = tmp_path / "collecting.py"
    file.write_text(COLLECTING)
    source, log = FunctionSource(file=file, parameters={"fail": fail}), cast("Log", logging.getLogger())
    was_on = gc.isenabled()
    try:
        (gc.enable if on else gc.disable)()
        with pytest.raises(ValueError, match="no model") if fail else contextlib.nullcontext():
            create_handler(source, Options(), log)
        after = gc.isenabled()
    finally:
        (gc.enable if was_on else gc.disable)()
    assert (seen, after) == ([False], on)
