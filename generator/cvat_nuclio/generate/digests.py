"""`--pin-digests`: the digest of what an image's name stands for now, as its registry says."""

import re
from typing import Final

import attrs
import urllib3

from ..errors import UserError
from ..nuclio.image_name import HUB, image_name
from .bundle_options import BundleOptions
from .forms import Form, Forms

_HUB: Final = "registry-1.docker.io"
_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)
_TIMEOUT: Final = 20.0


def with_digests(options: BundleOptions, forms: Forms) -> tuple[BundleOptions, Forms]:
    """Each form on its image by the digest that it had when it was asked, kept in the options. Raises UserError."""
    digests = dict(options.image.digests)

    def fixed(form: Form) -> Form:
        name = form.image.reference
        if "@" not in name and name not in digests:
            digests[name] = image_name(pinned(name)).digest
        if name in digests:
            name = f"{name}@{digests[name]}"
        return attrs.evolve(form, image=attrs.evolve(form.image, reference=name))

    forms = attrs.evolve(forms, cpu=fixed(forms.cpu), gpu=fixed(forms.gpu) if forms.gpu else None)
    return attrs.evolve(options, image=attrs.evolve(options.image, digests=digests)), forms


def pinned(reference: str, *, scheme: str = "https") -> str:
    """`NAME:TAG` with the digest of now: `NAME:TAG@sha256:…`. One that has a digest stays. Raises UserError."""
    if "@" in reference:
        return reference
    image = image_name(reference)
    host, name = image.place
    url = f"{scheme}://{_HUB if host == HUB else host}/v2/{name}/manifests/{image.tag or 'latest'}"
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
