"""torch tensors, where torch is installed."""

from types import SimpleNamespace
from typing import Any

import pytest
from tests.state.state_rows import TENSOR, flat

from aa_runtime.state import Codec, DecodeError, EncodeError, foreign

torch: Any = pytest.importorskip("torch")

INTEGERS = ["uint8", "int8", "int16", "int32", "int64", "uint16", "uint32"]
FLOATS = ["float16", "bfloat16", "float32", "float64", "complex64", "float8_e4m3fn"]


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4), (0,), (2, 0)])
def test_tensors_keep_dtype_shape_and_bits(dtype: str, shape: tuple[int, ...]) -> None:
    of = getattr(torch, dtype)
    value = torch.arange(24)[: torch.Size(shape).numel()].reshape(shape).to(of)
    codec = Codec()
    again = codec.decode(codec.encode(value))
    assert type(again) is torch.Tensor
    assert (again.dtype, again.shape, str(again.device)) == (of, value.shape, "cpu")
    assert torch.equal(again.to(torch.complex128), value.to(torch.complex128))
    again.zero_()  # its memory is its own, and writable


def test_views_gradients_and_conjugates_come_as_values() -> None:
    codec = Codec()
    for value in (
        torch.arange(12.0).reshape(3, 4).T[::2],
        torch.ones(2, requires_grad=True) * 2,
        torch.tensor([1 + 2j]).conj(),
        torch.ones(1).expand(5),
    ):
        again = codec.decode(codec.encode(value))
        assert torch.equal(again, value.detach())
        assert not again.requires_grad


def test_a_shared_tensor_stays_shared() -> None:
    codec, tensor = Codec(), torch.zeros(2)
    again = codec.decode(codec.encode([tensor, {"x": tensor}]))
    assert again[0] is again[1]["x"]


def test_a_tensor_of_an_accelerator_comes_to_this_worker_s_device() -> None:
    codec = Codec()
    again = codec.decode(flat(TENSOR, "float32", "cuda", 2, bulk=codec.encode(torch.ones(2)).bulk))
    assert again.device.type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert again.tolist() == [1, 1]


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.ones(2).to_sparse(),
        lambda: torch.ones(2, device="meta"),
        lambda: torch.nn.Parameter(torch.ones(2)),
        lambda: torch.nn.Linear(1, 1),
        lambda: torch.device("cpu"),
    ],
)
def test_what_is_no_plain_tensor_is_refused(make: Any) -> None:
    with pytest.raises(EncodeError, match=r"state\['x'\]"):
        Codec().encode({"x": make()})


def test_a_tensor_counts_as_several_parts() -> None:
    assert Codec().encode([torch.zeros(1), torch.zeros(0)]).cost.nodes == 1 + 2 * 8


@pytest.mark.parametrize(
    ("parts", "bulk"),
    [
        (["float32", "cpu", 2], b"1234"),
        (["float32", "cpu", 0, 2**62], b""),
        (["float32", "cpu", 2**32, 2**32], b""),
        (["float32", "cpu", 0, -1], b""),
        (["load", "cpu", 1], b"1234"),
        (["Tensor", "cpu", 1], b"1234"),
        (["nn.Module", "cpu", 1], b"1234"),
        (["quint8", "cpu", 1], b"1"),
        (["float8_none", "cpu", 1], b"1"),
        (["float32", "cpu", *[1] * 10_000, -1], b"1234"),
        (["float32", "cpu", "1"], b"1234"),
        ([3, "cpu", 1], b"1234"),
        (["float32"], b"1234"),
    ],
)
def test_hostile_tensors_are_refused(parts: list[Any], bulk: bytes) -> None:
    with pytest.raises(DecodeError):
        Codec().decode(flat(TENSOR, *parts, bulk=bulk))


def test_only_a_tensor_that_was_on_an_accelerator_goes_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "_accelerator", lambda torch: "meta")  # a device that any machine has
    codec = Codec()
    here = codec.encode(torch.ones(2))
    assert codec.decode(here).device.type == "cpu"
    assert codec.decode(flat(TENSOR, "float32", "cuda", 2, bulk=here.bulk)).device.type == "meta"


@pytest.mark.parametrize(
    ("cuda", "mps", "device"), [(True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_the_accelerator_is_the_one_that_torch_has(cuda: bool, mps: bool, device: str) -> None:
    backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps))
    fake = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: cuda), backends=backends)
    assert foreign._accelerator(fake) == device
