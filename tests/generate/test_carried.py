"""Weights and devices: files that travel as parameters, volumes, the GPU form's own values, and what is missing."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cvat_nuclio.check import check_paths
from cvat_nuclio.check.finding import Severity

FUNCTION = """
import pathlib
import cvat_sdk.auto_annotation as cvataa
import numpy as np


class Function:
    def __init__(self, model: str, device: str = "cpu"):
        path = pathlib.Path(model)
        self.weights = np.load(path if path.is_file() else path / "w.npy")
        name = f"{path.name} {int(self.weights[0])} {device}"
        self.spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec(name, 0)])

    def detect(self, context, image):
        return []


create = Function
"""


@pytest.fixture
def weights(workshop: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (workshop.folder / "street.py").write_text(FUNCTION)
    folder: Path = tmp_path_factory.mktemp("elsewhere") / "big model"
    folder.mkdir()
    np.save(folder / "w.npy", np.array([7]))
    return folder


def loaded_in(folder: Path, tmp_path: Path, env: dict[str, str] | None = None) -> str:
    """The label of the function as the bundle loads it, from another folder, without what made it."""
    code = (
        f"import sys; sys.path.insert(0, {str(folder / 'nuclio')!r}); import model_handler; "
        "from aa_runtime import load; print(load(model_handler.SOURCE).spec.labels[0].name)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(("inner", "label"), [("w.npy", "w.npy 7 cpu"), ("", "big model 7 cpu")])
def test_a_file_or_folder_travels_as_a_parameter(
    workshop: Any, weights: Path, tmp_path: Path, inner: str, label: str
) -> None:
    run = workshop.run("street.py", "-p", f"model=file:{weights / inner}")
    assert run.status == 0, run.err
    assert "which is not in the bundle" not in run.err
    bundle = workshop.folder / "street"
    assert loaded_in(bundle, tmp_path) == label
    assert check_paths([bundle]) == []
    again = workshop.run("--check", bundle)
    assert (again.status, again.err) == (0, "")
    assert "nothing to do" in workshop.run(bundle).out
    # What nobody commits is missed.
    for file in (bundle / "nuclio").rglob("w.npy"):
        file.unlink()
    (finding,) = check_paths([bundle])
    assert (finding.rule, finding.severity) == ("CN623", Severity.ERROR)


def test_two_files_of_one_name_lie_apart(workshop: Any, weights: Path) -> None:
    other = weights.parent / "other"
    other.mkdir()
    np.save(other / "w.npy", np.array([8]))
    text = FUNCTION.replace("device: str", 'second: str = "", device: str')
    (workshop.folder / "street.py").write_text(text)
    run = workshop.run("street.py", "-p", f"model=file:{weights / 'w.npy'}", "-p", f"second=file:{other / 'w.npy'}")
    assert run.status == 0, run.err
    nuclio = workshop.folder / "street" / "nuclio"
    assert np.load(nuclio / "second" / "w.npy") == [8]
    assert np.load(nuclio / "w.npy") == [7]


def test_the_remedy_for_weights_elsewhere_works_as_printed(workshop: Any, weights: Path, tmp_path: Path) -> None:
    run = workshop.run("street.py", "-p", f"model=str:{weights}/w.npy")
    bundle = workshop.folder / "street"
    remedy = f"-p model=file:{weights}/w.npy"
    assert remedy in run.err
    (finding,) = check_paths([bundle])
    assert (finding.rule, finding.severity) == ("CN623", Severity.ERROR)
    assert finding.remedy.startswith(f"cvat-nuclio generate {bundle} {remedy}")
    assert workshop.run(bundle, "-p", f"model=file:{weights}/w.npy").status == 0
    assert check_paths([bundle]) == []
    assert loaded_in(bundle, tmp_path) == "w.npy 7 cpu"
    assert "lacks" not in (bundle / "cvat-nuclio.yaml").read_text()


def test_a_file_that_is_not_there_is_named(workshop: Any, weights: Path) -> None:
    run = workshop.run("street.py", "-p", "model=file:none.npy")
    assert run.status == 2
    assert "-p model=file:../none.npy: there is no such file or folder" in run.err
    assert "try: lay it there, or name another: -p model=file:PATH" in run.err


def test_weights_that_the_function_reads_by_itself_are_missed_by_check(workshop: Any, weights: Path) -> None:
    text = FUNCTION.replace("model: str,", f"model: str = {str(weights / 'w.npy')!r},")
    (workshop.folder / "street.py").write_text(text)
    run = workshop.run("street.py")
    assert run.status == 0
    bundle = workshop.folder / "street"
    assert "the function reads w.npy in" in run.err
    assert {finding.rule for finding in check_paths([bundle])} == {"CN623"}
    assert workshop.run(bundle, "--volume", f"{weights.parent}:{weights.parent}").err == ""
    assert check_paths([bundle]) == []


def test_a_volume_holds_what_the_function_reads(workshop: Any, tmp_path: Path) -> None:
    (workshop.folder / "street.py").write_text(FUNCTION)
    models = tmp_path / "models"
    models.mkdir()
    np.save(models / "w.npy", np.array([7]))
    run = workshop.run(
        "street.py", "-p", f"model=str:{models}/w.npy", "--volume", f"{models}:{models}", "--volume", "pvc:cache:/cache"
    )
    assert run.status == 0, run.err
    assert "note:" not in run.err
    bundle = workshop.folder / "street"
    for _ in range(2):
        spec = yaml.safe_load((bundle / "nuclio/function.yaml").read_text())["spec"]
        assert spec["volumes"] == [
            {
                "volume": {"name": "volume-1", "hostPath": {"path": str(models)}},
                "volumeMount": {"name": "volume-1", "mountPath": str(models)},
            },
            {
                "volume": {"name": "volume-2", "persistentVolumeClaim": {"claimName": "cache"}},
                "volumeMount": {"name": "volume-2", "mountPath": "/cache"},
            },
        ]
        assert check_paths([bundle]) == []
        assert workshop.run(bundle, "--memory", "1Gi").status == 0


@pytest.mark.parametrize("text", ["/a", "a:/b", "/a:b", "/a:/", "/a:/opt", "/a:/opt/nuclio", "/a b:/c", "/a:/b/../c",
                                  "/a,b:/c", "/a':/c", "pvc:A_b:/c", "pvc::/c", "/a:/b:ro", ""])  # fmt: skip
def test_what_is_no_volume(workshop: Any, zoo: Path, text: str) -> None:
    run = workshop.run(zoo / "detector.py", "--output", "out", "--volume", text)
    assert run.status == 2
    assert "--volume" in run.err


def test_weights_of_gigabytes_are_proposed_as_a_volume(workshop: Any, weights: Path) -> None:
    with (weights / "w.npy").open("ab") as file:
        file.truncate(3 * 10**9)  # sparse
    run = workshop.run("street.py", "-p", f"model=str:{weights}/w.npy")
    assert f"for it is 3 GB, --volume {weights}/w.npy:{weights}/w.npy" in run.err


@pytest.fixture
def on_gpu(workshop: Any, weights: Path, packages: Callable[..., Path]) -> list[str]:
    packages({"torch": "2.9.1", "nvidia-cuda-runtime-cu12": "12.8.90"}, {"torch": ["nvidia-cuda-runtime-cu12"]})
    (workshop.folder / "requirements.txt").write_text("torch\nnumpy\n")
    return ["street.py", "-p", f"model=file:{weights}/w.npy", "--no-bake"]


def test_the_gpu_form_gets_values_of_its_own(workshop: Any, on_gpu: list[str], tmp_path: Path) -> None:
    run = workshop.run(*on_gpu)
    assert "the GPU form computes on the CPU" in run.err
    bundle = workshop.folder / "street"
    run = workshop.run(bundle, "--gpu-parameter", "device=str:cuda")
    assert run.status == 0, run.err
    assert "the GPU form computes" not in run.err
    gpu = yaml.safe_load((bundle / "nuclio/function-gpu.yaml").read_text())["spec"]["env"]
    assert gpu == [{"name": "AA_FORM", "value": "gpu"}]
    assert "env" not in yaml.safe_load((bundle / "nuclio/function.yaml").read_text())["spec"]
    assert loaded_in(bundle, tmp_path) == "w.npy 7 cpu"
    assert loaded_in(bundle, tmp_path, {"AA_FORM": "gpu"}) == "w.npy 7 cuda"
    assert check_paths([bundle]) == []
    assert json.dumps("gpu-parameters")[1:-1] in (bundle / "cvat-nuclio.yaml").read_text()


def test_a_value_that_create_does_not_take_is_refused(workshop: Any, on_gpu: list[str]) -> None:
    run = workshop.run(*on_gpu, "--gpu-parameter", "divice=str:cuda")
    assert run.status == 2
    assert "its create takes model, device" in run.err
