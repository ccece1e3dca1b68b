"""What `generate` prints."""

import sys

from aa_runtime.options import Options

from .description import Description
from .make_bundle import Outcome
from .probe_state import FRAMES
from .tree import Change, State


def show(outcome: Outcome, *, pretend: bool, check: bool, force: bool) -> None:
    """The bundle in a line, its files, and on stderr what deserves a look."""
    print(_headline(outcome))
    if check:
        _show_stale(outcome)
    else:
        _show_files(outcome, pretend=pretend, force=force)
    for note in outcome.notes:
        print(f"note: {note}", file=sys.stderr)
    if not check and not force and outcome.edited:
        _show_edited(outcome)


def _headline(outcome: Outcome) -> str:
    bundle = outcome.bundle
    framework = f", {bundle.framework_title}" if bundle.framework_title else ""
    forms = "CPU and GPU" if bundle.forms.gpu else "CPU"
    downloads = f"; packages to download: {', '.join(bundle.downloads)}" if bundle.downloads else ""
    return f"{outcome.plan.folder}: {bundle.kind} {bundle.function.name}{framework}, {forms}{downloads}{_state(bundle)}"


def _state(bundle: Description) -> str:
    """How large a tracker's state gets."""
    states = bundle.probe.states
    if states is None or states.refused or not states.characters:
        return ""
    of = f"{states.frames} of {FRAMES}" if states.frames < FRAMES else str(FRAMES)
    return f"; a state takes {states.characters} of {Options().max_state_bytes} characters ({of} made-up frames)"


def _show_stale(outcome: Outcome) -> None:
    for path in outcome.stale:
        print(f"  stale: {path}")
    if outcome.stale:
        print("  try: cvat-nuclio generate", outcome.plan.folder)


def _show_files(outcome: Outcome, *, pretend: bool, force: bool) -> None:
    changes = [change for change in outcome.plan.changes if change.state is not State.SAME]
    for change in changes:
        if change.state is not State.EDITED or force:
            print(f"  {change.state:8} {change.path}{_summary(change)}")
    if not outcome.runtime_fresh and (force or not outcome.runtime_edited):
        print("  copied   nuclio/aa_runtime/")
    if pretend:
        print("  nothing was written")
    elif not changes and outcome.runtime_fresh:
        print("  nothing to do")


def _summary(change: Change) -> str:
    return f"  {change.summary}" if change.summary else ""


def _show_edited(outcome: Outcome) -> None:
    print("kept as edited, not as generated (--force overwrites them):", file=sys.stderr)
    for path in outcome.edited:
        print(f"  {path}", file=sys.stderr)
