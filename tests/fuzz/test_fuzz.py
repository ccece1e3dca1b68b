"""A short run of what `make fuzz` does for a million cases."""

import json
from typing import Any

import pytest
from tools.fuzzing import corpus
from tools.fuzzing.batches import Batches
from tools.fuzzing.corpus import encoded
from tools.fuzzing.fuzz_target import Finding, Target, foreign_tokens

from cvat_nuclio.limits import KINDS


@pytest.fixture(scope="module", params=KINDS)
def batches(request: pytest.FixtureRequest) -> Batches:
    return Batches(request.param)


@pytest.mark.parametrize("number", [1])
def test_no_request_breaks_a_worker(batches: Batches, number: int) -> None:
    batches.run(number)
    statuses = batches.target.statuses
    assert sum(statuses.values()) >= 900
    # A fuzzer whose requests are all refused alike has tested one line.
    assert statuses[200] >= 50
    assert statuses[400] >= 100


def body(kind: str, image: bytes) -> bytes:
    """The simplest request of a kind."""
    text = encoded(image)
    box = {"points": [0, 0, 1, 1], "type": "rectangle", "label_id": 1}
    requests: dict[str, Any] = {
        "detector": {"image": text},
        "interactor": {"image": text, "pos_points": [[0, 0]], "neg_points": [], "obj_bbox": None},
        "tracker": {"image": text, "shapes": [{"type": "rectangle", "points": [0, 0, 1, 1]}], "states": []},
        "reid": {"image0": text, "image1": text, "boxes0": [box], "boxes1": [box]},
    }
    return json.dumps(requests[kind]).encode()


@pytest.fixture(scope="module", params=KINDS)
def target(request: pytest.FixtureRequest) -> Target:
    return Target(request.param)


@pytest.mark.parametrize("name", sorted(corpus.sound()))
def test_images_that_users_have_are_answered(target: Target, name: str) -> None:
    before = target.statuses.get(200, 0)
    target.check(body(target.kind, corpus.sound()[name]), "application/json")
    assert target.statuses.get(200, 0) == before + 1


@pytest.mark.parametrize("name", sorted(corpus.hostile()))
def test_images_that_must_not_be_decoded_are_refused(target: Target, name: str) -> None:
    before = target.statuses.get(200, 0)
    answer = target.check(body(target.kind, corpus.hostile()[name]), "application/json")
    assert target.statuses.get(200, 0) == before
    assert answer["error"]["field"] in ("image", "image0")
    if name.startswith("HEIF"):
        assert "HEIF" in answer["error"]["message"]


def test_tokens_of_others_are_refused() -> None:
    target = Target("tracker")
    image = encoded(corpus.sound()["png"])
    for token in [*foreign_tokens(), *[good[::-1] for good in target.tokens]]:
        sent = json.dumps({"image": image, "states": [token]}).encode()
        assert target.check(sent, "application/json")["error"]["field"] == "states[0]"
    sent = json.dumps({"image": image, "states": target.tokens}).encode()
    assert len(target.check(sent, "application/json")["states"]) == len(target.tokens)


def test_the_fuzzer_notices_what_it_looks_for() -> None:
    """The rules are held by a handler that breaks each of them."""
    import nuclio_sdk

    target = Target("detector")
    real = target._handler

    class Broken:
        response: Any = None

        def handle(self, context: Any, event: Any) -> Any:
            if isinstance(self.response, BaseException):
                raise self.response
            return self.response

    broken = Broken()
    target._handler = broken  # type: ignore[assignment]

    def response(text: Any, status: int = 200, kind: str = "application/json") -> Any:
        return nuclio_sdk.Response(body=text, status_code=status, content_type=kind)

    for wrong in (
        ValueError("x"),
        SystemExit(),
        None,
        {"a": 1},
        response(b"[]"),
        response("[]", kind="text/plain"),
        response("[NaN]"),
        response("[Infinity]"),
        response("no JSON"),
        response("{}"),
        response('{"error": {"message": "x"}}', 500),
        response('{"error": "x"}', 400),
        response('{"error": {"message": "Traceback (most recent call last)"}}', 400),
    ):
        broken.response = wrong
        with pytest.raises((Finding, KeyError)):
            target.check(b"{}", "application/json")
    target._handler = real
    target.check(b"{}", "application/json")
