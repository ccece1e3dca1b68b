"""The step at which an image's build stopped: its command, its exit code and what it printed itself.

A build prints all its steps into one stream. What an earlier step warned of did not stop the build, so causes are
looked for in the failing step's own lines.
"""

import re

import attrs

# BuildKit: `#9 [2/9] RUN …`, `#9 0.254 text`, `#9 ERROR: …`, where 9 is the step.
_BUILDKIT_ERROR = re.compile(r"^#(?P<step>\d+) ERROR: (?P<error>.*)$", re.MULTILINE)
_BUILDKIT_EXIT = re.compile(
    r"(?:executor failed running \[(?P<old>.*)\]|process \"(?P<new>.*)\" did not complete successfully): "
    r"exit code: (?P<code>\d+)"
)
_BUILDKIT_END = re.compile(
    r"^(?:ERROR: )?failed to solve(?: with frontend \S+)?: (?:failed to create LLB definition: )?(.*)$", re.MULTILINE
)
# The builder before BuildKit: `Step 3/9 : RUN …`, its output, `The command '…' returned a non-zero code: 1`.
_LEGACY_EXIT = re.compile(r"^The command '(?P<command>.*)' returned a non-zero code: (?P<code>\d+)", re.MULTILINE)
_LEGACY_STEP = re.compile(r"^Step \d+/\d+ : ", re.MULTILINE)
_LEGACY_TALK = (" ---> ", "Removing intermediate", "stdout:", "stderr:")
_ERROR_LINE = re.compile(
    r"Error\b|\berror|\bfatal|fail|cannot|can't|could not|no such|not found|denied|unable|invalid|killed|^E: ",
    re.IGNORECASE,
)


@attrs.frozen
class BuildStep:
    """`command` is empty for a step that runs none (COPY, FROM); `code` is 0 then."""

    command: str
    code: int
    output: str

    @property
    def own_line(self) -> str:
        """What it said itself of its failure: the last line that speaks of one, else its last line."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return next((line for line in reversed(lines) if _ERROR_LINE.search(line)), lines[-1] if lines else "")


def failing_step(text: str) -> BuildStep | None:
    """The step that stopped the build, or None where the output tells of none."""
    return _buildkit(text) or _legacy(text)


def _buildkit(text: str) -> BuildStep | None:
    exit_ = _BUILDKIT_EXIT.search(text)
    command, code = (exit_["old"] or exit_["new"], int(exit_["code"])) if exit_ else ("", 0)
    if found := _BUILDKIT_ERROR.search(text):
        lines = re.findall(rf"^#{found['step']} (?:\d+\.\d+ )(.*)$", text, re.MULTILINE)
        if not exit_:
            lines += [found["error"], *_BUILDKIT_END.findall(text)[:1]]
        return BuildStep(command, code, "\n".join(lines))
    if not exit_:
        return None
    # Without the step's number: whatever lines of steps there are.
    return BuildStep(command, code, "\n".join(re.findall(r"^#\d+ (?:\d+\.\d+ )(.*)$", text, re.MULTILINE)))


def _legacy(text: str) -> BuildStep | None:
    found = _LEGACY_EXIT.search(text)
    if found is None:
        return None
    before = text[: found.start()]
    steps = list(_LEGACY_STEP.finditer(before))
    own = before[steps[-1].start() :].partition("\n")[2] if steps else before
    lines = [line for line in own.splitlines() if not line.startswith(_LEGACY_TALK)]
    return BuildStep(found["command"], int(found["code"]), "\n".join(lines))
