"""`cvat-nuclio models`: what its table says, at any width and to programs."""

import io
import json
from pathlib import Path

import pytest
from rich.text import Text

from cvat_nuclio.__main__ import main
from cvat_nuclio.data import tables
from cvat_nuclio.models import shown, table


def lines(*words: str, columns: int | None = None, monkeypatch: pytest.MonkeyPatch | None = None) -> list[str]:
    """The table of the rows with these words; on a terminal of so many columns, else in a pipe."""
    stream = io.StringIO()
    if columns and monkeypatch:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
        monkeypatch.setenv("TERM", "xterm")
    rows = [row for row in table.networks() if shown.has(row, words)]
    shown.print_all(rows, with_families=not words, about="figures", stream=stream)
    return Text.from_ansi(stream.getvalue()).plain.splitlines()


def test_every_row_has_figures() -> None:
    for row in table.networks():
        assert row.parameters, row.source
        assert row.cpu_ms, row.source
        assert (row.click_ms is not None) == (row.kind == "interactor"), row.source


def test_larger_networks_of_one_family_take_longer() -> None:
    """Figures of one recipe: where they are not in this order one of them is wrong."""
    times = {(row.source.rpartition("/")[2], row.family): row.cpu_ms or 0 for row in table.networks()}
    for family, names in (
        ("transformers_detection", ("rtdetr_r18vd_coco_o365", "rtdetr_r50vd_coco_o365", "rtdetr_r101vd_coco_o365")),
        ("transformers_detection", ("dfine-nano-coco", "dfine-small-coco", "dfine-medium-coco", "dfine-large-coco")),
        (
            "transformers_sam",
            ("sam2.1-hiera-tiny", "sam2.1-hiera-small", "sam2.1-hiera-base-plus", "sam2.1-hiera-large"),
        ),
        ("transformers_sam", ("sam-vit-base", "sam-vit-large", "sam-vit-huge")),
        ("transformers_pose", ("vitpose-plus-small", "vitpose-plus-base", "vitpose-plus-large")),
    ):
        known = [times[name, family] for name in names]
        assert known == sorted(known), names


def test_every_network_has_a_licence_and_every_licence_a_network() -> None:
    licences = tables.read("checkpoints")["licences"]
    sources = [row.source for row in table.networks()]
    assert all(any(source.startswith(start) for source in sources) for start in licences)
    assert all(row.licence for row in table.networks())


def test_a_licence_that_nobody_read_is_shown_as_such() -> None:
    unread = next(row for row in table.networks() if not row.licence_source)
    (line,) = [line for line in lines(unread.source) if line.startswith(unread.source)]
    assert f"{unread.licence} (not verified)" in line


def test_a_pipe_gets_each_row_whole_on_a_line() -> None:
    found = lines()
    for row in table.networks():
        theirs = [line for line in found if line.split("  ")[0] == row.source]
        assert any(row.stated_licence in line and f" {row.megabytes} MB" in line for line in theirs), row.source


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_all_in_lines_that_fit(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = lines(columns=columns, monkeypatch=monkeypatch)
    assert max(map(len, found)) <= columns
    words = set(" ".join(found).split())
    assert all(words >= set(row.stated_licence.split()) for row in table.networks())
    starts = {line.split()[0] for line in found if line.strip()}
    assert all(row.source in starts for row in table.networks() if len(row.source) <= shown.NAME)


def test_words_may_be_of_the_family_the_kind_or_the_task() -> None:
    assert [line for line in lines("tracker", "gated") if line.startswith("facebook/")] == [
        line for line in lines("transformers_sam_video", "sam3") if line.startswith("facebook/")
    ]


def test_programs_get_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json", "sam2.1-hiera-tiny"]) == 0
    image, video = json.loads(capsys.readouterr().out)
    assert (image["kind"], video["kind"]) == ("interactor", "tracker")
    assert image["parameters"] < video["parameters"]
    assert image["megabytes"] == round(image["parameters"] * 4)
    assert (image["licence"], image["gated"]) == ("Apache-2.0", False)


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(48, "0.048 s"), (860, "0.86 s"), (2100, "2.1 s"), (41_000, "41 s")]
)
def test_times_have_two_digits(milliseconds: int, text: str) -> None:
    assert shown.seconds(milliseconds) == text


def test_the_table_says_where_its_figures_come_from(repository: Path) -> None:
    assert "tools.checkpoint_times" in (repository / "docs" / "models.md").read_text("utf-8")
