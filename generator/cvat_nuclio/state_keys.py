"""The keys that authenticate trackers' states: made once for each function, and kept where this user alone reads them.

A tracker's states travel through strangers' hands. Without a key anybody can make one, and with it have the function
do and allocate whatever its own code does with such a state. So every tracker is given a key without being asked. It is
the same after a redeploy, after a restart, and for all replicas, so that tracks in the middle go on.
"""

import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from .errors import UserError
from .private_files import open_private, private_folder

VARIABLE: Final = "AA_STATE_KEY"
_LEAST_CHARS: Final = 16


def kept_key(place: str, namespace: str, name: str) -> str:
    """The key of the function `name`, made where there is none yet. `place` is who runs it: a platform of nuctl, or
    `serve`.

    Raises UserError.
    """
    file = private_folder("state-keys") / quote(f"{place} {namespace} {name}", safe=" ")
    if not os.path.lexists(file):
        _make(file)
    with open_private(file, "r") as stream:
        key = stream.read().strip()
    if len(key) < _LEAST_CHARS:
        raise UserError(f"{file} holds no key", why="it was cut off or changed", remedy="remove it: tracks begin anew")
    return key


def worker_key(kind: str, namespace: str, name: str, env: Mapping[str, str]) -> dict[str, str]:
    """What a served function's environment needs besides `env`: the key, for a tracker that has none.

    Raises UserError.
    """
    if kind != "tracker" or VARIABLE in env:
        return {}
    return {VARIABLE: kept_key("serve", namespace, name)}


def deploy_key(config: Mapping[str, Any], platform: str, namespace: str, variable: str = VARIABLE) -> str | None:
    """The key to deploy the function with; None where it needs none, or where its file says one (a reference to a
    Kubernetes secret, for example). `variable` of this process's environment wins over the kept one.

    Raises UserError.
    """
    metadata = config.get("metadata") or {}
    if (metadata.get("annotations") or {}).get("type") != "tracker":
        return None
    if any(entry.get("name") == VARIABLE for entry in (config.get("spec") or {}).get("env") or ()):
        return None
    if variable != VARIABLE and not os.environ.get(variable):
        raise UserError(f"{variable} is not set", remedy="set it to the key, or leave --state-key-env out")
    return os.environ.get(variable) or kept_key(platform, namespace, str(metadata.get("name") or ""))


@contextmanager
def file_with(variables: Mapping[str, str], config: Mapping[str, Any]) -> Iterator[Path]:
    """A file of `config` with these variables in its environment, for nuctl, gone again afterwards.

    Not `nuctl deploy --env`: every user of the machine can read the arguments of a program that runs for minutes. Not
    in the bundle, which is copied into the image. JSON is YAML, and `config` is what Nuclio makes of the bundle's file.
    """
    spec = dict(config.get("spec") or {})
    kept = [entry for entry in spec.get("env") or () if entry.get("name") not in variables]
    spec["env"] = [*kept, *({"name": name, "value": value} for name, value in variables.items())]
    with tempfile.TemporaryDirectory(prefix="deploy-", dir=private_folder("state-keys")) as folder:
        file = Path(folder) / "function.yaml"
        with open_private(file, "w") as stream:
            json.dump({**config, "spec": spec}, stream)
        yield file


def _make(file: Path) -> None:
    """Written beside, then linked: of two who make it at once one wins, and both read that one's."""
    new = file.with_name(f".{secrets.token_hex(8)}.new")
    try:
        with open_private(new, "w") as stream:
            stream.write(f"{secrets.token_urlsafe(32)}\n")
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(new, file)
    except OSError as error:
        raise UserError(
            f"cannot keep a key in {file}", why=str(error), remedy="make room, or set AA_STATE_KEY"
        ) from error
    finally:
        new.unlink(missing_ok=True)
