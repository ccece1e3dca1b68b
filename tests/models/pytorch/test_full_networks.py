"""`tools.full_networks` and `tools.checkpoint_times`: each network of the table at full size, and its figures."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from cvat_nuclio.models import table

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tools import checkpoint_times, full_networks, tiny_networks
from tools.function_times import Timed

ROWS = {f"{row.family}/{row.source}": row for row in table.networks()}
#: One of each architecture: all are compared by `python -m tools.checkpoint_times --count`.
SAMPLE = {(row.family, row.architecture): name for name, row in ROWS.items()}


@pytest.mark.parametrize("name", SAMPLE.values())
def test_the_table_has_the_number_of_parameters(name: str) -> None:
    assert full_networks.parameters(ROWS[name]) == pytest.approx(ROWS[name].parameters, abs=0.06)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_numbers_of_parameters_are_those_published(row: table.Network) -> None:
    assert row.parameters is not None
    assert checkpoint_times.published(row, row.parameters) == ""


def test_another_network_than_the_publisher_s_is_told() -> None:
    row = next(row for row in table.networks() if row.source == "facebook/sam-vit-base")
    assert "93.7 are published" in checkpoint_times.published(row, 120.0)


@pytest.mark.parametrize(("edges", "wanted"), [([0.2, 0.9], 2), ([0.5 + index / 1e6 for index in range(100)], 10)])
def test_the_threshold_lets_about_ten_objects_through(edges: list[float], wanted: int) -> None:
    threshold = checkpoint_times.threshold_of(lambda sure: sum(edge > sure for edge in edges))
    assert abs(sum(edge > threshold for edge in edges) - wanted) <= 2


@pytest.mark.parametrize(
    ("source", "family"),
    [
        ("facebook/mask2former-swin-tiny-coco-instance", "transformers_segmentation"),
        ("facebook/sam2.1-hiera-tiny", "transformers_sam"),
        ("facebook/sam2.1-hiera-tiny", "transformers_sam_video"),
        ("facebook/dinov2-small", "transformers_reid"),
        ("google/owlvit-base-patch32", "transformers_zero_shot"),
    ],
)
def test_each_kind_is_measured(source: str, family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over small networks, which are built by the same way."""

    def small(row: table.Network) -> tuple[Any, Any]:
        kind, config, processor = tiny_networks.parts(row.family, row.architecture)
        return kind(config).eval(), processor

    monkeypatch.setattr(full_networks, "built", small)
    monkeypatch.setattr(checkpoint_times, "FOLDER", tmp_path / "times")
    monkeypatch.setattr(checkpoint_times, "PACE", attrs.evolve(checkpoint_times.PACE, seconds=0))
    figures = checkpoint_times.measured(ROWS[f"{family}/{source}"])
    assert set(figures) == {"parameters", *checkpoint_times.TOLD[ROWS[f"{family}/{source}"].kind]}
    assert all(value > 0 for name, value in figures.items() if name.endswith("ms"))
    assert not (tmp_path / "times").exists()


def test_figures_are_written_into_their_row_alone(tmp_path: Path) -> None:
    file = tmp_path / "checkpoints.yaml"
    before = checkpoint_times.TABLE.read_text("utf-8")
    file.write_text(before, "utf-8")
    row = ROWS["transformers_sam/facebook/sam-vit-base"]
    checkpoint_times.write(row, {"parameters": 1.5, "cpu_ms": 7, "click_ms": 3}, file)
    after = file.read_text("utf-8")
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert "parameters: 1.5, cpu_ms: 7, click_ms: 3" in " ".join(changed)
    assert "facebook/sam-vit-base" in changed[0]
    assert len(changed) <= 2
    assert len(before.splitlines()) - 1 <= len(after.splitlines()) <= len(before.splitlines()) + 1


@pytest.mark.parametrize(
    ("seconds", "milliseconds"), [(0.0004, 1), (0.0123, 12), (0.1234, 123), (0.876, 880), (2.345, 2300), (41.26, 41000)]
)
def test_figures_have_two_digits(seconds: float, milliseconds: int) -> None:
    assert checkpoint_times.milliseconds(Timed("a picture", 1, 1, seconds, 1, 1)) == milliseconds
