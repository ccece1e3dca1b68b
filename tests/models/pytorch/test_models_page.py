"""The commands of docs/models.md, as they stand there, on a small network of each kind."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import PIL.Image
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tools import tiny_networks, tiny_onnx


def test_every_command_of_the_page_does_what_it_says(repository: Path, tmp_path: Path) -> None:
    page = (repository / "docs/models.md").read_text("utf-8")
    lines = [line for block in re.findall(r"^```\n(.*?)^```", page, re.S | re.M) for line in block.splitlines()]
    # Examples need a CVAT: test_transformers_examples.py runs them. `./deploy.sh`, which comes last, tests/deploy runs.
    lines = [line for line in lines if "--examples-from-task" not in line]
    commands = [line for line in lines if line.startswith("cvat-nuclio ")]
    assert [line.split()[1] for line in commands] == [
        "generate", "invoke", "check", "init", "generate", "models", "generate", "generate", "generate",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[len(commands) :]] == ["./deploy.sh"]
    tiny_onnx.yolo(tmp_path / "best.onnx", ["helmet", "hat"], side=64)
    tiny_networks.save("transformers_detection", "yolos", tmp_path / "my-finetuned-detr")
    cache = tiny_networks.in_cache(tmp_path / "hub", "IDEA-Research/grounding-dino-tiny")
    tiny_networks.save("transformers_zero_shot", "grounding-dino", cache)
    environment = {
        **os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub"), "HF_ENDPOINT": "http://127.0.0.1:9",
    }  # fmt: skip
    PIL.Image.effect_noise((320, 240), 90).convert("RGB").save(tmp_path / "photo.jpg")
    for line in commands:
        done = subprocess.run(
            [sys.executable, "-m", "cvat_nuclio", *shlex.split(line)[1:]], cwd=tmp_path, capture_output=True, text=True,
            timeout=500, check=False, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, line + done.stdout + done.stderr
    assert (tmp_path / "seen.png").is_file()
    bundle = tmp_path / "my-detr/nuclio"
    assert (bundle / "my-finetuned-detr/model.safetensors").is_file()
    assert "transformers==" in (bundle / "requirements.txt").read_text()
    assert "CUDA" in (bundle / "function-gpu.yaml").read_text()
    answer = subprocess.run(
        [sys.executable, "-m", "cvat_nuclio", "invoke", "my-detr", "photo.jpg", "--threshold", "0.01"], cwd=tmp_path,
        capture_output=True, text=True, timeout=500, check=False, env=environment,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert re.search("cat|dog|hat", answer.stdout)
    spec = (tmp_path / "finder/nuclio/function.yaml").read_text()
    assert '"helmet"' in spec
    assert '"cat"' in spec
    assert "person with a bag" not in spec
