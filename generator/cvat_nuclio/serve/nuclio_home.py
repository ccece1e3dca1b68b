"""The folder that holds the real processor, and the files that make it run a bundle here instead of in a container."""

import os
from pathlib import Path

import yaml

from ..errors import UserError

PROCESSOR = "processor"
WRAPPER = Path("py") / "_nuclio_wrapper.py"
HOW = """take both out of Nuclio's onbuild image, which `nuctl deploy` pulls (`docker images` lists it as
  .../handler-builder-python-onbuild, tagged with nuctl's version):
    docker create --name onbuild IMAGE true
    docker cp onbuild:/home/nuclio/bin/processor DIR/processor
    docker cp onbuild:/home/nuclio/bin/py DIR/py
    docker rm onbuild
  then serve with --nuclio-home DIR"""


def check_home(home: Path | None) -> Path:
    """The folder with `processor` and `py/_nuclio_wrapper.py`. Raises UserError that says how to get them."""
    if home is None:
        raise UserError("no folder with Nuclio's processor", why="NUCLIO_HOME is not set", remedy=HOW)
    for name in (PROCESSOR, WRAPPER):
        if not (home / name).is_file():
            raise UserError(f"{home} is no Nuclio home", why=f"it does not hold {name}", remedy=HOW)
    if not os.access(home / PROCESSOR, os.X_OK):
        path = home / PROCESSOR
        raise UserError(f"{path} cannot be run", why="it is not executable", remedy=f"chmod +x {path}")
    return home.resolve()


def processor_yaml(text: str, url: str, termination: str | None, workers: int | None = None) -> str:
    """A bundle's `function.yaml` with another listen address, and with another termination time and number of workers.

    Everything else stays as it is written, also what Nuclio drops or refuses. Without an http trigger the one is
    added that a deployment would add.
    """
    root = next(iter(yaml.compose_all(text, yaml.SafeLoader)), None)
    if not isinstance(root, yaml.MappingNode):
        return text
    triggers = _mapping(_mapping(root, "spec"), "triggers")
    if not triggers.value:
        _set(triggers, "default-http", _new_trigger())
    for _, trigger in triggers.value:
        if isinstance(trigger, yaml.MappingNode) and _scalar(trigger, "kind") == "http":
            _set(trigger, "url", _text(url))
            if termination is not None:
                _set(trigger, "workerTerminationTimeout", _text(termination))
            if workers is not None:
                _set(trigger, "numWorkers", yaml.ScalarNode("tag:yaml.org,2002:int", str(workers)))
    return str(yaml.serialize(root, Dumper=yaml.SafeDumper, width=1 << 20))


def platform_yaml(health_address: str) -> str:
    """The platform's configuration: a health server, no web admin, JSON log lines that can be read back."""
    level = "[{level: debug, sink: stdout}]"
    return (
        "webAdmin: {enabled: false}\n"
        f'healthCheck: {{enabled: true, listenAddress: "{health_address}"}}\n'
        "logger:\n"
        "  sinks: {stdout: {kind: stdout, attributes: {encoding: json}}}\n"
        f"  system: {level}\n  functions: {level}\n"
    )


def _new_trigger() -> yaml.MappingNode:
    pairs = [(_text("kind"), _text("http")), (_text("name"), _text("default-http"))]
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs)


def _text(value: str) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:str", value, style='"')


def _find(node: yaml.MappingNode, key: str) -> yaml.Node | None:
    found = [value for name, value in node.value if str(name.value).lower() == key.lower()]
    return found[-1] if found else None


def _scalar(node: yaml.MappingNode, key: str) -> str:
    value = _find(node, key)
    return str(value.value) if isinstance(value, yaml.ScalarNode) else ""


def _mapping(node: yaml.MappingNode, key: str) -> yaml.MappingNode:
    value = _find(node, key)
    if isinstance(value, yaml.MappingNode):
        return value
    added = yaml.MappingNode("tag:yaml.org,2002:map", [])
    _set(node, key, added)
    return added


def _set(node: yaml.MappingNode, key: str, value: yaml.Node) -> None:
    node.value = [(name, old) for name, old in node.value if str(name.value).lower() != key.lower()]
    node.value.append((_text(key), value))
