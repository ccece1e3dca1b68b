"""The three generations of CVAT server that differ for a function."""

import enum


class Generation(enum.Enum):
    """Which CVAT server is modelled.

    * `G1`: up to early 2025. Flat point arrays and raw states for trackers, the box of an interactor cut out of its
      positive points, interactive detector answers passed to the browser as they are.
    * `G2`: 2025. Detector answers converted on the server in both modes, `supported_shape_types`, signed states.
    * `G3`: 2026. As G2, and a region of interest may be cut out of the frame before the function sees it.
    """

    G1 = "G1"
    G2 = "G2"
    G3 = "G3"

    @property
    def any_label_type(self) -> str:
        """The label type that a function's label gets when its spec names none."""
        return "unknown" if self is Generation.G1 else "any"

    @property
    def converts_on_server(self) -> bool:
        """Whether interactive detector answers are converted and checked before the browser gets them."""
        return self is not Generation.G1


NEWEST = Generation.G3
