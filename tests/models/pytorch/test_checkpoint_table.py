"""Every network that `cvat-nuclio models` names has an architecture that is tested here with small random weights."""

import pytest

from cvat_nuclio.models import table

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tools import tiny_networks


def test_every_row_s_architecture_is_tested() -> None:
    for row in table.networks():
        assert row.architecture in tiny_networks.families()[row.family], row.source
