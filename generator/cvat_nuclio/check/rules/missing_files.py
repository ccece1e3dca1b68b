"""CN623, CN626, CN629: what `generate` knows will fail."""

from collections.abc import Iterator

from ..bundle import Generated
from ..rule import ERROR, WARNING, Fault, rule

# `generate.option_file` is slow to import, and few of the folders that are checked were generated.


@rule(
    "CN623", "lacking-file", ERROR,
    source="the function was loaded by `cvat-nuclio generate`, and the image has the bundle's files alone",
    remedy="put it there, or mount it: --volume HOST:PATH",
)  # fmt: skip
def lacking_file(generated: Generated) -> Iterator[Fault]:
    """The function reads a file that the bundle lacks: it was seen when the bundle was generated.

    Weights, and what the options name, are errors; other files may be ones that it can do without.
    """
    from ...generate.option_file import absent

    for lack in absent(generated.bundle.folder):
        at = f"/opt/nuclio/{lack.place}"
        if not any(at.startswith(mount.rstrip("/") + "/") for mount in generated.bundle.mounts):
            remedy = f"cvat-nuclio generate {generated.file.parent} {lack.remedy}" if lack.remedy else ""
            yield Fault(lack.what, severity=None if lack.needed else WARNING, remedy=remedy)


@rule(
    "CN626", "refused-state", ERROR,
    source="aa_runtime takes a state of at most 4 MiB as a token; CVAT sends each one there and back with every frame",
    remedy="--state in-memory (one worker, one replica)",
)  # fmt: skip
def refused_state(generated: Generated) -> Iterator[Fault]:
    """A tracker's state was too large for a token, or held what has no encoding, when the bundle was generated."""
    from ...generate.option_file import refused_state as seen

    if said := seen(generated.bundle.folder):
        remedy = f"cvat-nuclio generate {generated.file.parent} --state in-memory (one worker, one replica)"
        yield Fault(f"a state is no token: {said}", remedy=remedy)


@rule(
    "CN629", "other-weights", ERROR,
    source="`generate --weights FILE=NAME@REVISION` keeps the file's sha256 in cvat-nuclio.yaml",
    remedy="put the right file there, or say what it is: cvat-nuclio generate DIR --weights FILE=NAME@REVISION",
)  # fmt: skip
def other_weights(generated: Generated) -> Iterator[Fault]:
    """A file of weights is not the one that was there when the bundle was generated: its sum is another."""
    from ...generate.option_file import other_weights as others

    yield from map(Fault, others(generated.bundle.folder))
