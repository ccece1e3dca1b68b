"""Paths and queries as fasthttp, Nuclio's HTTP server, reads them: percent-decoded, dots and double slashes gone."""

HEX = b"0123456789abcdefABCDEF"


def split_target(target: bytes, host: bytes) -> tuple[bytes, bytes]:
    """The path and the query of a request target; a fragment belongs to neither, a scheme and host are dropped.

    A target or a `Host` that cannot be read leaves the path empty, which means `/`.
    """
    if any(byte < 0x20 or byte == 0x7F for byte in target):
        return b"", b""
    if not host or b"://" in target:
        host, target = _split_host(host, target)
    if not _has_good_port(host):
        return b"", b""
    target, _, _ = target.partition(b"#")
    path, _, query = target.partition(b"?")
    return path, query


def _split_host(host: bytes, target: bytes) -> tuple[bytes, bytes]:
    scheme, slashes, rest = target.partition(b"//")
    if not slashes or b"/" in scheme:
        return host, target
    slash, question = rest.find(b"/"), rest.find(b"?")
    if slash >= 0 and not 0 <= question < slash:
        return rest[:slash], rest[slash:]
    return (rest[:question], rest[question:]) if question >= 0 else (rest, b"/")


def _has_good_port(host: bytes) -> bool:
    host = host.rpartition(b"@")[2]
    if host.startswith(b"["):
        _, bracket, port = host.rpartition(b"]")
        return bool(bracket) and (not port or (port.startswith(b":") and (port == b":" or port[1:].isdigit())))
    _, colon, port = host.rpartition(b":")
    return not colon or not port or port.isdigit()


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
