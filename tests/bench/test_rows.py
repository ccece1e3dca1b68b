"""The arithmetic of docs/benchmarks.md."""

from pathlib import Path
from typing import Any

import pytest
from tools.bench.page import figure, write_page
from tools.bench.row import Result, Samples, interleave


def test_both_sides_take_turns() -> None:
    calls: list[str] = []
    a, b = interleave(lambda: calls.append("a"), lambda: calls.append("b"), rounds=4, warm_up=1)
    assert len(a) == len(b) == 4
    assert "".join(calls) == "ab" + "abba" * 2 or "".join(calls) == "ab" + "baab" * 2


@pytest.mark.parametrize(
    ("values", "words"), [([3.0], "one: 3 ms"), ([1.0, 2.0, 3.0, 4.0, 5.0], "one: 3 ms [1.5..4.5]")]
)
def test_a_figure_is_the_median_and_the_middle_half(values: list[float], words: str) -> None:
    assert figure(Samples("one", values), "ms") == words


def test_the_page_has_each_row_and_the_notes(tmp_path: Path) -> None:
    one: dict[str, Any] = {
        "ours": Samples("ours", [2.0]),
        "theirs": Samples("theirs", [1.0]),
        "unit": "ms",
        "target": "≤ 1 ×",
    }
    results = [
        Result(row="P1", work="met", met=True, ratio=0.5, **one),
        Result(row="P2", work="missed", met=False, ratio=2.0, **one),
    ]
    write_page(results, ["| more |"], tmp_path)
    page = (tmp_path / "benchmarks.md").read_text("utf-8")
    assert "| P1 | met | ours: 2 ms | theirs: 1 ms | 0.5 × | ≤ 1 × | met |" in page
    assert "**missed**" in page
    assert "| more |" in page
    assert "## What the figures mean" in page
    assert b"<svg" in (tmp_path / "pictures" / "benchmarks.svg").read_bytes()
