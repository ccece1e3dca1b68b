"""CN624: secrets in a bundle, which whoever has the image, or may look at Nuclio, can read."""

import re
from collections.abc import Iterator
from pathlib import Path

from ...nuclio.yaml_places import place_in
from ..bundle import Bundle
from ..rule import WARNING, Fault, rule
from ..source import RUNTIME

_LARGEST = 1 << 20
_MOST_FILES = 2000
# Forms that mean one thing alone; what is random in them is long, so that no word looks like one.
_FORMS = {
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of Hugging Face": r"\bhf_[A-Za-z0-9]{34,40}\b",
    "a token of GitHub": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b",
    "a token of GitLab": r"\bglpat-[A-Za-z0-9_-]{20}\b",
    "an API key of Google": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "a token of Slack": r"\bxox[abprs]-[0-9]{8,}-[0-9A-Za-z-]{20,}",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}",
    "a login in an address": r"\bhttps?://[^\s/:@\"'$<>{}]+:(?![$<{*])[^\s/:@\"'<>{}]{3,}@[\w.-]+",
}
_SECRETS = re.compile("|".join(f"(?P<k{number}>{form})" for number, form in enumerate(_FORMS.values())))
_NAMES = re.compile(r"(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|SECRET_KEY|TOKEN|API_?KEY|ACCESS_KEY|STATE_KEY)$", re.I)
# What stands there until somebody writes the real one, and switches whose names end so.
_PLACEHOLDER = re.compile(
    r"\W*|[\s<\[{$%].*|true|false|yes|no|none|null|\d{1,6}|.*(example|change.?me|your|dummy|placeholder|xxx|\*\*\*|<).*",
    re.I | re.S,
)
_EXAMPLES = re.compile(r"EXAMPLE|(.)\1{7}|(?i:user:pass(word)?|username:password|user:secret)@")


@rule(
    "CN624", "secret", WARNING,
    source="Docker: every layer of an image can be read by whoever can pull it; Nuclio: the dashboard shows spec.env",
    remedy="take it out and make it void where it was issued; give the function a reference: spec.env with "
    "valueFrom.secretKeyRef on Kubernetes, `deploy --env NAME=VALUE` on Docker, `deploy --build-arg NAME` for a build",
)  # fmt: skip
def secret(bundle: Bundle) -> Iterator[Fault]:
    """A password, a token or a private key lies in the bundle: in its image, and in everything that keeps the bundle.

    Forms that only a secret has are found in every text file, values in the environment by their variables' names.
    """
    for number, variable in enumerate(bundle.spec.get("env") or []):
        name, value = str(variable.get("name") or ""), str(variable.get("value") or "")
        if _NAMES.search(name) and not _PLACEHOLDER.fullmatch(value) and not _SECRETS.search(value):
            yield Fault(f"{name} holds its secret itself", bundle.places.value("spec", "env", number, "value"))
    for file in _texts(bundle.folder):
        yield from _found(file)


def _found(file: Path) -> Iterator[Fault]:
    text = file.read_text("utf-8", errors="replace")
    for match in _SECRETS.finditer(text):
        if not _EXAMPLES.search(match[0]):
            kind = list(_FORMS)[int((match.lastgroup or "k0")[1:])]
            place = place_in(text, match.start())
            yield Fault(f"{kind}: {match[0][:4]}…", place, len(match[0].partition("\n")[0]), file=file)


def _texts(folder: Path) -> Iterator[Path]:
    """The bundle's text files; weights and other programs' folders are none."""
    files = (file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    for number, file in enumerate(files):
        if number == _MOST_FILES:
            return
        parts = file.relative_to(folder).parts
        if RUNTIME in parts or "__pycache__" in parts or ".git" in parts or file.stat().st_size > _LARGEST:
            continue
        with file.open("rb") as stream:
            if b"\0" not in stream.read(4096):
                yield file
