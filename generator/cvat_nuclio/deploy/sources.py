"""A bundle's own files before nuctl sees them: a fresh runtime copy, and no error that `check` can find."""

from collections.abc import Callable, Sequence
from pathlib import Path


def prepare(files: Sequence[Path], *, check: bool, say: Callable[[str], None]) -> bool:
    """Refreshes the runtime copy of every bundle that carries one; whether all are free of errors.

    `files` are the functions' files, each in its bundle's folder.
    """
    from ..generate.runtime_copy import refresh

    for file in files:
        if (file.parent / "model_handler.py").is_file() and refresh(file.parent):
            say(f"{file.parent}: the runtime copy was stale; refreshed")
    return not check or _is_clean(files, say)


def _is_clean(files: Sequence[Path], say: Callable[[str], None]) -> bool:
    from ..check import check_paths
    from ..check.finding import Severity
    from ..check.finding_formats import as_text

    errors = [finding for finding in check_paths(list(files)) if finding.severity is Severity.ERROR]
    if errors:
        say(as_text(errors))
        say("nothing was deployed: mend these first, or deploy with --skip-check")
    return not errors
