"""What a bundle becomes on a cluster: the NuclioFunction that nuctl creates, the pod that the controller makes of it.

Nuclio's CRD says of `spec` and `status` only that anything is kept (`x-kubernetes-preserve-unknown-fields`), so the
types are those that Nuclio decodes into: its own and Kubernetes's, in `data/nuclio_keys.json`.
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cvat_nuclio.nuclio.decode import Decoder
from cvat_nuclio.nuclio.document import parse
from cvat_nuclio.nuclio.function_yaml import FunctionYaml
from cvat_nuclio.nuclio.quantity import parse as quantity
from cvat_nuclio.nuclio.structs import NEWEST

RECORDINGS = Path(__file__).parent.parent / "recordings" / "nuctl-recordings" / "kube.json"
LABEL = r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"
QUALIFIED = r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"

#: What Kubernetes's API server checks of every object, and the CRD of this one.
NUCLIO_FUNCTION: dict[str, Any] = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "nuclio.io/v1beta1"},
        "kind": {"const": "NuclioFunction"},
        "metadata": {
            "type": "object",
            "required": ["name"],
            "properties": {
                # The service is `nuclio-NAME`, whose name is a label of DNS.
                "name": {"type": "string", "pattern": r"^[a-z]([-a-z0-9]{0,54}[a-z0-9])?$"},
                "labels": {
                    "type": "object",
                    "propertyNames": {"pattern": QUALIFIED},
                    "additionalProperties": {"type": "string", "pattern": LABEL},
                },
                "annotations": {
                    "type": "object",
                    "propertyNames": {"pattern": QUALIFIED},
                    "additionalProperties": {"type": "string"},
                },
            },
        },
        "spec": {"type": "object"},
    },
}

OPTIONS = [
    "--memory", "4Gi", "--cpu", "2", "--memory-request", "1Gi", "--min-replicas", "1", "--max-replicas", "3",
    "--target-cpu", "60", "--node-selector", "pool=gpu", "--toleration", "nvidia.com/gpu:NoSchedule", "--toleration",
    "team=cv", "--shm", "1Gi", "--volume", "pvc:weights:/models", "--image-pull-secret", "pull", "--secret-env",
    "HF_TOKEN=hub:token", "--env", "A=1", "--service-type", "NodePort", "--port", "32001",
    "--ingress-host", "f.example", "--affinity", "near.yaml", "--prebuilt", "example/image:1",
]  # fmt: skip


@pytest.fixture
def functions(workshop: Any) -> list[FunctionYaml]:
    (workshop.folder / "near.yaml").write_text(
        "nodeAffinity:\n  requiredDuringSchedulingIgnoredDuringExecution:\n    nodeSelectorTerms:\n"
        "      - matchExpressions: [{key: gpu, operator: In, values: [a100, h100]}]\n"
    )
    folder = workshop.generate("tracker", *OPTIONS) / "nuclio"
    return [FunctionYaml(file) for file in sorted(folder.glob("function*.yaml"))]


def decoded(value: Any, go_type: str) -> Any:
    """As Go decodes it into Kubernetes's type; nothing may be dropped or refused."""
    decoder = Decoder(NEWEST)
    root, _ = parse(json.dumps(value).encode())
    result = decoder.decode(root, go_type)
    assert (decoder.refused, decoder.dropped) == (None, [])
    return result


def pod_of(spec: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """Container, volumes and tolerations that the controller makes of a function's spec, as the recorded ones show."""
    container = {
        "name": "nuclio",
        "image": spec.get("image") or "built",
        "env": spec.get("env") or [],
        "resources": spec.get("resources") or {},
        "volumeMounts": [one["volumeMount"] for one in spec.get("volumes") or []],
    }
    return container, [one["volume"] for one in spec.get("volumes") or []], spec.get("tolerations") or []


def check_pod(spec: dict[str, Any]) -> None:
    """What the API server refuses of a pod beyond wrong types."""
    container, volumes, tolerations = pod_of(spec)
    decoded(container, "v1.Container")
    for volume in volumes:
        kinds = set(decoded(volume, "v1.Volume")) - {"name"}
        assert len(kinds) == 1, "a volume has one source"
    names = [volume["name"] for volume in volumes]
    assert len(set(names)) == len(names)
    assert {mount["name"] for mount in container["volumeMounts"]} <= set(names)
    assert all(
        mount["mountPath"].startswith("/") and ":" not in mount["mountPath"] for mount in container["volumeMounts"]
    )
    resources = container["resources"]
    for name, text in (resources.get("requests") or {}).items():
        assert quantity(text)[0] <= quantity((resources.get("limits") or {}).get(name, text))[0]
    for variable in container["env"]:
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", variable["name"])
        assert not (variable.get("value") and "valueFrom" in variable)
    for toleration in tolerations:
        decoded(toleration, "v1.Toleration")
        assert toleration.get("effect", "") in ("", "NoSchedule", "PreferNoSchedule", "NoExecute")
        assert toleration["operator"] == "Equal" or "value" not in toleration
    if "affinity" in spec:
        decoded(spec["affinity"], "v1.Affinity")
    for key, value in (spec.get("nodeSelector") or {}).items():
        assert re.match(QUALIFIED, key)
        assert re.match(LABEL, value)


def test_nuctl_s_object_is_one_that_the_cluster_takes(functions: list[FunctionYaml]) -> None:
    assert len(functions) == 2
    for function in functions:
        body = {"apiVersion": "nuclio.io/v1beta1", "kind": "NuclioFunction", **function.config}
        jsonschema.validate(body, NUCLIO_FUNCTION)
        assert len(json.dumps(function.annotations)) < 256 * 1024
        assert function.reading.dropped == []


def test_the_pod_is_one_that_the_cluster_takes(functions: list[FunctionYaml]) -> None:
    for function in functions:
        assert len(pod_of(function.spec)[1]) == 2
        check_pod(function.spec)
        assert function.trigger.port == 32001


def test_the_recorded_deployment_is_read_by_the_same_types() -> None:
    """The types are Kubernetes's: they read what a real API server gave back, and find what it would not take."""
    record = next(one for one in json.loads(RECORDINGS.read_text("utf-8")) if one["id"] == "option-everything")
    pod = record["after"]["demo-rich"]["objects"]["deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    decoded(container, "v1.Container")
    for volume in pod["volumes"]:
        decoded(volume, "v1.Volume")
    spec = FunctionYaml(Path("function.yaml"), record["files"]["function.yaml"].encode()).spec
    check_pod(spec)
    made, volumes, tolerations = pod_of(spec)
    assert container["resources"] == made["resources"]
    assert [one for one in pod["volumes"] if one["name"] == "shm"] == volumes
    assert pod["tolerations"] == tolerations
    assert made["env"][0] in container["env"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tolerations", [{"key": "a", "operator": "Exists", "effect": "Never"}]),
        ("resources", {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
        ("volumes", [{"volume": {"name": "a", "emptyDir": {}}, "volumeMount": {"name": "b", "mountPath": "/x"}}]),
        ("affinity", {"nodeAffinity": {"required": []}}),
        ("env", [{"name": "A", "valueFrom": {"secret": {"name": "s"}}}]),
    ],
)
def test_a_pod_that_the_cluster_would_refuse_is_found(key: str, value: Any) -> None:
    with pytest.raises(AssertionError):
        check_pod({key: value})
