"""Every recorded failure of nuctl is given its cause in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cvat_nuclio.deploy.causes import find_cause, plain

EXPECTED = yaml.safe_load(Path(__file__).with_name("expected_causes.yaml").read_text("utf-8"))
FILES = ("failures", "states", "prebuilt", "skew")

# Failed runs without one cause of ours, and why.
OTHER = {
    "states/invoke-missing": "not a deploy: nuctl's own line says it",
    "states/invoke-function-in-error": "not a deploy: nuctl's own line says it",
    "states/invoke-container-killed": "not a deploy: nuctl's own line says it",
    "states/import-function-again": "not a deploy: nuctl's own line says it",
    "states/import-project": "not a deploy",
    "states/delete-project-with-functions": "not a deploy: nuctl's own line says it",
    "states/delete-project-missing": "not a deploy: nuctl's own line says it",
    "states/parallel-same-function": "two runs at once, recorded without output; deploy locks by name instead",
}


@pytest.mark.parametrize("key", sorted(EXPECTED))
def test_a_recorded_failure_gets_its_cause(key: str, records: Callable[[str], list[dict[str, Any]]]) -> None:
    file, _, id_ = key.partition("/")
    expected = EXPECTED[key] if isinstance(EXPECTED[key], list) else [EXPECTED[key]]
    failed = [record for record in records(file) if record["id"] == id_ and record["exit_code"] > 0]
    causes = [find_cause(record["stdout"], record["stderr"]) for record in failed]
    assert {cause.text for cause in causes} == set(expected)
    assert all("\n" not in cause.text and len(cause.text) < 200 and cause.remedy for cause in causes)


def test_no_recorded_failure_is_left_out(records: Callable[[str], list[dict[str, Any]]]) -> None:
    failed = {f"{file}/{record['id']}" for file in FILES for record in records(file) if record["exit_code"] > 0}
    assert failed == set(EXPECTED) | set(OTHER)


def test_output_without_a_known_cause_gives_its_own_first_line() -> None:
    cause = find_cause("", "\nError - the moon is full\n    /nuclio/pkg/moon.go:1\n")
    assert (cause.id, cause.text) == ("unknown", "the moon is full")


def test_an_exit_status_alone_gives_way_to_what_was_printed() -> None:
    stderr = (
        "\nError - exit status 127\n    /x.go:1\n\nCall stack:\nstdout:\n/bin/sh: /bin/printenv: not found\n\nstderr:\n"
    )
    assert find_cause("", stderr).text == "/bin/sh: /bin/printenv: not found"


def test_silence_is_said() -> None:
    assert find_cause("", "").text == "nuctl said nothing"


def test_colours_and_nested_escapes_are_undone() -> None:
    assert plain('\x1b[91mERROR: {\\"err\\": \\"a\\\\nb\\"}\x1b[0m') == 'ERROR: {"err": "a\nb"}'
