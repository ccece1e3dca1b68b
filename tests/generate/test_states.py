"""A tracker is tried while its bundle is generated: how large do its states get, and what follows."""

from typing import Any

import pytest
import yaml

from cvat_nuclio.check import check_paths

TRACKER = """
import os
import time

import cvat_sdk.auto_annotation as cvataa
import numpy as np

spec = cvataa.TrackingFunctionSpec(supported_shape_types=["{shape}"])


def init_tracking_state(context, image, shape):
    return {{"points": list(shape.points), "seen": [np.random.default_rng(0).random({numbers}, np.float32)]}}


def track(context, image, state):
    {body}
    return cvataa.TrackableShape(type="{shape}", points=state["points"])
"""
GROWS = 'state["seen"].append(np.random.default_rng(len(state["seen"])).random(len(state["seen"][0]), np.float32))'


def made(workshop: Any, *options: object, numbers: int = 10, body: str = GROWS, shape: str = "polygon") -> Any:
    file = workshop.folder / "follows.py"
    file.write_text(TRACKER.format(numbers=numbers, body=body, shape=shape))
    return workshop.run("--function-file", file, "--output", workshop.folder / "follows", *options)


#: As in an environment with the function's own requirements, and another Python than this one's.
HIDES_MSGPACK = """
import sys


class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name in ("msgpack", "msgpack._cmsgpack"):
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Nowhere())
"""


def kept(workshop: Any) -> dict[str, Any]:
    """The options that are kept."""
    options: dict[str, Any] = yaml.safe_load((workshop.folder / "follows/cvat-nuclio.yaml").read_text())
    return options


def rules(workshop: Any) -> list[str]:
    return [finding.rule for finding in check_paths([workshop.folder / "follows"])]


def test_the_size_of_a_state_is_told(workshop: Any) -> None:
    run = made(workshop)
    assert run.status == 0, run.err
    assert "of 4194304 characters (9 made-up frames)" in run.out
    assert "state" not in run.err
    assert "state" not in kept(workshop)


def test_a_state_that_outgrows_a_token_is_kept_in_memory(workshop: Any) -> None:
    """400 kB of float32 a frame are 4 MiB of text at the eighth."""
    run = made(workshop, numbers=100_000)
    assert run.status == 0, run.err
    assert "frame 8 of a made-up film has a state that is no token" in run.err
    assert "most of it is state['seen']" in run.err
    assert "--state in-memory was chosen" in run.err
    assert kept(workshop)["state"] == "in-memory"
    assert "state='in-memory'" in (workshop.folder / "follows/nuclio/model_handler.py").read_text().replace('"', "'")
    assert "States stay in the worker's memory" in (workshop.folder / "follows/nuclio/README.md").read_text()
    assert "CN626" not in rules(workshop)
    assert workshop.run(workshop.folder / "follows", "--check").status == 0


@pytest.mark.parametrize(("numbers", "said"), [(10, "(9 made-up frames)"), (100_000, "--state in-memory was chosen")])
def test_the_function_s_interpreter_needs_nothing_but_what_the_function_imports(
    workshop: Any, numbers: int, said: str
) -> None:
    """Its requirements name cvat-sdk, which has no msgpack; CVAT's own SAM 2 tracker is such a one."""
    file = workshop.folder / "follows.py"
    file.write_text(HIDES_MSGPACK + TRACKER.format(numbers=numbers, body=GROWS, shape="polygon"))
    run = workshop.run("--function-file", file, "--output", workshop.folder / "follows")
    assert run.status == 0, run.err
    assert said in run.out + run.err


@pytest.mark.parametrize("options", [("--state", "token"), ("--replicas", "3")])
def test_who_asked_for_tokens_is_told_that_tracking_will_fail(workshop: Any, options: tuple[str, str]) -> None:
    run = made(workshop, *options, numbers=1_200_000)
    assert run.status == 0, run.err
    assert "tracking will fail there; --state in-memory" in run.err
    assert "CN626" in rules(workshop)
    assert "Tracking will fail" in (workshop.folder / "follows/nuclio/README.md").read_text()
    if options[0] == "--state":
        assert workshop.run(workshop.folder / "follows", "--state", "in-memory").status == 0
        assert "refused-state" not in kept(workshop)
        assert "CN626" not in rules(workshop)


@pytest.mark.parametrize("shape", ["rectangle", "mask", "ellipse", "polyline", "points"])
def test_every_shape_that_a_tracker_may_take_is_tried(workshop: Any, shape: str) -> None:
    assert "(9 made-up frames)" in made(workshop, shape=shape).out


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('raise KeyError("no such thing")', "frame 2 of a made-up film failed (KeyError: 'no such thing')"),
        ("raise SystemExit(3)", "frame 2 of a made-up film failed (SystemExit: 3)"),
        ("os.kill(os.getpid(), 11)", "(1 of 9 made-up frames)"),
        ("time.sleep(600)", "(1 of 9 made-up frames)"),
    ],
)
def test_a_tracker_that_fails_on_the_film_is_generated_all_the_same(workshop: Any, body: str, said: str) -> None:
    run = made(workshop, "--timeout", "20", body=body)
    assert run.status == 0, run.err
    assert said in run.out + run.err
    assert "state" not in kept(workshop)
