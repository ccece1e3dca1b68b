"""What was wrongly said of public functions, each kind in words of our own, with the fault that is like it."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from cvat_nuclio.check import check_paths
from cvat_nuclio.check.finding import Finding
from cvat_nuclio.check.finding_formats import as_text

CONFIG = """\
metadata: {name: NAME, annotations: {name: Demo, type: detector, spec: '[{"id": 1, "name": "cat"}]'}}
spec:
  description: Finds cats
  handler: main:handler
  runtime: "python:PYTHON"
  eventTimeout: 60s
  build:
    image: demo
    baseImage: BASE
    directives:
      preCopy:
        - {kind: RUN, value: 'STEP'}
  triggers: {http: {kind: http, numWorkers: 1, attributes: {maxRequestBodySize: 33554432}}}
"""


def found(folder: Path, rule: str, *, nuclio: str = "1.16", **words: str) -> Sequence[Finding]:
    text = CONFIG
    given = {"NAME": "demo", "PYTHON": "3.11", "BASE": "python:3.11-slim", "STEP": "pip install pillow"} | words
    for word, value in given.items():
        text = text.replace(word, value)
    (folder / "function.yaml").write_text(text)
    (folder / "main.py").write_text("def handler(context, event):\n    return []\n")
    return [finding for finding in check_paths([folder], nuclio=nuclio) if finding.rule == rule]


@pytest.mark.parametrize(("base", "count"), [("ubuntu:20.04", 0), ("python:3.8", 0), ("ubuntu:22.04", 1)])
def test_pip_takes_no_numpy_2_for_an_old_python(tmp_path: Path, base: str, count: int) -> None:
    step = "pip3 install torch==1.13.1 torchvision==0.14.1"
    assert len(found(tmp_path, "CN349", BASE=base, STEP=step)) == count


@pytest.mark.parametrize(
    ("base", "step", "count"),
    [
        ("ubuntu:22.04", "pip3 install torch==1.8.1+cpu torchvision==0.9.1+cpu -f https://pages.example/x.html", 1),
        ("ubuntu:22.04", "pip3 install torch==1.11.0 torchvision==0.12.0", 0),
        ("ubuntu:20.04", "pip3 install torch==1.8.1 torchvision==0.9.1", 0),
        ("python:3.12-slim", "pip install tensorflow==2.15.*", 1),
        ("python:3.12-slim", "pip install 'onnxruntime>=1.16'", 0),
        ("ubuntu:22.04", "apt-get install -y python3.9 && python3.9 -m pip install torch==1.8.1", 0),
    ],
)
def test_a_release_without_wheels_for_the_images_python(tmp_path: Path, base: str, step: str, count: int) -> None:
    assert len(found(tmp_path, "CN350", BASE=base, STEP=step.replace("'", '"'))) == count


@pytest.mark.parametrize(
    ("base", "remedy"),
    [
        ("ubuntu:20.04", "`baseImage: ubuntu:22.04`"),
        ("nvidia/cuda:11.7.1-devel-ubuntu20.04", "nvidia/cuda for ubuntu22.04"),
        ("python:3.8", "`baseImage: python:3.10-slim`"),
    ],
)
def test_another_image_for_a_runtime_keeps_what_the_steps_need(tmp_path: Path, base: str, remedy: str) -> None:
    (finding,) = found(tmp_path, "CN332", PYTHON="3.10", BASE=base, STEP="apt-get install -y python3 python-is-python3")
    assert remedy in finding.remedy


@pytest.mark.parametrize(
    ("base", "remedy"),
    [
        ("ubuntu:20.04", "`runtime: python:3.10` and `baseImage: ubuntu:22.04`"),
        ("nvidia/cuda:11.7.1-devel-ubuntu20.04", "nvidia/cuda for ubuntu22.04"),
        ("python:3.8", "`baseImage: python:3.11-slim`"),
        ("ubuntu:22.04", "`runtime: python:3.10`, which is the image's"),
        ("team/net:v1", "the Python that team/net:v1 has"),
    ],
)
def test_another_runtime_fits_an_image_in_which_the_steps_still_work(tmp_path: Path, base: str, remedy: str) -> None:
    (finding,) = found(tmp_path, "CN331", PYTHON="3.8", BASE=base)
    assert remedy in finding.remedy


@pytest.mark.parametrize(
    ("step", "count"),
    [
        ("conda create -y -n net python=3.8 && pip install torch==1.7.1 torchvision==0.8.2", 0),
        ("apt-get install -y python3.6-dev python3-pip && pip install torch==1.8.1 torchvision==0.9.1", 0),
        ("conda create -y -n net python=3.10 && pip install torch==1.13.1 torchvision==0.14.1", 1),
    ],
)
def test_pip_takes_no_numpy_2_for_an_old_python_of_the_steps(tmp_path: Path, step: str, count: int) -> None:
    assert len(found(tmp_path, "CN349", BASE="ubuntu:20.04", STEP=step)) == count


@pytest.mark.parametrize(("answer", "count"), [("urlopen(context.url).read()", 0), ("json.dumps({'mask': [[0]]})", 1)])
def test_another_services_answer_may_be_the_embedding(tmp_path: Path, answer: str, count: int) -> None:
    found(tmp_path, "CN410", NAME="pth-facebookresearch-sam-vit-h")
    (tmp_path / "main.py").write_text(f"def handler(context, event):\n    return context.Response(body={answer})\n")
    assert len([one for one in check_paths([tmp_path]) if one.rule == "CN410"]) == count


@pytest.mark.parametrize(
    ("base", "step", "count"),
    [
        ("ubuntu:22.04", "ln -s /usr/bin/python3 /usr/bin/python", 1),
        ("ubuntu:22.04", "apt-get update && apt-get install -y python3 && ln -s /usr/bin/python3 /usr/bin/python", 0),
        ("ubuntu:22.04", "apt-get update && apt-get install -y python3-pip && pip install opencv-python", 1),
        ("nvidia/cuda:12.2.0-runtime-ubuntu22.04", "ln -s /usr/bin/python3 /usr/bin/python", 0),
        ("debian:12", "apt-get install -y --no-install-recommends git python", 0),
    ],
)
def test_a_link_to_no_python_is_none(tmp_path: Path, base: str, step: str, count: int) -> None:
    assert len(found(tmp_path, "CN333", BASE=base, STEP=step)) == count


@pytest.mark.parametrize(("path", "count"), [("f'/home/ann/net.pt'", 1), ("f'{root}/home/ann/net.pt'", 0)])
def test_a_text_that_fills_nothing_in_is_a_path_all_the_same(tmp_path: Path, path: str, count: int) -> None:
    found(tmp_path, "CN621")
    (tmp_path / "main.py").write_text(f"def handler(context, event):\n    return open({path}).read()\n")
    assert len([one for one in check_paths([tmp_path]) if one.rule == "CN621"]) == count


def test_a_message_of_several_lines_is_one_line(tmp_path: Path) -> None:
    found(tmp_path, "CN621")
    (tmp_path / "main.py").write_text("def handler(context, event):\n    return open('/home/ann/a\\nb.pt').read()\n")
    line = next(line for line in as_text(check_paths([tmp_path])).splitlines() if "CN621" in line)
    assert "/home/ann/a\\nb.pt is a path" in line


def test_a_private_module_beside_functions_is_none(tmp_path: Path) -> None:
    imports = "import cvat_sdk.auto_annotation as cvataa\n"
    text = f"{imports}\n\nclass Base:\n    spec = cvataa.DetectionFunctionSpec(labels=[])\n"
    for name, count in (("_base.py", 0), ("base.py", 1)):
        folder = tmp_path / f"with {name}"
        folder.mkdir()
        (folder / name).write_text(text)
        (folder / "func.py").write_text(f"{imports}spec = detect = None\n")
        assert len([one for one in check_paths([folder]) if one.rule == "CN701"]) == count


def test_a_long_name_is_told_its_length(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, "CN302", NAME="a" * 61)
    assert "too long" in finding.message
    assert "55" in finding.remedy
    (finding,) = found(tmp_path, "CN302", NAME="a.b")
    assert "hyphens" in finding.remedy


@pytest.mark.parametrize(
    ("python", "nuclio", "said"), [("3.11", "1.16", 1), ("3.11", "1.17.9", 1), ("3.11", "1.18", 0), ("3.12", "1.18", 1)]
)
def test_alpine_from_1_17_9_on_for_one_python(tmp_path: Path, python: str, nuclio: str, said: int) -> None:
    assert len(found(tmp_path, "CN340", nuclio=nuclio, PYTHON=python, BASE=f"python:{python}-alpine")) == said


@pytest.mark.parametrize(("base", "severity"), [("team/net:v1", "note"), ("python:3.11-slim", "error")])
def test_an_image_of_ones_own_may_hold_the_requirements(tmp_path: Path, base: str, severity: str) -> None:
    (finding,) = found(tmp_path, "CN345", BASE=base, STEP="pip install -r requirements.txt")
    assert finding.severity.value == severity


@pytest.mark.parametrize(("lines", "count"), [("pillow\n", 0), ("pillow\nshapely\n", 1)])
def test_requirements_that_are_installed_by_name(tmp_path: Path, lines: str, count: int) -> None:
    (tmp_path / "requirements.txt").write_text(lines)
    assert len(found(tmp_path, "CN335")) == count


def test_a_function_yaml_of_another_program_is_passed_over(tmp_path: Path) -> None:
    found(tmp_path, "CN109")
    other = tmp_path / "other" / "function.yaml"
    other.parent.mkdir()
    other.write_text("version: 2\ninfo: {title: shop}\nroutes: [{path: /buy}]\n")
    assert not [finding for finding in check_paths([tmp_path]) if finding.file == other]
    other.write_text("metdata: {name: demo}\nspce: {handler: main:handler}\n")
    assert [finding for finding in check_paths([tmp_path]) if finding.file == other]


def test_a_template_has_no_module_beside_it(tmp_path: Path) -> None:
    found(tmp_path, "CN602")
    text = (tmp_path / "function.yaml").read_text()
    for name, count in (("template.yaml", 0), ("function.yaml", 1)):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text(text)
        assert len([one for one in check_paths([tmp_path]) if one.rule == "CN602"]) == count


@pytest.mark.parametrize(
    ("boxes", "count"), [("results.obb.xywhr", 0), ("results.turned", 1)], ids=["Ultralytics", "others"]
)
def test_the_angles_of_ultralytics_are_in_range(tmp_path: Path, boxes: str, count: int) -> None:
    (tmp_path / "func.py").write_text(
        textwrap.dedent(f"""
            import math
            import cvat_sdk.auto_annotation as cvataa

            spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("cat", 0)])

            def detect(context, image):
                results = find(image)
                return [
                    cvataa.rectangle(0, [x, y, x + w, y + h], rotation=math.degrees(r)) for x, y, w, h, r in {boxes}
                ]
        """)
    )
    assert len([one for one in check_paths([tmp_path / "func.py"]) if one.rule == "CN709"]) == count


@pytest.mark.parametrize(
    ("line", "remedy"),
    [("environment: []", "spec.env"), ("volumeMounts: []", "spec.volumes"), ("oddity: 1", "remove it")],
)
def test_a_dropped_key_that_means_something_is_told_its_place(tmp_path: Path, line: str, remedy: str) -> None:
    (finding,) = found(tmp_path, "CN103", **{"  eventTimeout: 60s": f"  eventTimeout: 60s\n  {line}"})
    assert remedy in finding.remedy
