"""CN2xx and CN3xx of one key: what Nuclio's processor, nuctl, Docker and Kubernetes refuse, cut or pass over."""

import re
from typing import Any

import yaml

from ...limits import NAME, RESERVED_NAMES
from ...nuclio.duration import BadDuration, nanoseconds, text_of
from ...nuclio.http_trigger import PLATFORM_ATTRIBUTES, PROCESSOR_ATTRIBUTES, is_number
from ...nuclio.quantity import NANO
from ...nuclio.quantity import parse as parse_quantity
from ...nuclio.starting import OTHER_RUNTIMES
from ..key_rules import At, Said, key_rule, row
from ..near import did_you_mean, near
from ..rule import ERROR, NOTE, WARNING, Fault

_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_IMAGE = re.compile(
    r"(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?/)?[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@\w+:[0-9a-f]{32,})?"
)
# Keys of a trigger, and of the function, that people put among the trigger's attributes.
_OF_TRIGGER = ("numWorkers", "maxWorkers", "workerAvailabilityTimeoutMilliseconds", "url", "workerTerminationTimeout")


# --- what the function processor does not start with, or serves otherwise


@key_rule(
    "CN201", "event-timeout", ERROR, "spec.eventTimeout",
    source="Nuclio: vectors spec-eventTimeout-str-30, -0s, -1d; recording event-timeout-bad",
    remedy="write a number and a unit, such as 60s or 1m30s",
)  # fmt: skip
def event_timeout(at: At) -> Said:
    """`eventTimeout` is no Go duration above zero: the processor ends at its start.

    nuctl takes it, builds the image, and waits for a container that restarts for ever.
    """
    try:
        length = nanoseconds(at.value) if at.value else 1
        message = "" if length > 0 else f"the timeout must be longer than {text_of(length)}"
    except BadDuration as error:
        message = str(error).removeprefix("time: ")
    remedy = f"write {at.value}s" if re.fullmatch(r"[0-9.]*[1-9][0-9.]*", at.value) else ""
    return Fault(f"spec.eventTimeout: {message}", remedy=remedy) if message else None


row(
    "CN210", "batch", ERROR, "spec.triggers.<http>.batch",
    lambda at: f"trigger {at.owner} has batching on" if at.value.get("mode") == "enable" else None,
    "Batching is on: CVAT sends single requests, and an answer that is no batch ends the processor.",
    source="Nuclio: vectors trigger-batch, trigger-batch-bad-timeout (1.14.1)", remedy="remove `batch`", mark="key",
)  # fmt: skip


@key_rule(
    "CN211", "runtime", ERROR, "spec.runtime",
    source="Nuclio: vectors runtime-absent, runtime-upper, runtime-golang; recordings runtime-missing, runtime-unknown",
    remedy="write `runtime: python:3.11`", absent=True,
)  # fmt: skip
def runtime(at: At) -> Said:
    """The runtime is missing, or none of Nuclio's.

    The text before the colon must be exactly `python`. Other runtimes need files that this image lacks.
    """
    language = at.bundle.runtime[0]
    foreign = language in OTHER_RUNTIMES
    # A function in another language is fine.
    if language == "python" or (foreign and not any(file.suffix == ".py" for file in at.bundle.folder.iterdir())):
        return None
    if foreign:
        return f"the handler is Python, the runtime is {at.value}"
    return f"{at.value!r} is no runtime that Nuclio knows" if at.value else "no runtime: nuctl refuses the folder"


@key_rule(
    "CN213", "listen-url", WARNING, "spec.triggers.<http>.url",
    source="Nuclio: vectors trigger-url-bad, trigger-url-http, trigger-url-port-only",
    remedy="remove `url`; the port on the host is `attributes.port`",
)  # fmt: skip
def listen_url(at: At) -> Said:
    """The trigger listens somewhere else than on :8080, where nuctl, Kubernetes and CVAT look for it.

    An address that is no host:port is worse: the processor is ready, and the port never opens.
    """
    if at.value in ("", ":8080", "0.0.0.0:8080"):
        return None
    if re.fullmatch(r"[^:/]*:\d+|\[[0-9a-fA-F:]+\]:\d+", at.value):
        return f"trigger {at.owner} listens on {at.value}; nuctl publishes port 8080"
    return Fault(f"{at.value!r} is no address: the port never opens, and Nuclio says nothing", severity=ERROR)


@key_rule(
    "CN214", "cors", ERROR, "spec.triggers.<http>.attributes.*",
    source="Nuclio: vectors attr-cors-enabled, cors-post-no-origin",
    remedy="remove `cors`: CVAT's server calls the function, not the browser", mark="key",
)  # fmt: skip
def cors(at: At) -> Said:
    """CORS is on: every request without an Origin header, CVAT's included, gets an empty 200."""
    on = isinstance(at.value, dict) and any(k.lower() == "enabled" and v is True for k, v in at.value.items())
    return f"trigger {at.owner} answers nothing to CVAT while CORS is on" if at.key.lower() == "cors" and on else None


@key_rule(
    "CN215", "ignored-attribute", WARNING, "spec.triggers.<http>.attributes.*",
    source="Nuclio: vectors attr-unknown, attr-misplaced-numWorkers, attr-maxRequestBodySize-snake, attr-url",
    remedy="remove it", mark="key",
)  # fmt: skip
def ignored_attribute(at: At) -> Said:
    """A trigger attribute that nobody reads."""
    known = (*PROCESSOR_ATTRIBUTES, *PLATFORM_ATTRIBUTES)
    if at.key.lower() in {word.lower() for word in known}:
        return None
    plain = at.key.lower().replace("_", "")
    if plain in {word.lower() for word in _OF_TRIGGER}:
        return Fault(f"{at.key} does nothing among the attributes", remedy=f"move it to spec.triggers.{at.owner}")
    if plain == "eventtimeout":
        return Fault(f"{at.key} does nothing among the attributes", remedy="move it to spec")
    close = near(plain, known)
    return Fault(f"nobody reads the attribute {at.key}{did_you_mean(close)}", remedy=f"write {close}" if close else "")


row(
    "CN216", "disabled-trigger", NOTE, "spec.triggers.*.disabled",
    lambda at: f"trigger {at.owner} is served all the same" if at.value else None,
    "`disabled: true` on a trigger has no effect: the processor serves it all the same.",
    source="Nuclio: vector trigger-disabled", remedy="remove the trigger, or the key", mark="key",
)  # fmt: skip

# --- names

row(
    "CN301", "name-missing", WARNING, "metadata.name",
    lambda at: None if at.value else "the file gives the function no name",
    "The file gives the function no name: `nuctl deploy` refuses it, unless its command line gives one.",
    source="Nuclio: recording name-empty", remedy="write metadata.name, such as onnx-yolo",
    mark="key", absent=True, cvat=True,
)  # fmt: skip


@key_rule(
    "CN302", "name-form", ERROR, "metadata.name",
    source="Nuclio: recordings name-slash, name-space, name-upper-case-no-build-image, name-dot, create-bad-name",
    remedy="write lower-case letters, digits and hyphens, beginning with a letter",
)  # fmt: skip
def name_form(at: At) -> Said:
    """The name cannot serve as a container's or a service's name.

    A slash is worst: it breaks every later listing of functions, CVAT's model list included, until the store is mended
    by hand. Kubernetes wants lower case, digits and hyphens, at most 55 characters.
    """
    if not at.value or NAME.fullmatch(at.value):
        return None
    if not _QUALIFIED.fullmatch(at.value):
        broken = "; every later listing of functions fails" if "/" in at.value else ""
        return f"{at.value!r} cannot name a container{broken}"
    if at.value != at.value.lower() and at.bundle.builds and not at.bundle.build.get("image"):
        return f"nuctl names the image after the function, and {at.value!r} is not lower case"
    message = f"Kubernetes takes no service named nuclio-{at.value}"
    # "nuclio-" and the name are a label of DNS: 63 characters.
    if len(at.value) > 56:
        remedy = f"write at most 55 characters; these are {len(at.value)}"
        return Fault(f"{message}: it is too long", severity=NOTE, remedy=remedy)
    return Fault(message, severity=NOTE)


row(
    "CN303", "name-reserved", ERROR, "metadata.name",
    lambda at: f"Nuclio reserves the name {at.value}" if at.value in RESERVED_NAMES else None,
    "The name belongs to one of Nuclio's own services: nuctl refuses it.",
    source="Nuclio: recording name-reserved", remedy="choose another name",
)  # fmt: skip

row(
    "CN304", "image-name", ERROR, ("spec.build.image", "spec.build.onbuildImage", "spec.image"),
    lambda at: f"{'.'.join(map(str, at.path))}: {at.value!r} names no image"
    if at.value and not _IMAGE.fullmatch(at.value) else None,
    "An image's name that Docker does not accept: nuctl refuses it.",
    source="Nuclio: recording build-image-upper-case; abstract/platform.go ValidateFunctionConfig",
    remedy="write lower case: registry/team/name:tag",
)  # fmt: skip

row(
    "CN305", "trigger-name", ERROR, "spec.triggers.*.name",
    lambda at: f"trigger {at.owner} calls itself {at.value}" if at.value and at.value != at.owner else None,
    "A trigger's `name` differs from its key: nuctl refuses it.",
    source="Nuclio: recording trigger-name-differs", remedy="remove `name`: nuctl takes the key",
)  # fmt: skip


@key_rule(
    "CN306", "replicas", ERROR, ("spec.minReplicas", "spec.maxReplicas"),
    source="Nuclio: abstract/platform.go ValidateFunctionConfig",
    remedy="write 0 ≤ minReplicas ≤ maxReplicas, maxReplicas at least 1", mark="key",
)  # fmt: skip
def replicas(at: At) -> Said:
    """Numbers of replicas that exclude each other: Nuclio refuses them on Kubernetes."""
    least, most = at.bundle.spec.get("minReplicas"), at.bundle.spec.get("maxReplicas")
    if at.key == "maxReplicas":
        return "maxReplicas is 0" if most == 0 else None
    if least is not None and most and least > most:
        return f"minReplicas {least} is more than maxReplicas {most}"
    return "minReplicas 0 needs maxReplicas" if least == 0 and most is None else None


# --- the environment and the port

row(
    "CN308", "env-quote", ERROR, ("spec.env.*.name", "spec.env.*.value"),
    lambda at: f"env {at.bundle.spec['env'][at.path[2]].get('name', '')}: a single quote ends nuctl's shell argument"
    if "'" in str(at.value) else None,
    """A single quote in an environment variable: nuctl pastes it into a shell command, which breaks.

    What follows the quote would run as a command.
    """,
    source="Nuclio: recording env-single-quote", remedy="say it without the quote, or read it from a file",
)  # fmt: skip

row(
    "CN309", "env-name", ERROR, "spec.env.*",
    lambda at: None if at.value.get("name") else "an environment variable has no name: Docker refuses it",
    "An environment variable without a name.",
    source="Nuclio: vector spec-env-name-absent; `docker run --env =value` is refused",
    remedy='write `- name: NAME` and `value: "…"`',
)  # fmt: skip


@key_rule(
    "CN310", "port", WARNING, "spec.triggers.<http>.attributes.port",
    source="Nuclio: recordings port-string, port-privileged-float; vector attr-port-str",
    remedy="write a number such as 32001, without quotes; leave it out and Docker chooses a free one",
)  # fmt: skip
def port(at: At) -> Said:
    """The host port is no whole number from 1 to 65535; Nuclio drops a string without a word."""
    if not is_number(at.value):
        return f"port {at.value!r} is no number: Nuclio drops it and Docker chooses one"
    if isinstance(at.value, float):
        return f"port {at.value} is cut to {int(at.value)}"
    return Fault(f"there is no port {at.value}", severity=ERROR) if not 0 <= at.value < 65536 else None


# --- the build


@key_rule(
    "CN311", "directive-phase", WARNING, "spec.build.directives.*",
    source="Nuclio: recordings directive-bad-place, directive-bad-place-history; "
    "vector spec-build-directive-other-key",
    remedy="write preCopy or postCopy", mark="key",
)  # fmt: skip
def directive_phase(at: At) -> Said:
    """A list of directives under another key than `preCopy` and `postCopy`: nobody reads it.

    Of all keys these two are matched with their case.
    """
    if at.key in ("preCopy", "postCopy"):
        return None
    close = near(at.key, ("preCopy", "postCopy"))
    message = f"nobody reads the directives under {at.key}{did_you_mean(close)}"
    return Fault(message, remedy=f"write {close}" if close else "")


row(
    "CN314", "commands-replace-directives", WARNING, "spec.build.directives",
    lambda at: "nuctl forgets the directives, because there are commands"
    if at.bundle.build.get("commands") and any(at.value.values()) else None,
    "`commands` and `directives` together: nuctl forgets the directives.",
    source="Nuclio: recording build-commands-and-directives", remedy="write the commands as RUN directives",
    mark="key",
)  # fmt: skip


@key_rule(
    "CN315", "build-argument", WARNING, "spec.build.args.*",
    source="Nuclio: recordings build-args-space, build-args-seen-in-image",
    remedy="write an ENV or ARG directive instead",
)  # fmt: skip
def build_argument(at: At) -> Said:
    """A build argument with a blank is cut there; an empty one is left out."""
    words = at.value.split()
    if not words:
        return f"the empty build argument {at.key} is left out"
    return f"the build argument {at.key} arrives as {words[0]!r}" if re.search(r"\s", at.value) else None


# --- resources and the platform


@key_rule(
    "CN316", "memory-limit", ERROR, "spec.resources.limits.memory",
    source="Nuclio: recording resource-memory-too-small; vector spec-resources-mem-m", remedy="write Mi or Gi",
)  # fmt: skip
def memory_limit(at: At) -> Said:
    """A memory limit below Docker's least, 6 MB: often `m`, which is a thousandth of a byte."""
    value = parse_quantity(at.value)[0] / NANO
    if not (0 < value < 6 * 1024 * 1024 or value < 0):
        return None
    entry = at.bundle.places.written(*at.path)
    shown = entry.value.written.value if entry and isinstance(entry.value.written, yaml.ScalarNode) else at.value
    return f"a memory limit of {shown} is {value:g} bytes"


@key_rule(
    "CN317", "gpu-limit", WARNING, "spec.resources.limits.*",
    source="Nuclio: vectors spec-resources-gpu-bare, spec-resources-gpu-float; nuclio#1788",
    remedy="write `nvidia.com/gpu: 1`", mark="key",
)  # fmt: skip
def gpu_limit(at: At) -> Said:
    """A GPU limit that nothing understands.

    The resource is `nvidia.com/gpu`, a whole number. On local Docker any number above zero gives all GPUs.
    """
    if at.key.lower() in ("gpu", "gpus", "nvidia/gpu", "nvidia.gpu", "nvidia.com/gpus"):
        return f"{at.key} is no resource; the GPU's is nvidia.com/gpu"
    value = parse_quantity(at.value)[0] if at.key == "nvidia.com/gpu" else 0
    return f"{value / NANO:g} GPUs cannot be had" if value < 0 or value % NANO else None


@key_rule(
    "CN318", "platform-attribute", WARNING, "spec.platform.attributes.*",
    source="Nuclio: recording gpu-in-wrong-place; local/types.go; mountMode is read nowhere since 1.13",
    remedy="remove it", mark="key", fixes=True,
)  # fmt: skip
def platform_attribute(at: At) -> Said:
    """A platform attribute that nobody reads.

    The published guide's `platform.attributes.resources` is one: the function gets no GPU and no limit.
    """
    if at.key.lower() in ("network", "restartpolicy", "healthcheckinterval", "processormountmode"):
        return None
    if at.key == "mountMode":
        return Fault("Nuclio reads mountMode nowhere", severity=NOTE, edit=at.line_removed())
    moves = not at.bundle.spec.get(at.key) and at.key in ("resources", "env", "volumes", "devices")
    moved = moves and (at.key != "resources" or not at.bundle.limits)
    message = f"nobody reads the platform attribute {at.key}"
    return Fault(message, remedy=f"move it to spec.{at.key}" if moved else "")


@key_rule(
    "CN319", "restart-policy", NOTE, "spec.platform.attributes.restartPolicy",
    source="Nuclio: recordings init-context-raises-always, init-context-raises-on-failure-3; dockerclient/shell.go",
    remedy="write `name: on-failure` and `maximumRetryCount: 3`", mark="key", fixes=True,
)  # fmt: skip
def restart_policy(at: At) -> Said:
    """A restart policy that is not what it looks like.

    Docker counts retries for `on-failure` only. With `always` a function that cannot start restarts for ever: nuctl
    waits the whole readiness timeout and prints up to 276 KB of log.
    """
    policy: Any = at.value
    if not isinstance(policy, dict):
        return Fault("restartPolicy is a map with `name`", severity=WARNING)
    name = policy.get("name", "")
    if name not in ("always", "on-failure", "unless-stopped", "no", ""):
        place = at.bundle.places.value(*at.path, "name")
        message = f"Docker knows no restart policy {name!r}: the container does not start"
        return Fault(message, place, len(str(name)), severity=ERROR)
    if not policy.get("maximumRetryCount") or name == "on-failure":
        return None
    count = At(at.bundle, (*at.path, "maximumRetryCount"), policy["maximumRetryCount"])
    message = f"maximumRetryCount counts only with on-failure, not with {name or 'no policy'}"
    return Fault(message, at.bundle.places.key(*count.path), len(count.key), edit=count.line_removed())


@key_rule(
    "CN320", "volume", ERROR, "spec.volumes.*",
    source="Nuclio: abstract/platform.go ValidateFunctionConfig; local/platform.go reads hostPath only",
    remedy="give both the same name, the volume a hostPath, the mount a mountPath",
)  # fmt: skip
def volume(at: At) -> Said:
    """A volume and its mount that do not fit together: Nuclio refuses names that differ."""
    volume, mount = at.value.get("volume") or {}, at.value.get("volumeMount") or {}
    if volume.get("name") and mount.get("name") and volume["name"] != mount["name"]:
        return f"volume {volume['name']} is mounted as {mount['name']}"
    return None if mount.get("mountPath") else "a volume has no mountPath"


row(
    "CN321", "namespace", NOTE, "metadata.namespace",
    lambda at: Fault("nuctl overwrites the namespace", edit=at.line_removed()) if at.present else None,
    """`metadata.namespace` is always overwritten by nuctl: by --namespace, or `nuclio`.

    CVAT looks in `nuclio` unless its server is told otherwise; what stands in the file is without effect.
    """,
    source="Nuclio: deploy.go enrichConfigMetadata; recording namespace-cvat",
    remedy="remove it", mark="key", absent=True, fixes=True,
)  # fmt: skip


@key_rule(
    "CN322", "max-workers", WARNING, "spec.triggers.*.maxWorkers",
    source="Nuclio: vectors trigger-maxWorkers-2, trigger-maxWorkers-and-numWorkers; cvat#9029",
    remedy="write numWorkers", mark="key", fixes=True,
)  # fmt: skip
def max_workers(at: At) -> Said:
    """`maxWorkers` is `numWorkers`'s old name.

    nuctl still translates it; a processor that is given the file as it is ignores it. Its removal is announced.
    """
    if not at.value:
        return None
    if at.is_overruled:
        return Fault("numWorkers wins over maxWorkers", remedy="remove maxWorkers")
    return Fault("maxWorkers is numWorkers's old name", edit=at.key_renamed("numWorkers"))


row(
    "CN323", "disabled", WARNING, "spec.disable", lambda at: "the function is disabled" if at.value else None,
    "`disable: true`: the function is listed as ready and never runs.",
    source="Nuclio: recording get-disabled-json", remedy="remove it", mark="key",
)  # fmt: skip

row(
    "CN324", "project", WARNING, "metadata.labels nuclio.io/project-name",
    lambda at: f"CVAT does not see project {at.value}" if at.value not in ("", "cvat") else None,
    "A project label other than `cvat`: CVAT lists the functions of project cvat only.",
    source="CVAT: header x-nuclio-project-name: cvat; recordings project-none, same-name-other-project",
    remedy="write `nuclio.io/project-name: cvat`, or leave it to nuctl's --project-name cvat",
)  # fmt: skip
