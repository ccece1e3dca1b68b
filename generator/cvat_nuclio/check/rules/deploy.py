"""CN30x to CN320: what nuctl, Docker and Kubernetes refuse or pass over."""

import re
from collections.abc import Iterator

from ..config import Config
from ..finding import Finding
from ..rule import ERROR, NOTE, WARNING, ConfigRule

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,53}[a-z0-9])?")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_RESERVED = ("dashboard", "controller", "dlx", "scaler")
_IMAGE = re.compile(
    r"(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?/)?[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@\w+:[0-9a-f]{32,})?"
)


class NameMissing(ConfigRule):
    """The file gives the function no name: `nuctl deploy` refuses it, unless its command line gives one."""

    id, name, severity = "CN301", "name-missing", WARNING
    cvat = True
    source = "Nuclio: recording name-empty"
    remedy = "write metadata.name, such as onnx-yolo"

    def check(self, config: Config) -> Iterator[Finding]:
        if config.has("spec") and config.config and not config.name:
            yield self.found(config.file, "the file gives the function no name", config.key("metadata", "name"))


class NameForm(ConfigRule):
    """The name cannot serve as a container's or a service's name.

    A slash is worst: it breaks every later listing of functions, CVAT's model list included, until the store is mended
    by hand. Kubernetes wants lower case, digits and hyphens, at most 55 characters.
    """

    id, name, severity = "CN302", "name-form", ERROR
    source = "Nuclio: recordings name-slash, name-space, name-upper-case-no-build-image, name-dot, create-bad-name"
    remedy = "write lower-case letters, digits and hyphens, beginning with a letter"

    def check(self, config: Config) -> Iterator[Finding]:
        text = config.name
        if not text or _NAME.fullmatch(text):
            return
        place = config.value("metadata", "name")
        if not _QUALIFIED.fullmatch(text):
            broken = "; every later listing of functions fails" if "/" in text else ""
            message = f"{text!r} cannot name a container{broken}"
            yield self.found(config.file, message, place, length=len(text))
        elif text != text.lower() and config.builds and not config.build.get("image"):
            message = f"nuctl names the image after the function, and {text!r} is not lower case"
            yield self.found(config.file, message, place, length=len(text))
        else:
            message = f"Kubernetes takes no service named nuclio-{text}"
            yield self.found(config.file, message, place, severity=NOTE, length=len(text))


class NameReserved(ConfigRule):
    """The name belongs to one of Nuclio's own services: nuctl refuses it."""

    id, name, severity = "CN303", "name-reserved", ERROR
    source = "Nuclio: recording name-reserved"
    remedy = "choose another name"

    def check(self, config: Config) -> Iterator[Finding]:
        if config.name in _RESERVED:
            place = config.value("metadata", "name")
            yield self.found(config.file, f"Nuclio reserves the name {config.name}", place, length=len(config.name))


class ImageName(ConfigRule):
    """An image's name that Docker does not accept: nuctl refuses it."""

    id, name, severity = "CN304", "image-name", ERROR
    source = "Nuclio: recording build-image-upper-case; abstract/platform.go ValidateFunctionConfig"
    remedy = "write lower case: registry/team/name:tag"

    def check(self, config: Config) -> Iterator[Finding]:
        for path in (("spec", "build", "image"), ("spec", "build", "onbuildImage"), ("spec", "image")):
            holder = config.build if "build" in path else config.spec
            text = holder.get(path[-1], "")
            if text and not _IMAGE.fullmatch(text):
                message = f"{'.'.join(path)}: {text!r} names no image"
                yield self.found(config.file, message, config.value(*path), length=len(text))


class TriggerName(ConfigRule):
    """A trigger's `name` differs from its key: nuctl refuses it."""

    id, name, severity = "CN305", "trigger-name", ERROR
    source = "Nuclio: recording trigger-name-differs"
    remedy = "remove `name`: nuctl takes the key"

    def check(self, config: Config) -> Iterator[Finding]:
        for name, trigger in (config.spec.get("triggers") or {}).items():
            if trigger.get("name") and trigger["name"] != name:
                place = config.value("spec", "triggers", name, "name")
                message = f"trigger {name} calls itself {trigger['name']}"
                yield self.found(config.file, message, place, length=len(trigger["name"]))


class Replicas(ConfigRule):
    """Numbers of replicas that exclude each other: Nuclio refuses them on Kubernetes."""

    id, name, severity = "CN306", "replicas", ERROR
    source = "Nuclio: abstract/platform.go ValidateFunctionConfig"
    remedy = "write 0 ≤ minReplicas ≤ maxReplicas, maxReplicas at least 1"

    def check(self, config: Config) -> Iterator[Finding]:
        least, most = config.spec.get("minReplicas"), config.spec.get("maxReplicas")
        message, key = "", "minReplicas"
        if most == 0:
            message, key = "maxReplicas is 0", "maxReplicas"
        elif least is not None and most is not None and least > most:
            message = f"minReplicas {least} is more than maxReplicas {most}"
        elif least == 0 and most is None:
            message = "minReplicas 0 needs maxReplicas"
        if message:
            yield self.found(config.file, message, config.key("spec", key), length=len(key))


class ConfigSize(ConfigRule):
    """The configuration is too big for the local platform.

    nuctl passes it to Docker in one argument of a shell command, base64 and JSON; Linux allows 128 KiB. 80 KB pass,
    100 KB fail with "argument list too long", 1.14 only after the build. Long lists of labels get there.
    """

    id, name, severity = "CN307", "config-size", ERROR
    source = "Nuclio: recordings annotation-80kb, annotation-100kb; nuclio#3261, #3617"
    remedy = "shorten the labels' list or the drawings"

    def check(self, config: Config) -> Iterator[Finding]:
        import json

        size = (
            len(json.dumps(config.config, separators=(",", ":"), ensure_ascii=False).encode()) if config.config else 0
        )
        if size <= 82_000:
            return
        annotations = {name: len(value) for name, value in config.annotations.items()}
        biggest = max(annotations, key=lambda name: annotations[name], default="")
        place = config.key("metadata", "annotations", biggest) if biggest else (1, 1)
        verdict = "fails" if size > 95_000 else "may fail"
        message = f"the configuration has {size // 1000} KB; above about 95 KB the deploy on local Docker {verdict}"
        yield self.found(config.file, message, place, severity=ERROR if size > 95_000 else WARNING)


class EnvQuote(ConfigRule):
    """A single quote in an environment variable: nuctl pastes it into a shell command, which breaks.

    What follows the quote would run as a command.
    """

    id, name, severity = "CN308", "env-quote", ERROR
    source = "Nuclio: recording env-single-quote"
    remedy = "say it without the quote, or read it from a file"

    def check(self, config: Config) -> Iterator[Finding]:
        for i, variable in enumerate(config.spec.get("env") or []):
            for key in ("name", "value"):
                if "'" in str(variable.get(key, "")):
                    place = config.value("spec", "env", i, key)
                    message = f"env {variable.get('name', '')}: a single quote ends nuctl's shell argument"
                    yield self.found(config.file, message, place)


class EnvName(ConfigRule):
    """An environment variable without a name."""

    id, name, severity = "CN309", "env-name", ERROR
    source = "Nuclio: vector spec-env-name-absent; `docker run --env =value` is refused"
    remedy = 'write `- name: NAME` and `value: "…"`'

    def check(self, config: Config) -> Iterator[Finding]:
        for i, variable in enumerate(config.spec.get("env") or []):
            if not variable.get("name"):
                place = config.value("spec", "env", i)
                yield self.found(config.file, "an environment variable has no name: Docker refuses it", place)


class Port(ConfigRule):
    """The host port is no whole number from 1 to 65535; Nuclio drops a string without a word."""

    id, name, severity = "CN310", "port", WARNING
    source = "Nuclio: recordings port-string, port-privileged-float; vector attr-port-str"
    remedy = "write a number such as 32001, without quotes; leave it out and Docker chooses a free one"

    def check(self, config: Config) -> Iterator[Finding]:
        for name, trigger in config.triggers.items():
            port = (trigger.get("attributes") or {}).get("port")
            if port is None or port == 0:
                continue
            place = config.value("spec", "triggers", name, "attributes", "port")
            length = len(str(port))
            if isinstance(port, float) and not isinstance(port, bool):
                yield self.found(config.file, f"port {port} is cut to {int(port)}", place, length=length)
            elif not isinstance(port, int) or isinstance(port, bool):
                message = f"port {port!r} is no number: Nuclio drops it and Docker chooses one"
                yield self.found(config.file, message, place, length=length)
            elif not 0 < port < 65536:
                message = f"there is no port {port}"
                yield self.found(config.file, message, place, severity=ERROR, length=length)
