"""`--fix` mends what changes nothing in what is read, and leaves comments and layout alone."""

from pathlib import Path

from cvat_nuclio.check import check_paths
from cvat_nuclio.check.fix import apply_fixes
from cvat_nuclio.nuclio import read

BEFORE = """\
# A detector of words.
metadata:
  name:   words     # three blanks on purpose
  namespace: cvat
  annotations: {type: detector,   ratio: 1.10, version: 2}   # flow style

spec:
    description: d
    Handler: main:handler
    runtime: "python:3.11"
    eventTimeout: 60s
    env:
    - name: THREADS
      value: 010      # octal

    triggers:
        http:
            kind: http
            maxWorkers: 2   # old name
            attributes: {maxRequestBodySize: 33554432}
    platform:
        attributes:
            network: cvat_cvat
            mountMode: volume
            restartPolicy:
                name: always
                maximumRetryCount: 3
"""
AFTER = """\
# A detector of words.
metadata:
  name:   words     # three blanks on purpose
  annotations: {type: detector,   ratio: "1.1", version: "2"}   # flow style

spec:
    description: d
    handler: main:handler
    runtime: "python:3.11"
    eventTimeout: 60s
    env:
    - name: THREADS
      value: "8"      # octal

    triggers:
        http:
            kind: http
            numWorkers: 2   # old name
            attributes: {maxRequestBodySize: 33554432}
    platform:
        attributes:
            network: cvat_cvat
            restartPolicy:
                name: always
"""


def fixed(tmp_path: Path, text: str) -> str:
    file = tmp_path / "function.yaml"
    file.write_bytes(text.encode())
    apply_fixes(check_paths([file]))
    return file.read_bytes().decode()


def test_only_the_mended_places_change(tmp_path: Path) -> None:
    assert fixed(tmp_path, BEFORE) == AFTER


def test_what_nuctl_deploys_stays_the_same(tmp_path: Path) -> None:
    before, after = read(BEFORE, "builder").config, read(fixed(tmp_path, BEFORE), "builder").config
    assert before["metadata"] == after["metadata"]
    assert after["spec"]["triggers"]["http"]["numWorkers"] == before["spec"]["triggers"]["http"]["maxWorkers"]


def test_fixing_again_changes_nothing(tmp_path: Path) -> None:
    assert fixed(tmp_path, AFTER) == AFTER


def test_carriage_returns_and_the_byte_order_mark_stay(tmp_path: Path) -> None:
    text = "\ufeff" + BEFORE.replace("\n", "\r\n")
    assert fixed(tmp_path, text) == "\ufeff" + AFTER.replace("\n", "\r\n")


def test_a_renaming_that_would_change_the_reading_is_not_made(tmp_path: Path) -> None:
    text = "spec:\n  description: d\n  triggers: {http: {kind: http, maxWorkers: 2, numWorkers: 3}}\n"
    assert fixed(tmp_path, text) == text


def test_no_file_is_left_beside(tmp_path: Path) -> None:
    fixed(tmp_path, BEFORE)
    assert [path.name for path in tmp_path.iterdir()] == ["function.yaml"]


def test_a_fixed_file_is_then_read_by_the_processor(tmp_path: Path) -> None:
    assert read(BEFORE, "processor").refused
    assert read(fixed(tmp_path, BEFORE), "processor").refused is None
