"""Options: what is refused, and what each does."""

import ast
import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cvat_nuclio.errors import UserError
from cvat_nuclio.generate import annotations, commented_yaml, names, render, skeleton
from cvat_nuclio.generate.option_kinds import parse_size
from cvat_nuclio.limits import NAME


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--name", "pth-facebookresearch-sam-vit-h"], "is CVAT's own"),
        (["--name", "dashboard"], "is Nuclio's own"),
        (["--name", "My_Function"], "--name my-function"),
        (["--name", "a" * 56], "at most 55"),
        (["--name", "a/b"], "cannot be a function's name"),
        (["--event-timeout", "120s"], "CVAT gives a request up after 120 s"),
        (["--event-timeout", "30"], "missing unit in duration"),
        (["--event-timeout", "0s"], "not between 0"),
        (["--env", "A=it's"], "single quote"),
        (["--env", "A"], "--env: 'A' is not NAME=VALUE"),
        (["--env", "1A=b"], "no name for a variable"),
        (["--memory", "4 gigabytes"], "not a quantity"),
        (["--max-body", "much"], "no size"),
        (["--workers", "0"], "--workers 0 is not a whole number from 1 on"),
        (["--min-replicas", "3", "--max-replicas", "2"], "Nuclio refuses"),
        (["--min-replicas", "0"], "needs --max-replicas"),
        (["--state", "in-memory", "--workers", "2"], "cannot go with --state in-memory"),
        (["--state", "in-memory", "--replicas", "2"], "cannot go with --state in-memory"),
        (["--toleration", "a:Sometimes"], "no toleration"),
        (["--memory", "1Gi", "--memory-request", "2Gi"], "is more than --memory 1Gi"),
        (["--cpu", "500m", "--cpu-request", "1"], "is more than --cpu 500m"),
        (["--gpus", "1"], "--gpus 1: the function has no GPU form"),
        (["--port", "65536"], "--port 65536 is not a whole number from 1 to 65535"),
        (["--service-type", "NodePort", "--port", "8080"], "is no port of a node"),
        (["--service-type", "LoadBalancer"], "invalid choice"),
        (["--ingress-host", "a b"], "is not a host's name"),
        (["--secret-env", "A=Big_Secret"], "names no secret"),
        (["--secret-env", "A=s", "--env", "A=b"], "both set A"),
        (["--affinity", "absent.yaml"], "cannot read"),
        (["--skeleton-edge", "arm:shoulder"], "no edge"),
        (["--skeleton-edge", "arm:shoulder,foot"], "has no point 'foot'"),
        (["--skeleton-edge", "leg:a,b"], "no skeleton is called 'leg'"),
        (["--add", "absent.bin"], "there is no such file"),
        (["--add", "detector.py=../x.py"], "no place in the bundle"),
        (["--add", "detector.py=main.py"], "cannot be added"),
        (["--add", "detector.py=whl/x.py"], "cannot be added"),
        (["--prebuilt", "a@sha256:00"], "names a digest"),
        (["--function-module", "x"], "not allowed with argument"),
        (["--display-name", "two\nlines"], "has a line break"),
        (["--apt", "git; id"], "is not a Debian package"),
        (["--node-selector", "a=b c"], "is not a label of Kubernetes"),
    ],
)
def test_options_that_cannot_work_are_refused(workshop: Any, zoo: Path, arguments: list[str], words: str) -> None:
    (workshop.folder / "detector.py").write_bytes((zoo / "detector.py").read_bytes())
    run = workshop.run("--function-file", "detector.py", "--output", "out", *arguments)
    assert run.status == 2
    assert words in run.err
    assert not (workshop.folder / "out").exists()


def test_unknown_options_in_the_file_are_named(workshop: Any) -> None:
    folder = workshop.generate("detector")
    (folder / "cvat-nuclio.yaml").write_text("function-file: ../detector.py\nname: x\nworker: 2\n")
    run = workshop.run(folder)
    assert "did you mean 'workers'?" in run.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "is not YAML"),
        ("- a", "holds no options"),
        ("name: 5\nfunction-file: f.py", "name: 5 is not text"),
        ("name: x\nfunction-file: f.py\nadd: 5", "is not a list"),
        ("name: x\nfunction-file: f.py\nbake: often", "neither true nor false"),
        ("name: x\nfunction-file: f.py\nworkers: two", "--workers two is not a whole number"),
        ("name: x", "name the function once"),
    ],
)
def test_a_bad_file_is_explained(workshop: Any, text: str, words: str) -> None:
    (workshop.folder / "cvat-nuclio.yaml").write_text(text)
    run = workshop.run(".")
    assert run.status == 2
    assert words in run.err


def test_a_folder_that_was_never_generated(workshop: Any) -> None:
    (workshop.folder / "empty").mkdir()
    run = workshop.run("empty")
    assert "has no cvat-nuclio.yaml" in run.err


def test_nothing_to_generate(workshop: Any) -> None:
    assert "name the function, or a bundle" in workshop.run().err
    (workshop.folder / "a").mkdir()
    assert "give one of them" in workshop.run("a", "--output", "b").err


def test_in_memory_states_mean_one_worker_and_one_replica(workshop: Any) -> None:
    text = (workshop.generate("tracker", "--state", "in-memory") / "nuclio" / "function.yaml").read_text()
    spec = yaml.safe_load(text)["spec"]
    assert spec["triggers"]["myHttpTrigger"]["numWorkers"] == 1
    assert spec["replicas"] == 1


def test_large_labels_are_warned_of(workshop: Any) -> None:
    (workshop.folder / "many.py").write_text(
        "import cvat_sdk.auto_annotation as cvataa\n"
        "spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec(f'label {n:055}', n) for n in range(800)])\n"
        "def detect(context, image):\n    return []\n"
    )
    run = workshop.run("--function-file", "many.py", "--output", "out")
    assert "argument list too long" in run.err


def test_the_text_of_function_yaml_is_compared_with_the_object(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commented_yaml, "quoted", str)
    with pytest.raises((AssertionError, yaml.YAMLError)):
        workshop.generate("detector", "--env", "A=1")


@given(st.text())
def test_quoted_strings_are_read_back(text: str) -> None:
    if not any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        assert yaml.safe_load(commented_yaml.quoted(text)) == text


@given(st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.booleans(), st.lists(st.text())))
def test_python_values_are_read_back(value: Any) -> None:
    source = render.python(value)
    read = eval(source, {"float": float})
    assert (type(read), read) == (type(value), value)
    assert math.isinf(value) if source.startswith("float(") else ast.literal_eval(source) == value


@given(st.text())
def test_suggested_names_work(text: str) -> None:
    assert NAME.fullmatch(names.suggest(text))


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, unique=True))
def test_any_label_names_survive(given_names: list[str]) -> None:
    spec = [
        {"id": n, "name": name, "type": "any", "attributes": [], "sublabels": []} for n, name in enumerate(given_names)
    ]
    text = annotations.spec_text(spec, {})
    assert "'" not in text
    lines = yaml.safe_load("spec: |\n" + "".join(f"  {line}\n" for line in text.splitlines()))["spec"]
    assert [item["name"] for item in json.loads(lines)] == given_names


@given(st.integers(1, 200))
def test_points_of_a_skeleton_lie_apart_and_inside(count: int) -> None:
    picture = skeleton.svg("s", [f"p{n}" for n in range(count)], [])
    places = {
        (line.split('cx="')[1].split('"')[0], line.split('cy="')[1].split('"')[0]) for line in picture.split("\n")
    }
    assert len(places) == count
    assert all(0 < float(value) < 100 for place in places for value in place)


@pytest.mark.parametrize(
    ("text", "size"), [("1000", 1000), ("32Mi", 2**25), ("32MiB", 2**25), ("0.5Gi", 2**29), ("64M", 64_000_000)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size("--max-body", text) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "1Ti", "x"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(UserError):
        parse_size("--max-body", text)


def test_a_docstring_of_nothing_but_controls_is_none(workshop: Any) -> None:
    (workshop.folder / "f.py").write_text(
        '"""\\x96"""\nimport cvat_sdk.auto_annotation as cvataa\n'
        'spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("a", 0)])\n'
        "def detect(context, image):\n    return []\n"
    )
    assert workshop.run("f.py", "--output", "out").status == 0
    assert "Out: detector for CVAT" in (workshop.folder / "out" / "nuclio" / "function.yaml").read_text()


def spec_of(folder: Path, file: str = "function.yaml") -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load((folder / "nuclio" / file).read_text("utf-8"))["spec"]
    return spec


def test_a_cluster_s_options_stand_in_the_file_and_survive_regeneration(workshop: Any) -> None:
    (workshop.folder / "near.yaml").write_text(
        "affinity:\n  podAntiAffinity:\n    preferredDuringSchedulingIgnoredDuringExecution:\n"
        "      - weight: 1\n        podAffinityTerm: {topologyKey: kubernetes.io/hostname}\n"
    )
    given = [
        "--memory", "4Gi", "--memory-request", "1500Mi", "--cpu-request", "750m", "--target-cpu", "60",
        "--port", "32001", "--service-type", "NodePort", "--ingress-host", "functions.example.org",
        "--affinity", "near.yaml", "--env", "A=1",
        "--secret-env", "HF_TOKEN=hub:token", "--secret-env", "PASSWORD=login",
    ]  # fmt: skip
    folder = workshop.generate("detector", *given)
    first = spec_of(folder)
    assert first["resources"] == {"requests": {"memory": "1500Mi", "cpu": "750m"}, "limits": {"memory": "4Gi"}}
    assert first["targetCPU"] == 60
    attributes = first["triggers"]["myHttpTrigger"]["attributes"]
    assert (attributes["port"], attributes["serviceType"]) == (32001, "NodePort")
    assert attributes["ingresses"] == {"0": {"host": "functions.example.org", "paths": ["/"]}}
    assert list(first["affinity"]) == ["podAntiAffinity"]
    assert [entry.get("valueFrom", {}).get("secretKeyRef") for entry in first["env"]] == [
        None, {"name": "hub", "key": "token"}, {"name": "login", "key": "PASSWORD"},
    ]  # fmt: skip
    assert workshop.run(folder, "--workers", "2").status == 0
    second = spec_of(folder)
    assert second["triggers"]["myHttpTrigger"].pop("numWorkers") == 2
    first["triggers"]["myHttpTrigger"].pop("numWorkers")
    assert second == first


def test_what_is_limited_is_requested_too(workshop: Any) -> None:
    resources = spec_of(workshop.generate("detector", "--memory", "2Gi", "--cpu", "2"))["resources"]
    assert resources["requests"] == resources["limits"] == {"memory": "2Gi", "cpu": "2"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nodeAffinity: {required: 1}", "nodeAffinity.required"),
        ("podAffinity: 5", "Go struct field"),
        ("- a", "holds no affinity"),
        ("a: [", "cannot read"),
    ],
)
def test_an_affinity_that_kubernetes_would_not_read_is_refused(workshop: Any, zoo: Path, text: str, words: str) -> None:
    (workshop.folder / "detector.py").write_bytes((zoo / "detector.py").read_bytes())
    (workshop.folder / "near.yaml").write_text(text)
    run = workshop.run("--function-file", "detector.py", "--output", "out", "--affinity", "near.yaml")
    assert run.status == 2
    assert words in run.err
