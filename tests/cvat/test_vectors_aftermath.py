"""What stored shapes did to CVAT's exports, beside what the model says of them."""

from typing import Any

from cvat_nuclio.cvat.ui import problems

VECTORS = "aftermath"
WITH = "export"
IMAGE = (100, 80)

# Datumaro's own exporter knows no keypoint outside: nothing is wrong with the skeleton.
NOT_THE_SHAPES_FAULT = {"aftermath.skeleton_missing_one@2024-07"}
# The exports work, but the UI wants whole numbers for a mask's box.
UI_ALONE = {"aftermath.mask_bbox_fractions@2024-07"}


def test_what_breaks_an_export_is_called_fatal(vector: dict[str, Any]) -> None:
    stored = vector["outcome"]["accepted"]["stored"]
    if "unreadable" in stored:
        shape = {"type": "rectangle", "points": [10, 20, float("nan"), 60], "outside": False}
        assert [problem.fatal for problem in problems(shape, *IMAGE)] == [True]
        return
    found = [problem for shape in stored["shapes"] for problem in problems(shape, *IMAGE)]
    failed = [name for name, export in vector["export"].items() if not export.get("exported")]
    expected = (bool(failed) and vector["id"] not in NOT_THE_SHAPES_FAULT) or vector["id"] in UI_ALONE
    assert any(problem.fatal for problem in found) == expected, found
