"""The name of an image, as Docker reads it (https://pkg.go.dev/github.com/distribution/reference)."""

from typing import NamedTuple

HUB = "docker.io"


class ImageName(NamedTuple):
    """`registry:5000/team/name:tag@sha256:…`; of what is not there an empty text."""

    name: str
    """With the registry, if there is one; its port is no tag."""
    tag: str = ""
    digest: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """The registry's host and the path there: `python` is `docker.io` and `library/python`."""
        host, slash, path = self.name.partition("/")
        if slash and ("." in host or ":" in host or host == "localhost"):
            return (HUB if host == f"index.{HUB}" else host), path
        return HUB, self.name if slash else f"library/{self.name}"


def image_name(reference: str) -> ImageName:
    """Its parts."""
    tagged, _, digest = reference.partition("@")
    name, colon, tag = tagged.rpartition(":")
    return ImageName(name, tag, digest) if colon and "/" not in tag else ImageName(tagged, "", digest)
