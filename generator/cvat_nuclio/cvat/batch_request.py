"""The body of a batch request, as its serializer reads it before there is a job."""

from collections.abc import Mapping
from typing import Any

from .generation import Generation
from .rest_fields import Reader, Refused, array, boolean, choice, dictionary, integer, number, record, text

_SUBLABEL: dict[str, Reader] = {"name": text(), "attributes": dictionary(text())}
_LABEL: dict[str, Reader] = _SUBLABEL | {"sublabels": dictionary(record(_SUBLABEL, ["name"]))}
_FIELDS: dict[str, Reader] = {
    "function": text(),
    "max_distance": integer(),
    "threshold": number(),
    "cleanup": boolean,
    "convMaskToPoly": boolean,
    "conv_mask_to_poly": boolean,
    "mapping": dictionary(record(_LABEL, ["name"])),
}


def read_request(body: Mapping[str, Any], generation: Generation) -> dict[str, Any]:
    """The fields that a job goes by; `function`, `task` and `job` are given to the model as objects.

    Unlike a call for one frame, whose body CVAT takes as it is, null is refused here and numbers may be text. The
    switch for polygons has two names since 2.23; G1 knows the first alone. Raises the REST ValidationError, 400.
    """
    readers = dict(_FIELDS)
    if generation is Generation.G1:
        del readers["conv_mask_to_poly"]
        readers["quality"] = choice(("compressed", "original"))
    if generation is Generation.G3:
        readers["roi"] = array(integer(), 4)
    try:
        data = record(readers)(body)
    except Refused as refusal:
        raise refusal.as_error() from None
    old_name = data.pop("convMaskToPoly", False)
    return {"conv_mask_to_poly": old_name, **data}
