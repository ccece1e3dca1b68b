"""`cvat_functions.shared`: what is computed once and kept."""

from pathlib import Path

import numpy as np
import pytest

from cvat_functions.shared import classes_of, kept
from cvat_functions.skeletons import WHOLE_BODY, names_of


class Counted:
    """Computes something else each time."""

    times = 0

    def __call__(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        self.times += 1
        return np.full((1, 3), self.times, np.float32)


def test_what_was_computed_is_read_for_the_same_key_alone(tmp_path: Path) -> None:
    compute, file = Counted(), tmp_path / "best.words.npz"
    assert kept(file, "a", compute).tolist() == [[1, 1, 1]]
    assert kept(file, "a", compute).tolist() == [[1, 1, 1]]
    assert kept(file, "b", compute).tolist() == [[2, 2, 2]]
    assert kept(file, "a", compute).tolist() == [[3, 3, 3]]
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_folder_that_takes_nothing_costs_the_time_again(tmp_path: Path) -> None:
    compute, file = Counted(), tmp_path / "absent" / "best.words.npz"
    assert kept(file, "a", compute).tolist() == [[1, 1, 1]]
    assert kept(file, "a", compute).tolist() == [[2, 2, 2]]


def test_a_pickle_in_its_place_is_not_loaded(tmp_path: Path) -> None:
    file = tmp_path / "best.words.npz"
    np.savez(file, key="a", value=np.array([{}], object))
    with pytest.raises(ValueError, match="allow_pickle"):
        kept(file, "a", Counted())


def test_names_of_points_are_known_by_their_number() -> None:
    assert (names_of(17)[0], names_of(17)[5], names_of(17)[16]) == ("nose", "left_shoulder", "right_ankle")
    assert len(set(names_of(133))) == len(WHOLE_BODY) == 133
    assert names_of(3) == ["1", "2", "3"]


def test_a_label_has_the_first_class_of_its_name() -> None:
    names: dict[int, object] = {0: "cat", 1: "N/A", 2: " cat", 3: 7, 4: "", 5: "tabby, tabby cat, " + "x" * 60}
    assert classes_of(names) == ({"cat": 0, "7": 3, "tabby, tabby cat": 5}, {0: 0, 2: 0, 3: 3, 5: 5})
    assert classes_of({0: "Background", 1: "road"}, ["background"]) == ({"road": 1}, {1: 1})
    with pytest.raises(ValueError, match="names none"):
        classes_of({})
