"""Names of images are read as Docker reads them."""

import pytest

from cvat_nuclio.nuclio.image_name import ImageName, image_name

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("reference", "name", "place"),
    [
        ("python:3.11-slim", ImageName("python", "3.11-slim"), ("docker.io", "library/python")),
        ("nvidia/cuda", ImageName("nvidia/cuda"), ("docker.io", "nvidia/cuda")),
        ("docker.io/a/b:1", ImageName("docker.io/a/b", "1"), ("docker.io", "a/b")),
        ("index.docker.io/a/b:1", ImageName("index.docker.io/a/b", "1"), ("docker.io", "a/b")),
        ("localhost/b", ImageName("localhost/b"), ("localhost", "b")),
        ("localhost:5000/a/b", ImageName("localhost:5000/a/b"), ("localhost:5000", "a/b")),
        ("registry:5000/debian", ImageName("registry:5000/debian"), ("registry:5000", "debian")),
        ("quay.io/x:1.14.1-amd64", ImageName("quay.io/x", "1.14.1-amd64"), ("quay.io", "x")),
        (f"a/b:1@{DIGEST}", ImageName("a/b", "1", DIGEST), ("docker.io", "a/b")),
        (f"h:1/b@{DIGEST}", ImageName("h:1/b", "", DIGEST), ("h:1", "b")),
        ("", ImageName(""), ("docker.io", "library/")),
    ],
)
def test_a_name_has_its_parts(reference: str, name: ImageName, place: tuple[str, str]) -> None:
    assert image_name(reference) == name
    assert name.place == place
