"""What a registry says of an image's name: the digest of what it stands for now (`--pin-digests`)."""

import re
from typing import Final

import urllib3

from ..errors import UserError

_HUB: Final = "registry-1.docker.io"
_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)
_TIMEOUT: Final = 20.0


def pinned(reference: str, *, scheme: str = "https") -> str:
    """`NAME:TAG` with the digest of now: `NAME:TAG@sha256:…`. One that has a digest stays. Raises UserError."""
    if "@" in reference:
        return reference
    host, name, tag = _parts(reference)
    url = f"{scheme}://{host}/v2/{name}/manifests/{tag}"
    answer = _ask(url, {})
    if answer.status == 401:
        answer = _ask(url, {"Authorization": f"Bearer {_token(answer, name)}"})
    digest = answer.headers.get("Docker-Content-Digest", "")
    if answer.status != 200 or not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise UserError(
            f"{host} gives no digest of {reference}",
            why=f"it answers HTTP {answer.status}" + (" without one" if answer.status == 200 else ""),
            remedy="look at the name; for an image behind a login write the digest into --base-image yourself",
        )
    return f"{reference}@{digest}"


def _parts(reference: str) -> tuple[str, str, str]:
    """Host, name and tag, as Docker reads them."""
    head, colon, tag = reference.rpartition(":")
    if not colon or "/" in tag:
        head, tag = reference, "latest"
    first, slash, rest = head.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        host, name = first, rest
    else:
        host, name = _HUB, head if slash else f"library/{head}"
    return (_HUB if host in ("docker.io", "index.docker.io") else host), name, tag


def _token(answer: urllib3.BaseHTTPResponse, name: str) -> str:
    """A pass for strangers, from where the registry says (https://distribution.github.io/distribution/spec/auth/token)."""
    told = dict(re.findall(r'(\w+)="([^"]*)"', answer.headers.get("WWW-Authenticate", "")))
    if "realm" not in told:
        return ""
    fields = {"service": told.get("service", ""), "scope": told.get("scope", f"repository:{name}:pull")}
    given = _ask(told["realm"], {}, fields)
    try:
        body = given.json() if given.status == 200 else {}
    except ValueError:
        body = {}
    return str(body.get("token") or body.get("access_token") or "")


def _ask(url: str, headers: dict[str, str], fields: dict[str, str] | None = None) -> urllib3.BaseHTTPResponse:
    method = "GET" if fields else "HEAD"
    try:
        return urllib3.request(
            method, url, headers={"Accept": _TYPES, **headers}, fields=fields, timeout=_TIMEOUT, retries=False
        )
    except urllib3.exceptions.HTTPError as error:
        raise UserError(
            f"{url.split('/')[2]} cannot be asked for a digest",
            why=" ".join(str(error).split())[:200],
            remedy="see that it can be reached from here, or leave --pin-digests out",
        ) from error
