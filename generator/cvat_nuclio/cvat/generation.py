"""The three generations of CVAT server that differ for a function, each as its source of one version has it."""

import enum


class Generation(enum.Enum):
    """Which CVAT server is modelled; the newest one looked at is 2.73.

    * `G1`: 2.15 of July 2024 and its neighbours, up to 2.34. Flat point arrays and raw states for trackers, the box of
      an interactor cut out of its positive points, interactive detector answers passed to the browser as they are.
    * `G2`: 2.54 of December 2025, and its like since 2.40. Detector answers converted on the server in both modes
      (2.35), shapes with a wrong number of coordinates refused, `supported_shape_types`, signed states (2.40).
    * `G3`: 2.73 of August 2026, and its like since 2.70. As G2, and besides:
      a region of interest may be cut out of the frame before the function sees it (2.70), prompts must be pairs of
      numbers (2.70) and `text_prompts` reach an interactor (2.60); a group of null becomes 0 (2.65), every shape has
      a score of 1 (2.65) and the data a list of intervals (2.66).
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
