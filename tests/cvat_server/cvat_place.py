"""A CVAT for the tests: the stand-in, or the real one that CVAT_URL, CVAT_USER and CVAT_PASSWORD name."""

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
from cvat_sdk.core.proxies.tasks import ResourceType
from tests.cvat_server import cvat_standin

from cvat_nuclio.cvat_server import Connection, Scope, connect, open_task

MEDIA = Path(__file__).resolve().parent.parent / "recordings" / "cvat-rest" / "media"
PICTURES = tuple(sorted(MEDIA.glob("s*.jpg")))


@attrs.define
class Place:
    """One user at one server, and what is made there for the test."""

    url: str
    user: str
    password: str
    connection: Connection = attrs.field(init=False)
    _made: list[Any] = attrs.field(factory=list)

    @property
    def words(self) -> list[str]:
        """The options of a command line."""
        return ["--server-host", self.url, "--auth", f"{self.user}:{self.password}"]

    def task(
        self,
        labels: Sequence[dict[str, Any]] = ({"name": "box"},),
        files: Sequence[Path] = PICTURES,
        data: dict[str, Any] | None = None,
        **spec: Any,
    ) -> Scope:
        """A task of these files."""
        wishes = {"image_quality": 95, **(data or {})}
        client = self.connection.client
        client.config.status_check_period = 0.2
        made = client.tasks.create_from_data(
            {"name": "test", "labels": list(labels), **spec},
            [str(path) for path in files],
            resource_type=ResourceType.LOCAL,
            data_params=wishes,
        )
        self._made.append(made)
        return open_task(self.connection, made.id)

    def task_without_data(self, **spec: Any) -> int:
        """The id of one whose pictures were never uploaded."""
        self._made.append(self.connection.client.tasks.create({"name": "empty", **spec}))
        return int(self._made[-1].id)

    def project(self) -> int:
        """The id of a project with the label box."""
        self._made.append(self.connection.client.projects.create({"name": "p", "labels": [{"name": "box"}]}))
        return int(self._made[-1].id)

    def remove(self) -> None:
        """All that was made, the latest first: a project takes its tasks along."""
        for made in reversed(self._made):
            made.remove()


def options(url: str, auth: str | None) -> argparse.Namespace:
    """As a command reads them."""
    return argparse.Namespace(
        server_host=url, server_port=None, auth=auth, profile=None, organization=None, insecure=False
    )


@contextmanager
def place_at(url: str, user: str, password: str) -> Iterator[Place]:
    """A place that is logged in."""
    place = Place(url, user, password)
    with connect(options(url, f"{user}:{password}")) as connection:
        place.connection = connection
        yield place


@contextmanager
def anywhere() -> Iterator[Place]:
    """The real server where the environment names one, else the stand-in."""
    if "CVAT_URL" in os.environ:
        with place_at(os.environ["CVAT_URL"], os.environ["CVAT_USER"], os.environ["CVAT_PASSWORD"]) as place:
            try:
                yield place
            finally:
                place.remove()
        return
    with cvat_standin.running() as server, place_at(server.url, "annotator", "secret") as place:
        yield place
