"""What the Hugging Face hub, or its cache on this machine, says of a network."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import requests

from ..errors import UserError

TIMEOUT = 30


@attrs.frozen(kw_only=True)
class Hosted:
    """A network at a revision."""

    source: str
    revision: str
    """A commit's hash."""
    config: Mapping[str, Any]
    licence: str = ""
    sha256: str = ""
    """Of `model.safetensors`; empty where there is none, or the hub could not be asked."""

    def pins(self, prefix: str = "") -> dict[str, str]:
        """The parameters of a function that name the revision and the sum, as `TYPE:VALUE`."""
        found = {f"{prefix}revision": f"str:{self.revision}"}
        return {**found, f"{prefix}sha256": f"str:{self.sha256}"} if self.sha256 else found


def look(source: str, revision: str = "main") -> Hosted:
    """Asks the hub, and where it cannot be reached its cache here. Raises UserError."""
    try:
        return _asked(source, revision)
    except requests.RequestException as error:
        found = _cached(source, revision)
        if found is None:
            raise UserError(
                f"{source} is not in the Hugging Face hub's cache, and the hub cannot be reached or asked",
                why=str(error).partition("\n")[0][:200],
                remedy="try where there is a network, or name a folder with config.json and model.safetensors",
            ) from error
        return found


def _asked(source: str, revision: str) -> Hosted:
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    found = _get(f"{endpoint}/api/models/{source}/revision/{revision}?blobs=true", source)
    config = _get(f"{endpoint}/{source}/resolve/{found['sha']}/config.json", source)
    sums = {item["rfilename"]: (item.get("lfs") or {}).get("sha256", "") for item in found.get("siblings", ())}
    licence = str((found.get("cardData") or {}).get("license") or "")
    return Hosted(
        source=source, revision=found["sha"], config=config, licence=licence, sha256=sums.get("model.safetensors", "")
    )


def _get(url: str, source: str) -> Any:
    token = os.environ.get("HF_TOKEN", "")
    answer = requests.get(url, timeout=TIMEOUT, headers={"Authorization": f"Bearer {token}"} if token else {})
    if answer.status_code in (401, 403):
        raise UserError(
            f"the Hugging Face hub does not give {source} to everybody, or it is not there",
            why=f"status {answer.status_code}",
            remedy=f"accept its conditions on the page of {source}, then set HF_TOKEN to a token that may read it",
        )
    if answer.status_code == 404:
        raise UserError(
            f"the Hugging Face hub has no {source} with a config.json, or not at that revision",
            remedy="a network of transformers: hf:OWNER/NAME or hf:OWNER/NAME@REVISION",
        )
    answer.raise_for_status()
    return answer.json()


def _cached(source: str, revision: str) -> Hosted | None:
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache/huggingface")
    folder = home / "hub" / f"models--{source.replace('/', '--')}"
    named = folder / "refs" / revision
    commit = named.read_text("utf-8").strip() if named.is_file() else revision
    config = folder / "snapshots" / commit / "config.json"
    if not config.is_file():
        return None
    return Hosted(source=source, revision=commit, config=json.loads(config.read_text("utf-8")))
