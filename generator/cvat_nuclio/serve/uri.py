"""Paths and queries as fasthttp, Nuclio's HTTP server, reads them: percent-decoded, dots and double slashes gone."""

HEX = b"0123456789abcdefABCDEF"


def split_target(target: bytes) -> tuple[bytes, bytes]:
    """The path and the query of a request target; a fragment belongs to neither, a scheme and host are dropped."""
    if b"://" in target:
        target = _without_host(target)
    target, _, _ = target.partition(b"#")
    path, _, query = target.partition(b"?")
    return path, query


def _without_host(target: bytes) -> bytes:
    rest = target.partition(b"://")[2]
    slash, question = rest.find(b"/"), rest.find(b"?")
    if slash >= 0 and (question < 0 or slash < question):
        return rest[slash:]
    return b"/" + rest[question:] if question >= 0 else b"/"


def unquote(text: bytes, *, plus: bool) -> bytes:
    """Percent-decoded; an escape that is none stays as it is. `plus`: a plus sign means a space."""
    if plus:
        text = text.replace(b"+", b" ")
    head, *rest = text.split(b"%")
    decoded = bytearray(head)
    for part in rest:
        if len(part) >= 2 and part[0] in HEX and part[1] in HEX:
            decoded.append(int(part[:2], 16))
            decoded += part[2:]
        else:
            decoded += b"%" + part
    return bytes(decoded)


def normalize_path(path: bytes) -> bytes:
    """With a leading slash, decoded, without `//`, `/./` and `/../`."""
    path = unquote(path if path.startswith(b"/") else b"/" + path, plus=False)
    while b"//" in path:
        path = path.replace(b"//", b"/")
    while b"/./" in path:
        path = path.replace(b"/./", b"/")
    while (at := path.find(b"/../")) >= 0:
        path = path[: max(path.rfind(b"/", 0, at), 0)] + path[at + 3 :]
    if path.endswith(b"/.."):
        path = path[: path.rfind(b"/", 0, len(path) - 3) + 1] or b"/"
    return path


def query_fields(query: bytes) -> dict[bytes, bytes]:
    """The query's fields; the last of several with one name wins."""
    fields = {}
    for pair in query.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            fields[unquote(name, plus=True)] = unquote(value, plus=True)
    return fields
