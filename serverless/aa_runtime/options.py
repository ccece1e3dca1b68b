"""Everything that a bundle may choose about the runtime."""

from typing import Literal

import attrs
from attrs.validators import ge, in_, instance_of, matches_re

MIB = 2**20


@attrs.frozen(kw_only=True)
class Options:
    """What a bundle's `model_handler.py` sets; every default suits CVAT 2.40 and later.

    Raises ValueError or TypeError for a value that cannot work.
    """

    name: str = attrs.field(default="function", validator=matches_re(r"[A-Za-z0-9_.-]+"))
    """The function's id (`metadata.name`). Part of what a tracker's tokens are bound to."""

    interactor_answer: Literal["shapes", "mask"] = attrs.field(default="shapes", validator=in_(("shapes", "mask")))
    """The interactor's answer. `shapes`: compact, many objects, confidence, for the UI since late 2025.
    `mask`: one full-size mask, about two bytes a pixel, for every UI since 2022. No body serves both."""

    lost_shape: Literal["last", "null"] = attrs.field(default="last", validator=in_(("last", "null")))
    """What a tracker answers for an object that it lost. `last`: where it was last seen. `null`: as cvat-sdk
    means it, but CVAT's UI then reports an error for every object of the call."""

    state: Literal["token", "in-memory"] = attrs.field(default="token", validator=in_(("token", "in-memory")))
    """Where a tracker's states live. `token`: in the answer, so that any worker goes on. `in-memory`: in the
    process, for states that cannot be encoded; needs exactly one worker and one replica."""

    state_key_env: str = attrs.field(default="AA_STATE_KEY", validator=matches_re(r"[A-Za-z_][A-Za-z0-9_]*"))
    """The environment variable with the key that authenticates state tokens."""

    max_state_bytes: int = attrs.field(default=4 * MIB, validator=[instance_of(int), ge(1)])
    """One state's token, in characters. It crosses four hops for each object and frame; CVAT's body limits
    hold about twenty-four of these."""

    state_entries: int = attrs.field(default=1000, validator=[instance_of(int), ge(1)])
    """In-memory states kept; the one not used for longest goes first."""

    state_max_age: float = attrs.field(default=8 * 3600.0, validator=ge(1))
    """Seconds that a state stays valid; CVAT's own signature around it, and its agent, keep to eight
    hours."""

    max_image_pixels: int = attrs.field(default=178_956_970, validator=[instance_of(int), ge(1)])
    """Width x height of the largest image that is decoded: Pillow's own point of refusal, 512 MiB as RGB."""

    cache_entries: int = attrs.field(default=8, validator=[instance_of(int), ge(0)])
    """Preprocessed images that an interactor's worker keeps; annotators stay on one image for many clicks,
    and a few annotators share a worker. 0 keeps none."""

    cache_bytes: int = attrs.field(default=512 * MIB, validator=[instance_of(int), ge(0)])
    """Bytes of those, host and device together; one larger than this is not kept."""

    reid_threshold: float = attrs.field(default=0.5, validator=ge(0))
    """Largest cosine distance of a match where the request gives none; CVAT's UI sends 0.5 unless changed."""

    reid_max_distance: float = attrs.field(default=50.0, validator=ge(0))
    """Largest distance of two boxes' centres, in pixels, where the request gives none; CVAT's UI sends 50."""
