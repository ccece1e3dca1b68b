"""Where a tracker's states live, by what they came to when the function was tried."""

from collections.abc import Iterator

import attrs

from aa_runtime.options import Options

from .bundle_options import BundleOptions
from .description import Description
from .probe import Probe
from .probe_state import FRAMES

_IN_MEMORY = "one worker and one replica hold all tracks, and lose them when they restart"


def chosen(options: BundleOptions, found: Probe) -> BundleOptions:
    """With the states in memory where one was no token, unless tokens or several workers were asked for."""
    several = any((number or 1) != 1 for number in options.service.copies.values())
    if found.states and found.states.refused and options.answers.state is None and not several:
        return attrs.evolve(options, answers=attrs.evolve(options.answers, state="in-memory"))
    return options


def refused(bundle: Description) -> str:
    """Why tracking will fail in the image, or an empty text."""
    states = bundle.probe.states
    return states.refused if states and not bundle.in_memory else ""


def notes(bundle: Description) -> Iterator[str]:
    """What was found out of a tracker's states."""
    states = bundle.probe.states
    if bundle.kind != "tracker" or (bundle.in_memory and not (states and states.refused)):
        return
    if states is None:
        yield "how large a state gets is not known: the first one took too long, or ended the process"
    elif states.failed:
        yield f"how large a state gets is not known: frame {states.frames} of a made-up film failed ({states.failed})"
    elif states.refused:
        yield f"frame {states.frames} of a made-up film has a state that is no token ({states.refused}): {_way(bundle)}"


def size(bundle: Description) -> str:
    """How large a state gets, in words, or an empty text."""
    states = bundle.probe.states
    if states is None or states.refused or not states.characters:
        return ""
    of = f"{states.frames} of {FRAMES}" if states.frames < FRAMES else str(FRAMES)
    return f"a state takes {states.characters} of {Options().max_state_bytes} characters ({of} made-up frames)"


def _way(bundle: Description) -> str:
    if bundle.in_memory:
        return f"--state in-memory was chosen; {_IN_MEMORY}"
    return f"tracking will fail there; --state in-memory, with which {_IN_MEMORY}"
