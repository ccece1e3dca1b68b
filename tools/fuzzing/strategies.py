"""Requests of each kind that know the contract: mostly right, wrong somewhere."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from . import corpus
from .corpus import encoded
from .mutate import mutated

Body = dict[str, Any]
Strategy = st.SearchStrategy[Any]

CONTENT_TYPES = ["application/json", "application/json; charset=utf-8", "text/plain", "", "application/octet-stream"]


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def mostly(good: Strategy, *bad: Strategy) -> Strategy:
    """Six times in seven `good`: with a dozen parts in a request, most requests still have one that is not."""
    return st.integers(0, 6).flatmap(lambda number: good if number < 6 else st.one_of(*bad))


odd_numbers = st.sampled_from(
    [0, -1, 1, 0.5, 2, -0.0, 1e308, -1e308, 1e-320, 2**31, 2**63, 2**64, 10**300, float("nan"), float("inf")]
)
odd_values = st.one_of(
    odd_numbers,
    st.sampled_from([None, True, False, "", "0.5", "NaN", "\x00", "\ud800", "null", [], {}, [None], [[]], {"a": {}}]),
    st.text(max_size=20),
    st.lists(odd_numbers, max_size=9),
    st.sampled_from([50, 900]).map(_nested),
    st.builds(
        lambda value, count: [value] * count, st.sampled_from([0, None, [], [1, 2]]), st.sampled_from([99, 12000])
    ),
    st.dictionaries(st.text(max_size=5), st.none() | st.integers(), max_size=3),
)


_SPOILT_TEXTS: list[Callable[[str], str]] = [
    lambda text: f"data:image/png;base64,{text}",
    lambda text: f"{text}=",
    lambda text: f"{text[:50]}\n{text[50:]}\n",
    lambda text: text[:-1],
    lambda text: text + text,
    lambda text: text.replace("A", "é"),
    lambda text: text.replace("/", "_").replace("+", "-"),
]

sound_images = st.sampled_from(sorted(corpus.sound())).map(lambda name: corpus.sound()[name])
hostile_images = st.sampled_from(sorted(corpus.hostile())).map(lambda name: corpus.hostile()[name])
broken_images = st.builds(
    lambda data, seed: mutated(data, random.Random(seed), words=False),  # noqa: S311
    sound_images,
    st.integers(0, 2**32),
)
sound_texts = sound_images.map(encoded)
image_texts = mostly(
    sound_texts,
    st.one_of(
        broken_images.map(encoded),
        hostile_images.map(encoded),
        st.builds(lambda text, spoil: spoil(text), sound_texts, st.sampled_from(_SPOILT_TEXTS)),
    ),
    odd_values,
)

coordinates = st.integers(0, 60).flatmap(
    lambda number: odd_numbers if number == 60 else st.integers(-5, 60) | st.floats(-10, 100)
)


def _points(least: int, most: int | None = None) -> Strategy:
    return st.lists(coordinates, min_size=least, max_size=most or least)


pairs = st.lists(coordinates, min_size=2, max_size=2)
thresholds = mostly(st.sampled_from([0.1, 0.5, 1, "0.25"]), st.sampled_from([0, 2, -1]), odd_values)


def _maybe(body: Strategy) -> Strategy:
    """The body, or one with a field replaced, dropped or added."""

    def broken(fields: Body) -> Strategy:
        names = st.sampled_from(sorted(fields) or ["image"])
        return mostly(
            st.just(fields),
            st.builds(lambda name, value: {**fields, name: value}, names, odd_values),
            names.map(lambda name: {key: value for key, value in fields.items() if key != name}),
            st.builds(lambda name, value: {**fields, name: value}, st.text(max_size=8), odd_values),
        )

    return body.flatmap(broken)


detect = _maybe(st.fixed_dictionaries({"image": image_texts}, optional={"threshold": thresholds}))

boxes = mostly(
    st.none() | st.just([]) | st.lists(pairs, min_size=2, max_size=2) | _points(4),
    st.lists(st.lists(coordinates, max_size=3), max_size=3),
)
interact = _maybe(
    st.fixed_dictionaries(
        {
            "image": image_texts,
            "pos_points": st.lists(pairs, max_size=4),
            "neg_points": st.lists(pairs, max_size=2),
            "obj_bbox": boxes,
        },
        optional={"threshold": thresholds, "text_prompts": odd_values},
    )
)

masks = st.builds(
    lambda runs, box: [*runs, *box],
    st.lists(st.integers(0, 20) | odd_numbers, max_size=5),
    st.lists(st.integers(-2, 50) | odd_numbers, min_size=4, max_size=4),
)
sound_masks = st.builds(
    lambda x, y, width, height: [0, width * height, x, y, x + width - 1, y + height - 1],
    *[st.integers(0, 10), st.integers(0, 10), st.integers(1, 9), st.integers(1, 9)],
)


def _shape(shape_type: str, points: Strategy) -> Strategy:
    return st.fixed_dictionaries({"type": st.just(shape_type), "points": points})


typed_shapes = mostly(
    st.none()
    | _shape("rectangle", _points(4))
    | _shape("polygon", _points(6))
    | _shape("points", _points(2))
    | _shape("mask", sound_masks),
    _shape("mask", masks),
    _shape("polygon", _points(5, 9)),
    st.fixed_dictionaries({"type": st.sampled_from(["cuboid", "ellipse", "tag", ""]), "points": _points(4, 16)}),
    odd_values,
)
flat_shapes = mostly(_points(4) | st.none(), _points(1, 9), odd_values)
shape_lists = st.lists(typed_shapes, max_size=4) | st.lists(flat_shapes, max_size=4)


def tokens(sound: Sequence[str], foreign: Sequence[str]) -> Strategy:
    """`sound`: tokens that the function has given for a frame of `corpus.SIZE`. `foreign`: what it never gave."""
    good = st.sampled_from(list(sound))
    broken = st.builds(
        lambda token, seed: mutated(token.encode(), random.Random(seed), words=False).decode("latin-1"),  # noqa: S311
        good,
        st.integers(0, 2**32),
    )
    joined = st.builds(lambda one, two, at: one[:at] + two[at:], good, good, st.integers(0, 200))
    return mostly(good | st.none(), broken, joined, st.sampled_from(list(foreign)), odd_values)


def track(sound: Sequence[str], foreign: Sequence[str]) -> Strategy:
    """Tracker requests, half of them of the size for which the tokens are good."""
    image = st.sampled_from([encoded(corpus.sound()["png"]), encoded(corpus.sound()["jpeg"])])
    states = st.lists(tokens(sound, foreign), max_size=4)
    go_on = st.fixed_dictionaries({"image": image, "shapes": shape_lists | st.just([None] * 4), "states": states})
    good = st.lists(st.sampled_from(list(sound)), min_size=1, max_size=4)
    well = st.fixed_dictionaries({"image": image, "states": good})
    begin = st.fixed_dictionaries({"image": image_texts, "shapes": shape_lists, "states": st.just([]) | states})
    return _maybe(st.one_of(go_on, well, begin))


rectangles = mostly(
    st.fixed_dictionaries(
        {"points": _points(4), "type": st.just("rectangle"), "label_id": st.integers(1, 3)},
        optional={"id": odd_values, "path_id": st.integers(0, 3), "group": odd_values, "attributes": odd_values},
    ),
    odd_values,
)
reid = _maybe(
    st.fixed_dictionaries(
        {
            "image0": image_texts,
            "image1": image_texts,
            "boxes0": st.lists(rectangles, max_size=4),
            "boxes1": st.lists(rectangles, max_size=4),
        },
        optional={"threshold": thresholds, "max_distance": mostly(st.integers(1, 60), odd_values)},
    )
)
