"""A user of CVAT in front of one served function."""

from collections.abc import Mapping, Sequence
from typing import Any

from cvat_nuclio.cvat import NEWEST, Browser, Gateway, Generation, Server, Task, TaskLabel, labels_from_spec
from cvat_nuclio.cvat.listing import retrieve_function


def in_front_of(
    function: Mapping[str, Any],
    url: str,
    images: Sequence[bytes],
    generation: Generation = NEWEST,
    labels: Sequence[TaskLabel] | None = None,
) -> Browser:
    """In front of the function at `url`, of which `function` is Nuclio's object.

    `images` are the frames' bytes, `labels` the task's: those of the function by default. Raises `ListingError` for a
    function that CVAT cannot list.
    """
    listed = retrieve_function(function, generation)
    task = Task.of(labels_from_spec(listed.labels) if labels is None else labels, images)
    return Browser(Server(generation, Gateway(generation, function_url=url)), listed, task)
