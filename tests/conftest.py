"""Fixtures for every test."""

import importlib
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# No deadline: a busy machine is no bug.
hypothesis.settings.register_profile("repository", deadline=None)
hypothesis.settings.load_profile("repository")
# For `make mutants`: that a test fails is all it asks.
hypothesis.settings.register_profile(
    "mutants",
    deadline=None,
    database=None,
    max_examples=50,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)

# What runs the tests may ignore them (nohup; a shell's `&`), and a process that inherits that cannot be ended by them.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# The helpers of these folders explain their assertions as tests do.
pytest.register_assert_rewrite("tests.cvat", "tests.cvat_server", "tests.equality", "tests.serve")

REPOSITORY = Path(__file__).resolve().parent.parent
# Folders that `make test` leaves out, and who runs them.
OTHERS = {
    "tests/models/pytorch": "make test-models",
    "tests/page": "make test-page",
    "tests/ai_models": "make test-ai-models CVAT_SOURCE=FOLDER",
}
WANTS_A_PACKAGE = re.compile("could not import|is not installed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--complete", action="store_true", help="a test that is skipped fails the run")


def pytest_configure(config: pytest.Config) -> None:
    """Where tests are only collected none uses its snapshot: that is no failure."""
    if config.option.collectonly:
        config.option.warn_unused_snapshots = True


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With `--complete` nothing may hide behind a skip."""
    if session.config.option.complete and session.exitstatus == 0 and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of a run: what was not run for want of a package, and which command runs it."""
    lacking = [str(report.fspath) for report in _skipped(config) if WANTS_A_PACKAGE.search(report.longrepr[2])]
    by_command: dict[str, list[str]] = {}
    for path in dict.fromkeys([*lacking, *(config.option.ignore or ())]):
        command = next((name for folder, name in OTHERS.items() if path.startswith(folder)), "make test")
        by_command.setdefault(command, []).append(path)
    if by_command:
        parts = [f"{', '.join(paths)} (`{command}` runs them)" for command, paths in by_command.items()]
        config.get_terminal_writer().line(f"Not run: {'; '.join(parts)}")


def _skipped(config: pytest.Config) -> list[Any]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter else []


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the tool keeps from run to run lies in a folder of this run's, and not among the user's own files."""
    folder = tmp_path_factory.mktemp("state")
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(folder)
    yield folder
    if before is None:
        del os.environ["XDG_STATE_HOME"]
    else:
        os.environ["XDG_STATE_HOME"] = before


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's root."""
    return REPOSITORY


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder with the exchanges recorded from CVAT, Nuclio and nuctl; see its README."""
    return REPOSITORY / "tests" / "recordings"


@pytest.fixture(scope="session")
def cvat() -> Callable[..., Any]:
    """A CVAT in this process: `cvat(function, url, images, generation=…, labels=…)` is a user in front of one function.

    `function` is Nuclio's object of it (`GET /api/functions`). See `cvat_nuclio.cvat.browser.Browser`: annotate,
    detect, interact, track and reidentify call the function over HTTP as that generation of CVAT does, and give back
    what it would show or store.
    """
    in_front_of: Callable[..., Any] = importlib.import_module("tests.cvat_browser").in_front_of
    return in_front_of


def _beside_standin(name: str) -> Any:
    """A module of `tests/cvat_server`, which other folders' tests use too."""
    return importlib.import_module(f"tests.cvat_server.{name}")


@pytest.fixture
def standin() -> Iterator[Any]:
    """`cvat_standin.py`: a CVAT server of 2.73 without any task, for this test alone."""
    with _beside_standin("cvat_standin").running() as server:
        yield server


@pytest.fixture
def standin_place(standin: Any) -> Iterator[Any]:
    """A user at the stand-in, who can make tasks: see `cvat_place.Place`."""
    with _beside_standin("cvat_place").place_at(standin.url, "annotator", "secret") as place:
        yield place


@pytest.fixture
def cvat_place(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The same at the real server that CVAT_URL, CVAT_USER and CVAT_PASSWORD name, where they are set.

    A test that asks for `standin` besides troubles its server: it gets the stand-in.
    """
    if "standin" in request.fixturenames:
        yield request.getfixturevalue("standin_place")
        return
    with _beside_standin("cvat_place").anywhere() as place:
        yield place


@pytest.fixture
def honeypots() -> dict[str, Any]:
    """For `Place.task`: a pool of three of the ten pictures, of which each job of three others gets two more."""
    names = ["s1.jpg", "s6.jpg", "s8.jpg"]
    validation = {"mode": "gt_pool", "frame_selection_method": "manual", "frames": names, "frames_per_job_count": 2}
    return {"segment_size": 3, "data": {"sorting_method": "random", "validation_params": validation}}


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 30 frames, 64 by 48, in which a square of 12 by 10 moves by a pixel a frame to the right."""
    import cv2
    import numpy as np

    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for x in range(30):
        picture = np.full((48, 64, 3), 30, np.uint8)
        picture[10:20, x : x + 12] = (0, 200, 255)
        writer.write(picture)
    writer.release()
    return path
