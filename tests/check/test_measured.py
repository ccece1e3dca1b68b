"""`check` against what really happened: every recorded configuration, deploy and listing.

A finding of the right rule where something was refused, dropped, hidden or broken, none of severity error where all
went well. Misses and false alarms fail; hits are counted (`pytest -s` prints them).
"""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cvat_nuclio.check import Finding, Severity, check_paths
from cvat_nuclio.nuclio.document import Node, parse

_SPEC = importlib.util.spec_from_file_location("measured", Path(__file__).with_name("measured.py"))
assert _SPEC
assert _SPEC.loader
measured: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(measured)

Vector = dict[str, Any]
# The processor alone was asked in config.json, so the rules about nuctl, Docker, images and CVAT have nothing to say.
PROCESSOR_RULES = ["CN1*", "CN2*", "CN310", "CN311", "CN322", "CN507", "CN602", "CN603", "CN604"]
NUCTL_RULES = ["CN1*", "CN2*", "CN3*", "CN6*"]
CVAT_RULES = ["CN101", "CN4*"]
# What says that something in the file is not in force.
DROPPED_RULES = {"CN103", "CN104", "CN105", "CN106", "CN108"}


class Tally:
    """Hits, misses and false alarms."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self.misses: list[str] = []
        self.false_alarms: list[str] = []
        self.quiet = 0
        self.left_out: dict[str, str] = {}

    def add(self, what: str, wanted: set[str], findings: list[Finding], allowed: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        """Compares the findings with the rules of which one must have spoken; none wanted means all went well."""
        said = {finding.rule for finding in findings}
        errors = {finding.rule for finding in findings if finding.severity is Severity.ERROR} - allowed
        if wanted:
            (self.hits if wanted & said else self.misses).append(f"{what}: {sorted(wanted)} of {sorted(said)}")
        elif errors:
            self.false_alarms.append(f"{what}: {sorted(errors)}")
        else:
            self.quiet += 1

    def report(self, name: str) -> None:
        """Prints the counts, and fails on any miss or false alarm."""
        print(
            f"\n{name}: {len(self.hits)} hits, {len(self.misses)} misses, {len(self.false_alarms)} false alarms, "
            f"{self.quiet} quiet where all went well, {len(self.left_out)} that files cannot tell"
        )
        for identifier, reason in sorted(self.left_out.items()):
            print(f"  {identifier}: {reason}")
        assert self.misses == []
        assert self.false_alarms == []
        assert self.hits


def load(recordings: Path, name: str) -> list[Vector]:
    return json.loads((recordings / name).read_text("utf-8"))


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            path.symlink_to(text[3:])
        else:
            path.write_bytes(text.encode())
    return folder


def test_configurations(recordings: Path, tmp_path: Path) -> None:
    vectors = load(recordings, "nuclio-vectors/config.json")
    tally = Tally()
    handlers = vectors[0]["files"]
    for index, vector in enumerate(vectors):
        if vector["id"] in measured.CONFIG_CANNOT:
            tally.left_out[vector["id"]] = measured.CONFIG_CANNOT[vector["id"]]
            continue
        versions = vector["nuclio"] if isinstance(vector["nuclio"], list) else [vector["nuclio"]]
        for version in versions:
            text = vector["config"].replace("$2port", "18081").replace("$port", "18080")
            folder = write(tmp_path / f"{index}-{version}", {**handlers, "function.yaml": text})
            findings = check_paths([folder / "function.yaml"], nuclio=version, select=PROCESSOR_RULES)
            what = f"{vector['id']} {version}"
            tally.add(what, measured.config_rules(vector), findings)
            if dropped := lost_keys(text, vector["outcome"]["read"]):
                tally.add(f"{what}: {dropped}", DROPPED_RULES, findings)
    tally.report("config.json")


def lost_keys(text: str, read: dict[str, Any] | None) -> list[str]:
    """Keys with a value in the text that are not in what the processor read, apiVersion and kind aside."""
    if read is None:
        return []
    found = [path for path in paths(parse(text)[0], ()) if not present(read, path)]
    return [".".join(path) for path in found if path not in (("apiVersion",), ("kind",))]


def paths(node: Node, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The paths of all scalars with a value that Go would write back: no zero, empty string or null."""
    if isinstance(node.data, dict):
        for key, entry in node.data.items():
            yield from paths(entry.value, (*path, key))
    elif isinstance(node.data, list):
        for i, item in enumerate(node.data):
            yield from paths(item, (*path, str(i)))
    elif node.data:
        yield path


def present(value: Any, path: tuple[str, ...]) -> bool:
    for step in path:
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, dict):
            value = next((inner for key, inner in value.items() if key.lower() == step.lower()), None)
        if value is None:
            return False
    return True


def test_deploys(recordings: Path, tmp_path: Path) -> None:
    base = next(r for r in load(recordings, "nuctl-recordings/deploy.json") if r["id"] == "deploy-detector-first")[
        "files"
    ]
    records = load(recordings, "nuctl-recordings/failures.json")
    tally = Tally()
    for index, record in enumerate(records):
        identifier = record["id"]
        if identifier in measured.FAILURES_CANNOT:
            tally.left_out[identifier] = measured.FAILURES_CANNOT[identifier]
            if record["argv"][1] != "deploy":
                continue
        folder = write(tmp_path / str(index), deployed_files(record, base))
        findings = check_paths([folder], nuclio=record["nuclio"].split()[0], select=NUCTL_RULES)
        wanted: set[str] = set()
        if identifier in measured.FAILURES_DROPPED:
            wanted = {measured.FAILURES_DROPPED[identifier]}
        elif record["exit_code"] and identifier not in measured.FAILURES_CANNOT:
            wanted = measured.rule_for(record["stdout"] + record["stderr"], measured.CAUSES)
            assert wanted, f"{identifier}: no rule for this failure"
        stand_in = {measured.STAND_INS[identifier][0]} if identifier in measured.STAND_INS else set()
        tally.add(f"{identifier} {record['nuclio']}", wanted, findings, stand_in)
    tally.report("failures.json")


def deployed_files(record: Vector, base: dict[str, str]) -> dict[str, str]:
    files = {**base, **(record.get("files") or {})}
    if size := re.fullmatch(r"an annotation of (\d+) bytes in function.yaml", record.get("note") or ""):
        big = f"    type: detector\n    big: {'x' * int(size[1])}\n"
        files["function.yaml"] = base["function.yaml"].replace("    type: detector\n", big)
    return files


def test_listings(recordings: Path, tmp_path: Path) -> None:
    tally = Tally()
    for index, vector in enumerate(load(recordings, "vectors/listing.json")):
        case = vector["id"].partition("@")[0].removeprefix("listing.")
        function = vector["function"]
        if case.startswith("gateway."):
            tally.left_out[case] = "the dashboard's answer, or its absence"
            continue
        if case in measured.LISTING_CANNOT:
            tally.left_out[case] = measured.LISTING_CANNOT[case]
            continue
        document = {key: function[key] for key in ("metadata", "spec") if key in function}
        files = {
            "function.yaml": yaml.safe_dump(document),
            "main.py": "def handler(context, event):\n    return 'ok'\n",
        }
        generation = "G1" if vector["cvat_version"] == "2024-07" else "G2"
        findings = check_paths([write(tmp_path / str(index), files)], cvat=generation, nuclio="1.13", select=CVAT_RULES)
        tally.add(vector["id"], listing_rules(vector), findings)
    tally.report("listing.json")


def listing_rules(vector: Vector) -> set[str]:
    for outcome in (vector["outcome"], vector.get("outcome_list") or {}):
        if error := outcome.get("error"):
            wanted: set[str] = set()
            exception = str(error.get("exception")).rpartition(".")[2]
            wanted = measured.rule_for(f"{exception}: {error.get('message')}", measured.LISTING_CAUSES)
            assert wanted, f"{vector['id']}: no rule for {error}"
            return wanted
    return set()


@pytest.mark.parametrize(
    ("name", "table", "shorten"),
    [
        ("nuclio-vectors/config.json", "CONFIG_CANNOT", ""),
        ("nuctl-recordings/failures.json", "FAILURES_CANNOT", ""),
        ("nuctl-recordings/failures.json", "FAILURES_DROPPED", ""),
        ("nuctl-recordings/failures.json", "STAND_INS", ""),
        ("vectors/listing.json", "LISTING_CANNOT", "listing."),
    ],
)
def test_no_exception_outlives_its_recording(recordings: Path, name: str, table: str, shorten: str) -> None:
    ids = {vector["id"].partition("@")[0].removeprefix(shorten) for vector in load(recordings, name)}
    assert set(getattr(measured, table)) <= ids
