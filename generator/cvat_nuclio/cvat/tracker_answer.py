"""What CVAT makes of a tracker's answer."""

from typing import Any

from .generation import Generation
from .listing import Listed
from .signing import StateSigner


def convert_tracked(answer: Any, function: Listed, signer: StateSigner) -> Any:
    """The answer as the browser gets it: flat arrays wrapped as rectangles, states signed; a G1 server passes it on.

    Nothing compares the number of shapes or states with the request, and no shape is looked into. Raises KeyError or
    TypeError where CVAT's code does: `states` must be there and be iterable, `shapes` may be missing.
    """
    if function.generation is Generation.G1:
        return answer
    converted = answer
    if "shapes" in answer and not function.typed_shapes:
        shapes = [None if s is None else {"type": "rectangle", "points": s} for s in answer["shapes"]]
        converted = dict(answer, shapes=shapes)
    return dict(converted, states=[signer.sign(state) for state in answer["states"]])
