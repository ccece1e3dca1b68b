"""CN420 and CN421: bundles that are in each other's way."""

from collections.abc import Callable, Iterator

from ..bundle import Bundle
from ..rule import WARNING, Fault, rule


@rule(
    "CN420", "same-name", WARNING,
    source="Nuclio and CVAT know functions by name only", remedy="give each function a name of its own",
)  # fmt: skip
def same_name(bundles: list[Bundle]) -> Iterator[Fault]:
    """Two bundles with one name: the one deployed later replaces the other.

    The CPU and GPU files of one folder share their name on purpose.
    """
    for bundle, other in _in_two_folders(bundles, lambda bundle: bundle.name):
        place = bundle.places.value("metadata", "name")
        message = f"{bundle.name} is also the name in {other.file}"
        yield Fault(message, place, len(bundle.name), file=bundle.file)


@rule(
    "CN421", "same-image", WARNING,
    source="Nuclio: recording two-functions-one-image", remedy="give each function an image name of its own",
)  # fmt: skip
def same_image(bundles: list[Bundle]) -> Iterator[Fault]:
    """Two bundles with one `build.image`: the tag moves to the one built later.

    The other changes at its next prebuilt deploy.
    """
    for bundle, other in _in_two_folders(bundles, lambda bundle: str(bundle.build.get("image", ""))):
        image = str(bundle.build["image"])
        if other.name != bundle.name:
            place = bundle.places.value("spec", "build", "image")
            yield Fault(f"{image} is also the image in {other.file}", place, len(image), file=bundle.file)


def _in_two_folders(bundles: list[Bundle], key: Callable[[Bundle], str]) -> Iterator[tuple[Bundle, Bundle]]:
    first: dict[str, Bundle] = {}
    for bundle in bundles:
        if key(bundle):
            other = first.setdefault(key(bundle), bundle)
            if other.folder != bundle.folder and other.folder.resolve() != bundle.folder.resolve():
                yield bundle, other
