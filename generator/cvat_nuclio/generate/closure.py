"""Everything that `pip install -r requirements.txt` will put into the image, by name and version: asked of an index.

uv resolves, without downloading what it resolves, for the image's Python and not for this machine's. It reads pip's own
configuration here, so that a company's mirror is asked where pip would ask it.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import attrs

from ..errors import UserError

#: Nuclio's and Docker's Python images are Debian 12 or newer (glibc 2.36), CUDA's Ubuntu 22.04 or newer (2.35).
PLATFORM: Final = "x86_64-manylinux_2_28"
#: uv's option for each of pip's settings that say where to look; its variables and files count where pip says nothing.
_OPTIONS: Final = {
    "index-url": "--default-index",
    "extra-index-url": "--index",
    "find-links": "--find-links",
    "trusted-host": "--allow-insecure-host",
}
#: pip trusts whom the system trusts, a company's own authority too. Older versions of uv know the first name.
_AS_PIP: Final = {"UV_NATIVE_TLS": "1", "UV_SYSTEM_CERTS": "1"}
#: Options of requirements files that uv takes; the others (`--pre`, `--trusted-host`) say nothing about versions.
_KNOWN_OPTION: Final = re.compile(r"-i\b|-f\b|--(extra-)?index-url|--find-links|--no-index|--no-binary|--only-binary")


@attrs.frozen(kw_only=True)
class Closure:
    """What a set of requirements comes to."""

    pins: Mapping[str, str]
    """Version by distribution, in the index's spelling; nothing where it could not be found out."""
    sizes: Mapping[str, int] = attrs.field(factory=dict)
    """Bytes to download, by distribution, where the index tells."""
    unknown: str = ""
    """Why it could not be found out, in the resolver's words."""


def resolve(lines: Sequence[str], *, python: str, tried: Mapping[str, str], timeout: float = 120) -> Closure:
    """The closure of the `lines` of a requirements file, for an image with `python` (`3.11`) on x86-64.

    `tried` are versions that were loaded together; each is taken unless a line forbids it. Raises UserError where the
    lines cannot be met together. A resolver that gets no answer within `timeout` seconds gives an unknown closure.
    """
    asked = [line for line in lines if not line.startswith("-") or _KNOWN_OPTION.match(line)]
    with tempfile.TemporaryDirectory(prefix="cvat-nuclio-") as folder:
        # Nobody keeps it: it holds the addresses of whatever index was asked. What it says beforehand is preferred.
        lock = Path(folder, "pylock.toml")
        if tried:
            lock.write_text(_lock(tried), "utf-8")
        try:
            run = _run(asked, python, lock, timeout, "--format", "pylock.toml")
        except subprocess.TimeoutExpired:
            return Closure(pins={}, unknown=f"the package index gave no answer within {timeout:g} s")
        if run.returncode and _is_contradiction(run.stderr):
            raise _contradiction(run.stderr)
        if run.returncode:
            return Closure(pins={}, unknown=_last_cause(run.stderr))
        packages = tomllib.loads(lock.read_text("utf-8")).get("packages", [])
    # What comes from a repository or an address is pinned by the line that names it.
    found = [item for item in packages if not {"archive", "directory", "vcs"} & item.keys()]
    offered = {item["name"]: [wheel.get("size", 0) for wheel in item.get("wheels", [])] for item in packages}
    return Closure(
        pins={item["name"]: item["version"] for item in found},
        sizes={name: max(wheels) for name, wheels in offered.items() if wheels},
    )


def _lock(versions: Mapping[str, str]) -> str:
    """A lock file (PEP 751) of these distributions."""
    head = 'lock-version = "1.0"\ncreated-by = "cvat-nuclio"\n'
    return head + "".join(
        f"[[packages]]\nname = {json.dumps(name)}\nversion = {json.dumps(version)}\n"
        for name, version in versions.items()
    )


_ABSENT: Final = re.compile(
    r"Because (?:there (?:is|are) no versions? of \S+|only .+? (?:is|are) available|\S+ was not found in the [\w ]+?)"
    r" and you require (?P<asked>[^\s,]+)"
)


def absent(lines: Sequence[str], *, python: str, timeout: float = 60) -> Sequence[str]:
    """Those of the `lines` that the index has no version for. Raises UserError where it does not answer in time."""
    left, found = list(lines), list[str]()
    with tempfile.TemporaryDirectory(prefix="cvat-nuclio-") as folder:
        while True:  # uv names one at a time
            try:
                run = _run(left, python, Path(folder, "pins"), timeout, "--no-deps")
            except subprocess.TimeoutExpired:
                raise UserError(
                    f"the package index gave no answer within {timeout:g} s", remedy="try again, or leave --online out"
                ) from None
            told = _ABSENT.search(" ".join(run.stderr.split())) if run.returncode else None
            gone = [line for line in left if told and _name(line) == _name(told["asked"])]
            if not gone:
                return found
            found += gone
            left = [line for line in left if line not in gone]


def _name(line: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", line, maxsplit=1)[0]).lower()


def _run(
    lines: Sequence[str], python: str, output: Path, timeout: float, *more: str
) -> "subprocess.CompletedProcess[str]":
    from uv import find_uv_bin

    settings = _settings(frozenset(item for item in os.environ.items() if item[0].startswith("PIP_")))
    command = [
        find_uv_bin(), "pip", "compile", "-", "--quiet", "--no-header", "--no-annotate", "--color", "never",
        # Of the interpreter nothing is asked but that uv need not look for another.
        "--python", sys.executable, "--python-version", python, "--python-platform", PLATFORM,
        "--output-file", str(output), *more,
        # pip takes the best version of all its indexes; uv by itself stops at the first that knows the name.
        "--index-strategy", "unsafe-best-match", *_where(settings),
    ]  # fmt: skip
    certificates = {"SSL_CERT_FILE": settings["cert"]} if "cert" in settings else {}
    return subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=timeout, check=False,
        cwd=output.parent, env={"UV_HTTP_RETRIES": "1", **certificates, **_AS_PIP, **os.environ},
    )  # fmt: skip


@cache
def _settings(variables: frozenset[tuple[str, str]]) -> Mapping[str, str]:
    """What pip's files and its `variables` say on this machine: `index-url` and its like, by name.

    Asked once: pip takes longer to start than uv to resolve.
    """
    pip = _pip()
    if not pip:
        return {}
    listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, timeout=60, check=False)
    # pip lists what weighs least first: files, then the environment.
    return dict(re.findall(r"^(?:global|install|:env:)\.([a-z-]+)='(.*)'$", listed.stdout, re.MULTILINE))


def _pip() -> list[str]:
    """This environment's, which one that uv or pipx made has not: then the one on PATH; nothing where there is none."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-P", "-m", "pip"]
    return [path for path in (shutil.which("pip3") or shutil.which("pip"),) if path]


def _where(settings: Mapping[str, str]) -> list[str]:
    """uv's words for where pip would look."""
    words = [
        word
        for name, option in _OPTIONS.items()
        for value in settings.get(name, "").replace("\\n", " ").split()
        for word in (option, value)
    ]
    return [*words, "--no-index"] if settings.get("no-index") in ("1", "true", "yes", "on") else words


def _is_contradiction(words: str) -> bool:
    """Whether no versions fit. What no index here knows says nothing: the image's build may ask another."""
    return "unsatisfiable" in words and "was not found in" not in words


def _contradiction(words: str) -> UserError:
    why = " ".join(" ".join(_causes(words)).split())
    return UserError(
        "the requirements cannot be installed together",
        why=why,
        remedy="change the requirements file so that these versions agree; the runtime's own are in docs/bundles.md",
    )


def _last_cause(words: str) -> str:
    causes = [line for line in words.splitlines() if not line.lstrip().startswith("hint:")]
    return " ".join(_causes("\n".join(causes))[-1].split())


def _causes(words: str) -> list[str]:
    """uv's explanation, its headline left out."""
    lines = [re.sub(r"^\s*(error|cause|hint):\s*", "", line) for line in words.splitlines() if line.strip()]
    return lines[1:] or lines or ["the resolver ended without a word"]
