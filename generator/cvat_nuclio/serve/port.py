"""A port to listen on, and who holds it where it cannot be had."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_LISTENS = "0A"


class PortError(OSError):
    """Nothing can be bound to `port` of `host`."""

    def __init__(self, host: str, port: int, error: OSError | OverflowError) -> None:
        super().__init__(getattr(error, "errno", None), getattr(error, "strerror", None) or str(error))
        self.host, self.port = host, port

    @property
    def what(self) -> str:
        """For the user, in one line."""
        if self.errno == errno.EADDRINUSE:
            return f"port {self.port} is taken"
        return f"port {self.port} of {self.host} cannot be had"

    @property
    def why(self) -> str:
        """Who holds it where that can be seen, else the system's words."""
        found = holder(self.port) if self.errno == errno.EADDRINUSE else ""
        return f"{found} listens on it" if found else str(self.strerror)


def bind(host: str, port: int) -> socket.socket:
    """A socket that holds the port but does not listen yet: connections are refused. Raises PortError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # By its protocol asyncio knows a connection of TCP, and has it send at once (TCP_NODELAY): else the body of each
    # answer but the first waits 40 ms for the client's delayed acknowledgement of the head.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except (OSError, OverflowError) as error:
        sock.close()
        raise PortError(host, port, error) from error
    return sock


def holder(port: int) -> str:
    """The program that listens on a port, or an empty text: Linux shows a user's own programs to that user alone."""
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    for link in Path("/proc").glob("[0-9]*/fd/*") if inodes else ():
        with suppress(OSError):
            if os.readlink(link) in inodes:  # noqa: PTH115 - no file
                process = link.parent.parent
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return ""


def _listening(port: int) -> Iterator[str]:
    """The inodes of the sockets that listen there."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]
