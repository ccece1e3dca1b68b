"""Applies the fixes: exact replacements in the text, so that comments and layout stay as they are."""

import json
from collections.abc import Sequence
from pathlib import Path

from .. import atomic
from ..nuclio import read
from .finding import Finding


def apply_fixes(findings: Sequence[Finding]) -> list[Finding]:
    """Writes the fixed files and returns the findings that were fixed.

    A file is written only if nuctl reads the same configuration from it as before; edits that overlap wait for the
    next run.
    """
    fixed: list[Finding] = []
    for file in sorted({finding.file for finding in findings if finding.edit}):
        fixed += _fix_file(file, [finding for finding in findings if finding.file == file and finding.edit])
    return fixed


def _fix_file(file: Path, findings: list[Finding]) -> list[Finding]:
    data = file.read_bytes()
    bom = data.startswith(b"\xef\xbb\xbf")
    text = data.decode("utf-8-sig")
    done, applied, last = text, [], len(text) + 1
    for finding in sorted(findings, key=lambda f: f.edit.start if f.edit else 0, reverse=True):
        edit = finding.edit
        if edit is None or edit.end > last:
            continue
        candidate = done[: edit.start] + edit.text + done[edit.end :]
        if _reads_alike(text, candidate):
            done, last = candidate, edit.start
            applied.append(finding)
    if applied:
        atomic.write(file, ("\ufeff" if bom else "").encode() + done.encode())
    return applied


def _reads_alike(before: str, after: str) -> bool:
    """Whether nuctl deploys the same, as CVAT and the processor see it."""
    one, two = read(before, "builder"), read(after, "builder")
    return two.refused is None and _essence(one.config) == _essence(two.config)


def _essence(config: dict[str, object]) -> str:
    """The configuration without what is read nowhere, and with the old name of `numWorkers` renamed; as JSON, because
    Python takes true for 1."""
    config = json.loads(json.dumps(config))
    spec = config.get("spec")
    if not isinstance(spec, dict):
        return json.dumps(config, sort_keys=True)
    for trigger in spec.get("triggers", {}).values():
        if workers := trigger.pop("maxWorkers", None):
            trigger.setdefault("numWorkers", workers)
    attributes = spec.get("platform", {}).get("attributes", {})
    attributes.pop("mountMode", None)
    policy = attributes.get("restartPolicy")
    if isinstance(policy, dict) and policy.get("name") != "on-failure":
        policy.pop("maximumRetryCount", None)
    if not attributes:
        spec.get("platform", {}).pop("attributes", None)
    return json.dumps(config, sort_keys=True)
