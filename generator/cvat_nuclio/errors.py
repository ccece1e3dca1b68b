"""Errors that a user reads: what happened, why, and what to do. No traceback is shown for them."""

EXIT_FINDINGS = 1
EXIT_FAILED = 2


class UserError(Exception):
    """Something the user can mend.

    `what` is one sentence without a full stop, `why` the cause, `remedy` the next step (both may be empty).
    """

    exit_status = EXIT_FAILED

    def __init__(self, what: str, *, why: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy

    def __str__(self) -> str:
        lines = [self.what]
        if self.why:
            lines.append(f"  why: {self.why}")
        if self.remedy:
            lines.append(f"  try: {self.remedy}")
        return "\n".join(lines)
