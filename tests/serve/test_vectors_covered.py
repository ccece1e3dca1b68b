"""Every recorded vector is replayed on the built-in engine, or listed with the reason why not."""

import fnmatch
import importlib

import pytest
from tests.serve import serve_left_out, serve_vectors
from tests.serve.serve_replay import left_out, runs

FILES = {
    "response": ["test_response_vectors"],
    "event": ["test_event_vectors"],
    "limits": ["test_limits_vectors"],
    "lifecycle": ["test_lifecycle_vectors", "test_signal_vectors"],
}
VERSIONS = ("1.13.0", "1.14.1")


@pytest.mark.parametrize("file", FILES)
def test_every_vector_is_replayed_or_listed(file: str) -> None:
    vectors = serve_vectors.load(file)
    replayed = {name for module in FILES[file] for name in replayed_by(module)}
    missing = []
    for vector in vectors:
        alike = {v.name for v in vectors if v.fields is vector.fields}
        if not replayed & alike and not left_out(vector, "builtin"):
            missing.append(vector.name)
    assert missing == []


def replayed_by(module: str) -> set[str]:
    """The vectors in the parameters of a test module's tests."""
    found = set()
    for test in vars(importlib.import_module(f"tests.serve.{module}")).values():
        for mark in getattr(test, "pytestmark", []):
            if mark.name == "parametrize" and "vector" in str(mark.args[0]):
                values = [getattr(entry, "values", (entry,)) for entry in mark.args[1]]
                found |= {value[-1].name for value in values if value[0] in ("builtin", value[-1])}
    return found


@pytest.mark.parametrize("engine", ["BOTH", "BUILTIN", "PYTHON", "NUCLIO"])
def test_every_reason_is_a_vectors(engine: str) -> None:
    for file, table in getattr(serve_left_out, engine).items():
        names = [vector.name for vector in serve_vectors.load(file)]
        for pattern in table:
            assert fnmatch.filter(names, pattern), pattern


def test_what_both_versions_do_alike_runs_once() -> None:
    vectors = serve_vectors.load("response")
    chosen = [v for v in vectors if runs(v, "builtin", VERSIONS)]
    assert len({id(v.fields) for v in chosen}) == len(chosen)
