"""What really happened, per recording, in the words of the rules; and what files cannot tell, with the reason."""

import re
from typing import Any

Vector = dict[str, Any]

# The processor's (and nuctl's) own words, and the rule that must have said so before.
CAUSES = [
    ("cannot have more than 1 http trigger", "CN206"),
    ("There's more than one http trigger", "CN206"),
    ("more than one http trigger", "CN206"),
    (r"Registry for trigger failed to find", "CN202"),
    (r"error\(s\) decoding", "CN203"),
    (r"makeslice: len out of range", "CN204"),
    (r"Failed to parse worker termination timeout", "CN205"),
    (r"Failed to find logger sink", "CN208"),
    (r"Registry for databinding failed to find", "CN209"),
    (r"Could not parse batch timeout", "CN210"),
    (
        r"Registry for (runtime|processor_build_runtime) failed|Can't load plugin|Can't find wrapper at .*wrapper\.js",
        "CN211",
    ),
    (r"Malformed handler", "CN212"),
    (r"time: |eventTimeout <= 0", "CN201"),
    (r"No module named 'torch'", "CN336"),
    # Without a handler nuctl takes one that is named after the folder.
    (r"No module named", "CN602|CN212"),
    (r"Handler not found", "CN603"),
    (r"SyntaxError", "CN601"),
    (r"weights not found", "CN615"),
    (r"Input is neither json nor yaml|cannot unmarshal|quantities must match|error converting YAML", "CN101"),
    (r"must specify runtime", "CN109|CN211"),
    (r"Unsupported runtime|unsupported runtime|No runtime|Python 3\.6 runtime|py3\.12-whl|py3\.6-whl", "CN331|CN211"),
    (r"Minimum memory limit", "CN316"),
    (r"is reserved", "CN303"),
    (r"Invalid Spec\.Build\.Image", "CN304"),
    (r"repository name must be lowercase|Invalid container name|demo detector\.json", "CN302"),
    (r"Function must have a name", "CN301"),
    (r"Trigger key and name mismatch", "CN305"),
    (r"copy_file_range: is a directory|open \$BUNDLE/link\.txt: no such file", "CN342"),
    (r"[Aa]rgument list too long", "CN307"),
    (r"unknown instruction", "CN312"),
    (r"Unable to locate package", "CN355"),
    (r"python: not found|python: command not found", "CN333"),
    (r"externally-managed-environment", "CN334"),
    (r"No matching distribution found for msgpack", "CN332"),
]

# config.json: what stands in no function.yaml.
CONFIG_CANNOT = {
    "FILES": "the handlers' folder, no configuration",
    "cli-missing-config": "the processor's command line",
    "cli-version": "the processor's command line",
    "cli-list-runtimes": "the processor's command line",
    "cli-unknown-flag": "the processor's command line",
    "cli-help": "the processor's command line",
    "env-wrapper-default": "the machine has no wrapper at Nuclio's path",
    "env-python-is-true": "the machine's environment names a Python that is none",
    "env-pythonpath-missing": "the machine's environment names a folder that is not there",
    "platform-health-disabled": "the platform's configuration",
    "platform-bad-yaml": "the platform's configuration",
    "platform-wrong-type": "the platform's configuration",
    "platform-sink-unknown": "the platform's configuration",
    "platform-sink-missing": "the platform's configuration",
}

# failures.json: one reason for each id that the bundle's files cannot tell.
_HOST = "Docker, its network or the machine"
_ARGV = "nuctl's command line"
_STATE = "what was deployed, or broken off, before"
FAILURES_CANNOT = {
    **dict.fromkeys(
        ("network-missing", "docker-not-running-deploy", "docker-not-running-get", "docker-not-running-create-project",
         "docker-not-running-auto", "docker-not-installed", "docker-permission-denied", "onbuild-image-missing",
         "pip-network-none", "port-busy", "gpu-no-nvidia-runtime", "buildkit-without-buildx", "tmp-full",
         "cwd-not-writable", "images-present-but-no-no-pull"), _HOST),
    **dict.fromkeys(
        ("yaml-missing", "yaml-missing-no-file-flag", "path-missing", "trigger-flag-bad-json",
         "trigger-flag-other-name", "platform-config-bad-json", "env-without-value", "env-single-quote",
         "volume-missing-source", "volume-bad-format", "platform-kube-no-config", "platform-unknown",
         "project-other", "namespace-cvat", "offline-flag-without-no-pull"), _ARGV),
    **dict.fromkeys(("kubeconfig-broken-auto", "kubeconfig-garbage-auto", "kubeconfig-dead-auto"), "the kubeconfig"),
    **dict.fromkeys(
        ("project-missing", "interrupted-sigint", "interrupted-sigkill", "interrupted-sigterm-build",
         "interrupted-sigint-readiness", "deploy-after-sigint", "delete-after-sigint", "delete-force-after-sigint",
         "deploy-after-force-sigint", "deploy-after-sigkill", "delete-after-sigkill", "delete-force-after-sigkill",
         "deploy-after-force-sigkill", "deploy-after-sigterm-build", "delete-after-sigterm-build",
         "delete-force-after-sigterm-build", "deploy-after-sigint-readiness", "get-after-sigint-readiness",
         "store-volume-removed", "deploy-after-store-volume-removed", "deploy-after-store-volume-removed-2",
         "same-name-other-project", "two-functions-one-image"), _STATE),
    "base-image-missing-pull": "whether a registry has the image",
    "base-image-missing-no-pull": "whether a registry has the image",
    "buildkit-client-20.10-base-missing": "whether a registry has the image",
    "pip-no-such-version": "which versions the package index has",
    "buildkit-client-20.10-pip-fails": "which versions the package index has",
    "init-too-slow": "how long init_context takes",
    "init-too-slow-file-timeout": "how long init_context takes",
    "resource-memory-oom-at-init": "how much memory init_context takes",
    "nuctl-without-version-label": "how nuctl was built",
}  # fmt: skip

# failures.json: deployed, but not as written.
FAILURES_DROPPED = {
    "port-string": "CN310",
    "port-privileged-float": "CN310",
    "gpu-in-wrong-place": "CN318",
    "annotation-bool-int-null": "CN102",
    "unknown-keys": "CN103",
    "trigger-none": "CN207",
    "build-args-percent": "CN315",
    "build-args-space": "CN315",
    "build-args-seen-in-image": "CN315",
    "directive-bad-place": "CN311",
    "directive-bad-place-history": "CN311",
    "build-commands-and-directives": "CN314",
}

# A finding that the recording could not show: the image of that name stood in for the real one.
STAND_INS = {
    "pep-668-break-system-packages": (
        "CN333",
        "the recording's debian:bookworm carries a `python`; the real one has none",
    ),
}

# listing.json: outcomes of objects that Nuclio never hands over for any file.
LISTING_CANNOT = {
    "status.missing": "Nuclio's dashboard always sends a status",
    "status.empty": "the state of the function",
    "status.state_building": "the state of the function",
    "description.empty": "Nuclio leaves an empty description out: CVAT then sees none (description.missing)",
    "min_pos_points.json_2.7": 'nuctl makes the string "2.7" of it, which breaks the list',
    "min_neg_points.json_2.7": 'nuctl makes the string "2.7" of it, which breaks the list',
    "supported_shape_types.json_list": "nuctl refuses a list among the annotations",
    "supported_shape_types.null": "nuctl makes an empty string of it (supported_shape_types.empty)",
    "min_pos_points.null": "nuctl makes an empty string of it (min_pos_points.empty)",
    "min_neg_points.null": "nuctl makes an empty string of it (min_neg_points.empty)",
    "spec.not_a_string": "nuctl refuses a list among the annotations",
}
LISTING_CAUSES = [
    (r"KeyError: 'annotations'|'NoneType' object has no attribute 'get'", "CN401"),
    (r"KeyError: 'description'", "CN402"),
    (r"has unknown type", "CN403"),
    (r"invalid literal for int", "CN404"),
    (r"no supported shape types", "CN408"),
    (r"JSONDecodeError", "CN431"),
    (r"non-unique", "CN435"),
    (r"KeyError: 'input_type'|KeyError: 'values'", "CN433"),
    (r"KeyError: 'sublabels'|KeyError: 'svg'", "CN434"),
    (
        r"KeyError: 'name'|string indices|not iterable|not subscriptable|has no attribute|unhashable",
        "CN432|CN433|CN434",
    ),
    (r"^None: ", "CN409"),
]


def rule_for(said: str, causes: list[tuple[str, str]]) -> set[str]:
    """The rules of which one must have a finding, by what was said."""
    for pattern, rules in causes:
        if re.search(pattern, said):
            return set(rules.split("|"))
    return set()


def config_rules(vector: Vector) -> set[str]:
    """The rules of which one must have a finding for a vector of config.json; empty where all went well."""
    outcome = vector["outcome"]
    built = outcome.get("builder_read")
    if isinstance(built, dict) and "error" in built:
        return rule_for(built["error"], CAUSES)
    if outcome["exit_code"] != "running":
        said = "\n".join([*outcome.get("stderr", []), *outcome.get("stdout", [])])
        found = rule_for(said, CAUSES)
        # nuctl's reader took it: it is the string that is missing.
        return {"CN102"} if found == {"CN101"} else found
    http = outcome.get("http") or {}
    if http.get("body") == "ok":
        return set()
    if "takes no arguments" in str(http.get("body")):
        return {"CN604"}
    return {"CN109", "CN207", "CN211", "CN213", "CN214", "CN210", "CN507"}
