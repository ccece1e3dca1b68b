"""Which functions the runtime puts on a device, and on which. With real networks: tests/models/pytorch."""

import subprocess
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from cvat_sdk.version import VERSION

from aa_runtime import sdk_functions


class Model:
    """As much of a torch.nn.Module as is needed to be placed."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        if name in ("to", "requires_grad_", "register_forward_pre_hook", "register_forward_hook"):

            def step(value: Any) -> "Model":
                self.steps.append((name, value))
                return self

            return step
        raise AttributeError(name)

    def parameters(self) -> list[Any]:
        return [SimpleNamespace(numel=lambda: 2**20, element_size=lambda: 4)]

    def buffers(self) -> list[Any]:
        return []


class Log:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def info(self, message: str, *args: object) -> None:
        self.lines.append(("info", message % args))

    def warn(self, message: str, *args: object) -> None:
        self.lines.append(("warn", message % args))


@pytest.fixture
def log() -> Log:
    return Log()


class Device:
    def __init__(self, text: str) -> None:
        self.type = text.partition(":")[0]
        self._text = text
        if self.type not in ("cpu", "cuda"):
            raise RuntimeError(f"Expected one of cpu, cuda device type at start of device string: {text}")

    def __str__(self) -> str:
        return self._text


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A torch that sees one GPU."""
    cuda = SimpleNamespace(
        is_available=lambda: True,
        mem_get_info=lambda device: (70 * 2**30, 80 * 2**30),
        get_device_name=lambda device: "NVIDIA X",
    )
    fake = SimpleNamespace(
        cuda=cuda, device=Device, nn=SimpleNamespace(Module=Model), get_num_threads=lambda: 2, __name__="torch"
    )
    monkeypatch.setitem(sys.modules, "torch", fake)
    monkeypatch.delenv("AA_DEVICE", raising=False)
    return fake


def function(module: str = "cvat_sdk.auto_annotation.functions.torchvision_detection", **fields: Any) -> Any:
    """A function whose class lies in `module`."""
    made = type("_TorchvisionDetectionFunction", (), {"__module__": module})()
    vars(made).update(fields)
    return made


def steps(model: Model) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in model.steps if not name.startswith("register")]


@pytest.mark.parametrize(
    ("env", "gpu", "chosen"),
    [
        (None, True, "cuda"),
        (None, False, "cpu"),
        ("", True, "cuda"),
        ("cpu", True, "cpu"),
        ("cuda:1", True, "cuda:1"),
    ],
)
def test_the_device_is_the_gpu_where_there_is_one_unless_another_is_named(
    env: str | None, gpu: bool, chosen: str, torch: SimpleNamespace, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.cuda.is_available = lambda: gpu
    if env is not None:
        monkeypatch.setenv("AA_DEVICE", env)
    model = Model()
    sdk_functions.place(function(_model=model, _weights="Weights.COCO"), log)
    assert steps(model) == [("to", chosen), ("requires_grad_", "False")]
    assert [name for name, _ in model.steps[2:]] == ["register_forward_pre_hook", "register_forward_hook"]
    where = "cpu, 2 threads" if chosen == "cpu" else f"{chosen}, NVIDIA X, 70.0 of 80.0 GiB free"
    assert log.lines == [("info", f"Model with Weights.COCO, 4 MiB, on {where}")]


def test_a_device_that_torch_does_not_know_is_named(
    torch: SimpleNamespace, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AA_DEVICE", "gpu")
    with pytest.raises(ValueError, match="AA_DEVICE=gpu: torch cannot use that device: Expected one of cpu, cuda"):
        sdk_functions.place(function(_model=Model()), log)


def test_a_model_too_large_for_the_gpu_ends_the_start_in_torchs_words(torch: SimpleNamespace, log: Any) -> None:
    class TooLarge(Model):
        def to(self, device: Any) -> Any:
            raise MemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    with pytest.raises(MemoryError, match="Tried to allocate"):
        sdk_functions.place(function(_model=TooLarge()), log)


@pytest.mark.parametrize("fields", [{}, {"_model": "elsewhere"}, {"_network": Model()}])
def test_a_model_in_an_unknown_place_stays_there_with_a_warning(
    fields: dict[str, Any], torch: SimpleNamespace, log: Any
) -> None:
    sdk_functions.place(function(**fields), log)
    warning = "keeps its model in an unknown place: it runs as it is, on the CPU"
    assert log.lines == [("warn", f"_TorchvisionDetectionFunction of cvat-sdk {VERSION} {warning}")]
    assert all(steps(value) == [] for value in fields.values() if isinstance(value, Model))


def test_without_torch_there_is_the_same_warning(log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    sdk_functions.place(function(_model=Model()), log)
    assert [level for level, _ in log.lines] == ["warn"]


@pytest.mark.parametrize(
    "make",
    [
        lambda model: function("__cvat_function__", _model=model),
        lambda model: type("Mine", (type(function()),), {"__module__": "mine", "_model": model})(),
        lambda model: SimpleNamespace(_model=model),
        lambda model: ModuleType("cvat_sdk.auto_annotation.functions.torchvision_detection"),
    ],
    ids=["a user's", "derived from cvat-sdk's", "an object", "a module"],
)
def test_other_functions_are_left_alone(
    make: Callable[[Model], Any], torch: SimpleNamespace, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AA_DEVICE", "cuda")
    model = Model()
    sdk_functions.place(make(model), log)
    assert model.steps == []
    assert log.lines == []


def test_the_runtime_itself_never_imports_torch() -> None:
    script = """
import logging, sys, types
import cvat_sdk.auto_annotation as cvataa
from aa_runtime import FunctionSource, Options, create_handler

function = types.ModuleType("function")
function.spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("a", 0)])
sys.modules["function"] = function
create_handler(FunctionSource(module="function"), Options(), logging.getLogger())
print(sorted({"torch", "torchvision"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
