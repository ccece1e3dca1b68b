"""What people reported of folders that looked clean: each kind, written in several ways, and sound ones beside them."""

from pathlib import Path

import pytest

from cvat_nuclio.check import check_paths
from cvat_nuclio.data import tables

YAML = """metadata:
  name: demo
  annotations:
    type: {kind}
    version: "2"
    spec: '[{{"name": "cat", "type": "rectangle"}}]'
spec:
  description: d
  handler: main:handler
  runtime: "python:3.11"
  eventTimeout: 60s
  resources: {{limits: {{{limits}}}}}
  build:
    image: demo
    baseImage: {image}
    directives:
      preCopy:
{steps}
  triggers:
    http:
      kind: http
      numWorkers: 1
      attributes: {{maxRequestBodySize: {body}}}
"""
MAIN = """import json


def init_context(context):
    context.user_data.model = len


def handler(context, event):
{lines}
    return context.Response(body=json.dumps(answer), content_type="application/json")
"""


def rules(
    folder: Path, *steps: str, image: str = "python:3.11-slim", kind: str = "detector", lines: str = "answer = []",
    body: str = "33554432", limits: str = "", **files: str,
) -> set[str]:  # fmt: skip
    """The rules that speak of a bundle with these steps (`KIND value`) and this handler."""
    words = [step.partition(" ") for step in steps or ("RUN pip install numpy",)]
    text = "\n".join(f"      - {{kind: {kind}, value: {value!r}}}" for kind, _, value in words)
    (folder / "function.yaml").write_text(
        YAML.format(steps=text, image=image, kind=kind, body=body, limits=limits), "utf-8"
    )
    code = "\n".join(f"    {line}" for line in lines.splitlines())
    (folder / "main.py").write_text(MAIN.format(lines=code), "utf-8")
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, "utf-8")
    return {finding.rule for finding in check_paths([folder])}


GPU = {"image": "nvidia/cuda:12.2.0-cudnn8-runtime-ubuntu22.04", "limits": "nvidia.com/gpu: 1"}
PYTHON = "RUN apt-get update && apt-get install -y python3.11 python3-pip python-is-python3"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("RUN pip install onnxruntime-gpu=='1.16.*' 'numpy<2'", {"CN337"}),
        ('RUN pip install "onnxruntime-gpu<1.19" "numpy<2"', {"CN337"}),
        ("RUN python3 -m pip install --no-cache-dir onnxruntime_gpu===1.17.1 numpy==1.26.4", {"CN337"}),
        ("RUN pip install onnxruntime-gpu numpy", {"CN337"}),
        ("RUN pip install onnxruntime-gpu==1.99.0 numpy", {"CN337"}),
        ("RUN pip install 'onnxruntime-gpu>=1.99' numpy", {"CN337"}),
        ("RUN pip install 'onnxruntime-gpu>=1.19,<1.24' numpy", set()),
        ("RUN pip install onnxruntime-gpu==1.16.3 'numpy<2' --extra-index-url https://example.org/cuda-12", set()),
        ("RUN pip install cupy-cuda11x", {"CN337"}),
    ],
)
def test_onnxruntime_for_another_cuda(tmp_path: Path, step: str, expected: set[str]) -> None:
    assert rules(tmp_path, PYTHON, step, **GPU) == expected


def test_a_release_that_is_newer_than_the_table_is_taken_for_its_last(tmp_path: Path) -> None:
    rules(tmp_path, PYTHON, "RUN pip install onnxruntime-gpu==1.99.0 numpy", **GPU)
    (finding,) = check_paths([tmp_path])
    assert (finding.rule, finding.severity.name) == ("CN337", "WARNING")
    assert f"newer than what is known here, {tables.rows('onnxruntime-gpu')[-1].version}" in finding.message


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nvidia/cuda:12.4.1-base-ubuntu22.04", {"CN348"}),
        ("nvidia/cuda:12.4.1-runtime-ubuntu22.04", {"CN348"}),
        ("nvcr.io/nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04", set()),
        ("python:3.11-slim", {"CN348"}),
        ("registry:5000/python:3.11-slim", {"CN348"}),
        ("team/image-of-our-own:1", set()),
    ],
)
def test_onnxruntime_where_no_cuda_is(tmp_path: Path, image: str, expected: set[str]) -> None:
    step = "RUN pip install onnxruntime-gpu==1.20.2 numpy"
    assert rules(tmp_path, PYTHON, step, image=image, limits="nvidia.com/gpu: 1") == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["RUN pip install -U ultralytics"], {"CN347"}),
        (["RUN pip3 install opencv_contrib_python==4.9.0.80 'numpy<2'"], {"CN347"}),
        (["COPY handler/requirements.txt /tmp/", "RUN pip install -r /tmp/requirements.txt"], {"CN347"}),
        (["RUN apt-get update && apt-get install -y libgl1", "RUN pip install opencv-python"], set()),
        (["RUN pip install ultralytics && pip install opencv-python-headless"], set()),
        (["RUN pip install opencv-python-headless"], set()),
    ],
)
def test_opencv_for_desktops(tmp_path: Path, steps: list[str], expected: set[str]) -> None:
    assert rules(tmp_path, *steps, requirements__txt="supervision>=0.20\n" if "COPY" in steps[0] else "") == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["RUN pip install -r requirements.txt"], {"CN345"}),
        (["RUN pip install --requirement=/opt/nuclio/requirements.txt"], {"CN345"}),
        (["COPY requirements.txt /tmp/requirements.txt", "RUN pip install -r /tmp/requirements.txt"], {"CN344"}),
        (["COPY handler/ /tmp/code/", "RUN pip install -r /tmp/code/requirements.txt"], set()),
        (
            [
                "RUN apt-get update && apt-get install -y git",
                "RUN git clone https://example.org/net && cd net && pip install -r requirements.txt",
            ],
            set(),
        ),
        (["RUN pip install -r https://example.org/requirements.txt"], set()),
    ],
)
def test_requirements_that_are_not_in_the_image_yet(tmp_path: Path, steps: list[str], expected: set[str]) -> None:
    assert rules(tmp_path, *steps, requirements__txt="numpy\n") == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["RUN mkdir /w && mv /home/me/net.pt /w/"], {"CN344"}),
        (["ADD ../weights/net.pt /opt/nuclio/"], {"CN344"}),
        (["COPY --chown=root:root C:\\nets\\net.pt /opt/nuclio/"], {"CN344"}),
        (["COPY net.pt /opt/nuclio/net.pt"], {"CN344"}),
        (["ADD https://example.org/net.pt /opt/nuclio/"], set()),
        (["COPY --from=python:3.12 /usr/local/bin/python /tmp/python"], set()),
        (["ADD https://example.org/net.pt /root/", "RUN mv /root/net.pt /opt/"], set()),
    ],
)
def test_files_of_the_host_in_the_build(tmp_path: Path, steps: list[str], expected: set[str]) -> None:
    assert rules(tmp_path, "RUN pip install numpy", *steps) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('answer = dict(blob="AAAA")', {"CN618"}),
        ('answer = {"blob": "AAAA", "points": [[1, 2]]}', {"CN618"}),
        ("answer = [[point[0], point[1]] for point in event.body['pos_points']]", {"CN618"}),
        ("answer = list(context.user_data.model(event.body['image']))", {"CN618"}),
        ('answer = {"shapes": []}', set()),
        ("answer = context.user_data.model(event.body['obj_bbox'])", set()),
    ],
)
def test_answers_of_interactors(tmp_path: Path, lines: str, expected: set[str]) -> None:
    assert rules(tmp_path, kind="interactor", lines=lines) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("answer = [event.body['threshold']]", {"CN619"}),
        ("data = json.loads(event.body.decode('utf-8'))\nanswer = [data.pop('threshold')]", {"CN619", "CN630"}),
        ("answer = [event.body['neg_points']]", {"CN619"}),
        ("data = event.body\nif 'threshold' in data:\n    answer = [data['threshold']]", set()),
        ("data = event.body\ntry:\n    answer = [data['threshold']]\nexcept KeyError:\n    answer = []", set()),
        ("data = event.body\ndata.setdefault('threshold', 0.5)\nanswer = [data['threshold']]", set()),
        ("data = {'threshold': 1}\nanswer = [data['threshold']]", set()),
        ("context.logger.info()\nanswer = []", {"CN610"}),
        ("answer = [context.user_data.models]", {"CN620"}),
        ("answer = [getattr(context.user_data, 'models', None)]", set()),
    ],
)
def test_what_a_detector_reads(tmp_path: Path, lines: str, expected: set[str]) -> None:
    assert rules(tmp_path, lines=lines) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"E:\\nets\\net.onnx", {"CN621"}),
        ("/home/ana/nets/net.onnx", {"CN621"}),
        ("~/nets/net.onnx", {"CN621"}),
        ("~/.cache/nets", set()),
        ("/nets/net.onnx", set()),
        ("https://example.org/home/ana/net.onnx", set()),
    ],
)
def test_paths_of_the_author(tmp_path: Path, text: str, expected: set[str]) -> None:
    assert rules(tmp_path, lines=f'answer = [context.user_data.model("{text}")]') == expected


@pytest.mark.parametrize(
    ("body", "expected"), [("true", {"CN203"}), ('"32MB"', {"CN203"}), ("33554432.0", set()), ("1.0", {"CN501"})]
)
def test_body_limits(tmp_path: Path, body: str, expected: set[str]) -> None:
    assert rules(tmp_path, body=body) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["RUN conda create -y -n net python=3.11"], {"CN346"}),
        (["RUN mamba install -y numpy"], {"CN346"}),
        (["RUN pip install conda-pack"], set()),
    ],
)
def test_conda_where_there_is_none(tmp_path: Path, steps: list[str], expected: set[str]) -> None:
    assert rules(tmp_path, *steps) == expected


@pytest.mark.parametrize("name", ["function_gpu.yaml", "function-2.yaml", "ours.yml"])
def test_every_configuration_of_a_folder_is_read(tmp_path: Path, name: str) -> None:
    assert rules(tmp_path) == set()
    text = (tmp_path / "function.yaml").read_text().replace('python:3.11"', 'python:9.9"')
    (tmp_path / name).write_text(text)
    assert "CN331" in {finding.rule for finding in check_paths([tmp_path])}


@pytest.mark.parametrize(
    ("image", "steps", "expected"),
    [
        ("ubuntu:22.04", ["RUN git clone https://example.org/net /opt/net"], {"CN352"}),
        ("python:3.11", ["RUN git clone https://example.org/net /opt/net", "RUN sudo mkdir /data"], {"CN352"}),
        ("python:3.11", ["RUN curl -LO https://example.org/net.pt && unzip net.zip"], set()),
        ("python:3.11-slim", ["RUN pip install 'git+https://example.org/net.git'"], {"CN352"}),
        ("python:3.11-slim", ["RUN DEBIAN_FRONTEND=noninteractive apk add git"], {"CN352"}),
        ("acme/torch:1", ["RUN wget https://example.org/net.pt"], set()),
        ("python:3.11-slim", ["RUN wget https://example.org/net.pt || true"], set()),
        ("python:3.11-slim", ["RUN apt update && apt install git"], {"CN354"}),
        ("tensorflow/tensorflow:2.16.1", ["RUN apt install curl"], set()),
        ("python:3.11-slim", ["RUN yes | apt-get install git"], {"CN355"}),
        ("python:3.11-slim", ["RUN apt-get update && apt-get install --no-install-recommends -yq libgl1"], set()),
        ("python:3.11-slim-bookworm", ["RUN apt-get update && apt-get install -y libgl1-mesa-glx"], set()),
        ("python:3.8-slim", ["RUN pip install numpy nuclio-sdk msgpack"], set()),
        # A port is no tag.
        ("registry:5000/debian", ["RUN apt-get update && apt-get install -y libgl1-mesa-glx"], set()),
        ("registry:5000/debian:13", ["RUN apt-get update && apt-get install -y libgl1-mesa-glx"], {"CN334", "CN359"}),
        (
            "nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04",
            ["RUN apt-get update && apt-get install -y python-dev"],
            {"CN359"},
        ),
        ("python:3.11-slim", ["RUN pip install face_recognition"], {"CN353"}),
        ("python:3.11", ["RUN pip install face_recognition"], set()),
        ("python:3.11-slim", ["RUN pip install pytesseract"], {"CN358"}),
        ("python:3.11-slim", ["COPY handler/requirements.txt /tmp/", "RUN pip install numpy"], {"CN344"}),
        ("python:3.11-slim", ["RUN source /opt/venv/bin/activate"], {"CN356"}),
        ("python:3.11-slim", ["ENTRYPOINT [python3, main.py]"], {"CN357"}),
    ],
)
def test_what_steps_call(tmp_path: Path, image: str, steps: list[str], expected: set[str]) -> None:
    step = [] if "pip" in steps[0] else ["RUN pip install numpy"]
    others = {"CN332", "CN333", "CN336", "CN339"}
    assert rules(tmp_path, *step, *steps, image=image) - others == expected


ITEM = '{{"label": {label}, "type": {kind}, "points": {points}, "confidence": {confidence}}}'


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"label": '"CAT"'}, {"CN632"}),
        ({"points": "[[1, 2], (3, 4)]"}, {"CN633"}),
        ({"points": "[1, 2, 3]"}, {"CN633"}),
        ({"kind": '"polygon"', "points": "[1, 2, 3, 4]"}, {"CN633"}),
        ({"points": "[*event.body['box'], 4]"}, set()),
        ({"points": "[numpy.float32(1), 2, 3, 4]"}, {"CN634"}),
        ({"confidence": "numpy.float64(0.5)"}, set()),
    ],
)
def test_items_of_detectors(tmp_path: Path, words: dict[str, str], expected: set[str]) -> None:
    given = {"label": '"cat"', "kind": '"rectangle"', "points": "[1, 2, 3, 4]", "confidence": '"1"'} | words
    assert rules(tmp_path, lines=f"import numpy\nanswer = [{ITEM.format(**given)}]") == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("body = event.body\ndata = json.loads(body)\nanswer = [data['image']]", {"CN630"}),
        (
            "try:\n    data = json.loads(event.body)\nexcept Exception:\n    return 'no'\nanswer = [data['image']]",
            {"CN630"},
        ),
        ("try:\n    data = json.loads(event.body)\nexcept TypeError:\n    data = event.body\nanswer = [data]", set()),
        ("data = json.loads(json.dumps(event.body))\nanswer = [data['image']]", set()),
        ("answer = [event.body['image'].split('base64,')[1]]", {"CN631"}),
        ("picture = event.body['image']\nanswer = [picture.split(',')[1] if ',' in picture else picture]", set()),
        ("import os\nanswer = [os.environ['MODEL']]", {"CN635"}),
        ("import os\nanswer = [os.environ['MODEL'] if 'MODEL' in os.environ else 1]", set()),
        ("import os\nanswer = [os.environ['NUCLIO_FUNCTION_NAME'], os.environ.get('MODEL')]", set()),
        ("answer = {'labels': ['cat']}", {"CN636"}),
        ("if not event.body:\n    answer = {'error': 'empty'}\nelse:\n    answer = []", set()),
        ("from ultralytics import YOLO\nanswer = [YOLO('best.pt')]", {"CN622"}),
        ("with open('cats.txt') as file:\n    answer = [file.read()]", {"CN637"}),
    ],
)
def test_what_handlers_count_on(tmp_path: Path, lines: str, expected: set[str]) -> None:
    assert rules(tmp_path, lines=lines, cats__txt="cat") == expected
