"""No recorded exchange is left out of the replays."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

# As many as the recordings' own README says.
EXCHANGES = {"listing": 214, "detector": 816, "interactor": 58, "tracker": 95, "reid": 50}
RECORDED: dict[str, int] = EXCHANGES | {"aftermath": 22}


def vector_of(test: Any) -> dict[str, Any]:
    """What a test was made for."""
    return test.callspec.params["vector"]


@pytest.mark.parametrize("kind", RECORDED)
def test_every_vector_of_every_kind_is_replayed(kind: str, recordings: Path, request: pytest.FixtureRequest) -> None:
    vectors = json.loads((recordings / "vectors" / f"{kind}.json").read_text())
    assert len({vector["id"] for vector in vectors}) == len(vectors) == RECORDED[kind]
    module = Path(__file__).with_name(f"test_vectors_{kind}.py")
    assert f'VECTORS = "{kind}"' in module.read_text()
    replayed = {
        vector_of(item)["id"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == module
    }
    # Only the chosen tests are there when somebody runs a part of the suite.
    assert not replayed or replayed == {vector["id"] for vector in vectors} or _chosen(request)


def _chosen(request: pytest.FixtureRequest) -> bool:
    option = request.config.option
    return bool(option.keyword or option.markexpr or any("::" in argument for argument in request.config.args))


def test_every_recorded_version_is_modelled(recordings: Path, replay: ModuleType) -> None:
    versions: set[str] = set()
    for kind in EXCHANGES:
        vectors: list[dict[str, Any]] = json.loads((recordings / "vectors" / f"{kind}.json").read_text())
        versions |= {vector["cvat_version"] for vector in vectors}
    assert versions == set(replay.GENERATIONS)
