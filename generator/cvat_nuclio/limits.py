"""Names, sizes and times that Nuclio, Docker, Kubernetes and CVAT hold a function to."""

import re

#: Docker's container is `nuclio-NAMESPACE-NAME`, Kubernetes's service `nuclio-NAME`, both at most 63 characters.
NAME = re.compile(r"[a-z]([-a-z0-9]{0,53}[a-z0-9])?")
#: Nuclio's own functions and services.
RESERVED_NAMES = frozenset({"dashboard", "controller", "dlx", "scaler"})
#: CVAT's UI answers for this function itself, with a decoder of its own.
SAM_NAME = "pth-facebookresearch-sam-vit-h"
#: nuctl's where it is given none, and where CVAT looks (CVAT_NUCLIO_FUNCTION_NAMESPACE).
NAMESPACE = "nuclio"
#: Where Nuclio's dashboard listens: CVAT_NUCLIO_PORT.
DASHBOARD_PORT = 8070
#: Bytes of function.yaml as JSON. nuctl passes it on in one argument of a shell command, in base64, and Linux allows
#: 128 KiB there: 80 KB were seen to pass, 100 KB to fail.
CONFIG_PASSES, CONFIG_FAILS = 80_000, 95_000
#: What a function may be to CVAT: `metadata.annotations.type`; it lists no other.
KINDS = ("detector", "interactor", "tracker", "reid")
#: CVAT's shape types, and how many numbers the `points` of each are: the least, and the most where there is one. Where
#: there is none they are pairs, but for a mask's.
SHAPE_NUMBERS: dict[str, tuple[int, int | None]] = {
    "rectangle": (4, 4), "polygon": (6, None), "polyline": (4, None), "points": (2, None), "ellipse": (4, 4),
    "cuboid": (16, 16), "mask": (5, None), "skeleton": (0, 0),
}  # fmt: skip
SHAPE_TYPES = tuple(SHAPE_NUMBERS)
#: Seconds that CVAT waits for an answer: CVAT_NUCLIO_DEFAULT_TIMEOUT.
CVAT_TIMEOUT = 120
