"""CN213 to CN216: trigger settings that are in force otherwise than they look."""

import re
from collections.abc import Iterator

from ...nuclio.trigger import PLATFORM_ATTRIBUTES, PROCESSOR_ATTRIBUTES
from ..config import Config
from ..finding import Finding
from ..near import near
from ..rule import ERROR, NOTE, WARNING, ConfigRule


class ListenURL(ConfigRule):
    """The trigger listens somewhere else than on :8080, where nuctl, Kubernetes and CVAT look for it.

    An address that is no host:port is worse: the processor is ready, and the port never opens.
    """

    id, name, severity = "CN213", "listen-url", WARNING
    source = "Nuclio: vectors trigger-url-bad, trigger-url-http, trigger-url-port-only"
    remedy = "remove `url`; the port on the host is `attributes.port`"

    def check(self, config: Config) -> Iterator[Finding]:
        for name, trigger in config.triggers.items():
            url = trigger.get("url", "")
            if url in ("", ":8080", "0.0.0.0:8080"):
                continue
            place = config.value("spec", "triggers", name, "url")
            if re.fullmatch(r"[^:/]*:\d+|\[[0-9a-fA-F:]+\]:\d+", url):
                message = f"trigger {name} listens on {url}; nuctl publishes port 8080"
                yield self.found(config.file, message, place, length=len(url))
            else:
                message = f"{url!r} is no address: the port never opens, and Nuclio says nothing"
                yield self.found(config.file, message, place, severity=ERROR, length=len(url))


class CORS(ConfigRule):
    """CORS is on: every request without an Origin header, CVAT's included, gets an empty 200."""

    id, name, severity = "CN214", "cors", ERROR
    source = "Nuclio: vectors attr-cors-enabled, cors-post-no-origin"
    remedy = "remove `cors`: CVAT's server calls the function, not the browser"

    def check(self, config: Config) -> Iterator[Finding]:
        for name, trigger in config.triggers.items():
            attributes = trigger.get("attributes") or {}
            cors = next((value for key, value in attributes.items() if key.lower() == "cors"), None)
            if isinstance(cors, dict) and any(k.lower() == "enabled" and v is True for k, v in cors.items()):
                place = config.key("spec", "triggers", name, "attributes", "cors")
                yield self.found(
                    config.file, f"trigger {name} answers nothing to CVAT while CORS is on", place, length=4
                )


class IgnoredAttribute(ConfigRule):
    """A trigger attribute that nobody reads."""

    id, name, severity = "CN215", "ignored-attribute", WARNING
    source = "Nuclio: vectors attr-unknown, attr-misplaced-numWorkers, attr-maxRequestBodySize-snake, attr-url"
    remedy = "remove it"

    def check(self, config: Config) -> Iterator[Finding]:
        known = (*PROCESSOR_ATTRIBUTES, *PLATFORM_ATTRIBUTES)
        outside = (
            "numWorkers",
            "maxWorkers",
            "workerAvailabilityTimeoutMilliseconds",
            "url",
            "workerTerminationTimeout",
        )
        for name, trigger in config.triggers.items():
            for key in trigger.get("attributes") or {}:
                if key.lower() in {word.lower() for word in known}:
                    continue
                plain = key.lower().replace("_", "")
                if plain in {word.lower() for word in outside}:
                    message, remedy = f"{key} does nothing among the attributes", f"move it to spec.triggers.{name}"
                elif plain == "eventtimeout":
                    message, remedy = f"{key} does nothing among the attributes", "move it to spec"
                else:
                    close = near(plain, known)
                    message = f"nobody reads the attribute {key}" + (f"; did you mean {close}?" if close else "")
                    remedy = f"write {close}" if close else ""
                place = config.key("spec", "triggers", name, "attributes", key)
                yield self.found(config.file, message, place, length=len(key), remedy=remedy)


class DisabledTrigger(ConfigRule):
    """`disabled: true` on a trigger has no effect: the processor serves it all the same."""

    id, name, severity = "CN216", "disabled-trigger", NOTE
    source = "Nuclio: vector trigger-disabled"
    remedy = "remove the trigger, or the key"

    def check(self, config: Config) -> Iterator[Finding]:
        for name, trigger in (config.spec.get("triggers") or {}).items():
            if trigger.get("disabled"):
                place = config.key("spec", "triggers", name, "disabled")
                yield self.found(config.file, f"trigger {name} is served all the same", place, length=len("disabled"))
