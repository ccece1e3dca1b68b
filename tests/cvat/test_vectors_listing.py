"""Every recorded listing: the function by itself, and in a list beside a good one."""

from types import ModuleType
from typing import Any

from cvat_nuclio.cvat import CvatError, list_functions
from cvat_nuclio.cvat.listing import retrieve_function

VECTORS = "listing"
GOOD = {
    "metadata": {"name": "good", "annotations": {"type": "detector", "spec": '[{"name": "car"}]'}},
    "spec": {"description": "good test function"},
    "status": {"state": "ready", "httpPort": 8070},
}


def test_listed_or_refused_as_recorded(vector: dict[str, Any], replay: ModuleType, nuclio: Any) -> None:
    if "gateway" in vector["id"]:
        replay.check_gateway(vector, nuclio, GOOD)
        return
    generation = replay.generation(vector)
    try:
        listed = retrieve_function(vector["function"], generation)
    except CvatError as error:
        replay.same_error(error, vector["outcome"])
    else:
        assert vector["outcome"] == {"accepted": {"http_status": 200, "body": listed.to_dict()}}


def test_its_effect_on_the_list_as_recorded(vector: dict[str, Any], replay: ModuleType) -> None:
    if "gateway" in vector["id"]:
        return
    answer = {"good": GOOD, vector["function"]["metadata"]["name"]: vector["function"]}
    try:
        listed = list_functions(answer, replay.generation(vector))
    except CvatError as error:
        replay.same_error(error, vector["outcome_list"])
    else:
        ids = [function.id for function in listed]
        assert vector["outcome_list"] == {"accepted": {"http_status": 200, "listed_ids": ids}}
