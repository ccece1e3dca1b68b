"""The benchmark page: `python -m tools.bench [ROW...]` runs each row, both sides in one interleaved run."""
