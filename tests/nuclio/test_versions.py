"""What the table of Nuclio's versions says, and that it says of what was never run that it was not."""

import json
from pathlib import Path

import pytest

from cvat_nuclio.data import tables

RECORDINGS = Path(__file__).parent.parent / "recordings" / "nuctl-recordings"


def test_what_was_run_is_what_the_recordings_hold() -> None:
    recorded = {
        record["nuclio"] for file in RECORDINGS.glob("*.json") for record in json.loads(file.read_text("utf-8"))
    }
    assert {version for version in recorded if not tables.never_run(version)} == set(
        tables.read("nuclio_versions")["ran"]
    )
    assert tables.never_run("1.16.3") == "never run with this tool, which was run with 1.13.0 and 1.14.1"


def test_a_prebuilt_image_takes_a_processor_that_was_run_unless_told() -> None:
    assert tables.nuclio_image() == "quay.io/nuclio/handler-builder-python-onbuild:1.14.1-amd64"
    assert not tables.never_run("1.14.1")
    assert tables.nuclio_image("1.17.9").endswith(":1.17.9-amd64")


@pytest.mark.parametrize(
    ("version", "arch", "platform", "ids"),
    [
        ("1.17.5", "aarch64", "local", ["4298"]),
        ("1.17.5", "x86_64", "local", []),
        ("1.17.5", "arm64", "kube", ["4298", "4346"]),
        ("1.17.9", "arm64", "kube", []),
        ("1.14.1", "arm64", "kube", []),
    ],
)
def test_a_fault_is_told_of_the_versions_that_have_it(version: str, arch: str, platform: str, ids: list[str]) -> None:
    told = tables.nuclio_faults(version, arch=arch, platform=platform)
    assert [line.rpartition("#")[2].rstrip(")") for line in told] == ids


@pytest.mark.parametrize("line", [(1, 13), (1, 14), (1, 15), (1, 16), (1, 17)])
def test_every_line_has_wheels_for_what_it_takes_by_itself_and_for_3_11(line: tuple[int, int]) -> None:
    wheels, alias = tables.nuclio_wheels()[line]
    assert {alias, "3.11"} <= set(wheels)
