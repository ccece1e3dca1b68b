"""What the readers drop, where, and the corners of YAML that the recordings do not reach."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from cvat_nuclio.nuclio import read
from cvat_nuclio.nuclio.duration import BadDuration, nanoseconds, text_of
from cvat_nuclio.nuclio.gofloat import shortest
from cvat_nuclio.nuclio.quantity import BadQuantity, canonical
from cvat_nuclio.nuclio.scalars import resolve
from cvat_nuclio.nuclio.structs import places


def test_dropped_keys_have_a_path_and_a_place() -> None:
    reading = read("metadata: {name: x}\nspec:\n  triggers:\n    http:\n      kind: http\n      eventTimeout: 30s\n")
    (dropped,) = reading.dropped
    assert (dropped.path, dropped.line, dropped.column) == ("spec.triggers.http.eventTimeout", 6, 7)


def test_the_first_of_two_duplicates_is_dropped() -> None:
    (dropped,) = read("metadata:\n  name: a\n  name: b\n").dropped
    assert (dropped.path, dropped.line, dropped.why) == ("metadata.name", 2, "written twice: line 3 replaces this")


def test_a_merge_key_is_no_duplicate() -> None:
    reading = read("x: &x {name: a}\nmetadata:\n  <<: *x\n  name: b\n")
    assert [d.path for d in reading.dropped] == ["x"]
    assert reading.config["metadata"] == {"name": "b"}


def test_a_newer_key_is_dropped_by_an_older_version() -> None:
    text = "spec: {triggers: {http: {kind: http, batch: {mode: enable}}}}"
    assert not read(text, nuclio=(1, 14)).dropped
    (dropped,) = read(text, nuclio=(1, 13)).dropped
    assert dropped.why == "known from Nuclio 1.14 on"


def test_a_refusal_points_at_the_value() -> None:
    refused = read("metadata:\n  annotations:\n    version: 2\n").refused
    assert refused
    assert (refused.path, refused.line, refused.column) == ("metadata.annotations.version", 3, 14)


def test_conversion_stops_at_embedded_structs() -> None:
    text = "spec: {env: [{name: A, valueFrom: {secretKeyRef: {name: 5, key: 6}}}]}"
    refused = read(text, "builder").refused
    assert refused
    assert refused.path == "spec.env[0].valueFrom.secretKeyRef.name"


def test_aliases_that_unfold_without_end_are_refused() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    refused = read("\n".join(lines)).refused
    assert refused
    assert "excessive aliasing" in refused.message


@pytest.mark.parametrize(
    "text", ["a: &a [*a]", "? [1]\n: 2", "~: 1", "a: *nope", "a: !!int x", "\x00", b"\xff\xfe\xfa"]
)
def test_odd_texts_are_refused_not_raised(text: str | bytes) -> None:
    assert read(text).refused


@given(st.text(alphabet="ab:{}[]-&*!|>'\"#\n\t ?,1.y", max_size=60))
def test_no_text_raises(text: str) -> None:
    for reader in ("processor", "builder"):
        reading = read(text, reader)
        assert (reading.refused is None) == bool(reading.config)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True), ("y", True), ("Off", False), ("010", 8), ("0o17", 15), ("0b11", 3), ("1_000", 1000), ("08", 8.0),
        ("1e3", 1000.0), (".5", 0.5), ("+7", 7), ("-0x10", -16), ("12:30", "12:30"), ("1.2.3", "1.2.3"), ("~", None),
        ("1e999", "1e999"), ("2020-01-02", "2020-01-02"), ("0x", "0x"), (".", "."), ("18446744073709551615", 2**64 - 1),
    ],
)  # fmt: skip
def test_plain_scalars(text: str, value: object) -> None:
    resolved = resolve(text)
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.10, "1.1"), (1e6, "1e+06"), (100000.0, "100000"), (0.0001, "0.0001"), (0.00001, "1e-05"), (-2.5, "-2.5"),
     (1e300, "+Inf"), (0.0, "0"), (16777217.0, "1.6777216e+07"), (1234567.0, "1.234567e+06")],
)  # fmt: skip
def test_floats_become_strings_with_the_digits_of_a_float32(value: float, text: str) -> None:
    assert shortest(value) == text


@pytest.mark.parametrize(
    ("text", "canonically"),
    [("1.5Gi", "1536Mi"), ("1024Mi", "1Gi"), ("0.1", "100m"), ("1e3", "1e3"), ("100Ki", "100Ki"), ("5000000", "5M"),
     ("1000m", "1"), ("+1", "1"), (".5", "500m"), ("512", "512"), ("0Gi", "0"), ("1.0000000001", "1000000001n")],
)  # fmt: skip
def test_quantities(text: str, canonically: str) -> None:
    assert canonical(text) == canonically


@pytest.mark.parametrize("text", ["4GB", "", "all", "1 Gi", "4KK", "--1", "1e"])
def test_bad_quantities(text: str) -> None:
    with pytest.raises(BadQuantity):
        canonical(text)


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_a_printed_duration_reads_back(length: int) -> None:
    assert nanoseconds(text_of(length)) == length


@pytest.mark.parametrize("text", ["", "s", "1", "1d", "1.s.", "- 1s", "1h 2m", ".s"])
def test_bad_durations(text: str) -> None:
    with pytest.raises(BadDuration):
        nanoseconds(text)


def test_where_a_key_belongs() -> None:
    assert places("numworkers") == ["spec.triggers.*.numWorkers"]
    assert "spec.resources" in places("resources")
    assert places("no-such-key") == []
