"""Writes the JSON Schema of `cvat-nuclio.yaml` from the options themselves: `python -m tools.options_schema`."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

import cvat_nuclio.data
from cvat_nuclio.commands import generate
from cvat_nuclio.generate.bundle_options import key_of, option_fields
from cvat_nuclio.generate.option_file import LACKS, REFUSED_STATE, SCHEMA, Lack
from cvat_nuclio.generate.option_kinds import kind_of

FILE = Path(cvat_nuclio.data.__file__).with_name(SCHEMA)
#: Options that the command line has not, or only the other way about.
ELSEWHERE = {
    "working_directory": "where the function is loaded; its modules and relative paths are looked for there",
    "cpu_index": "install torch without CUDA in the CPU image",
}
_REFUSED_STATE = {
    "description": "written by `generate`: why a tracker's state does not fit into an answer",
    "type": "string",
}


def schema() -> dict[str, Any]:
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "The options of `cvat-nuclio generate` for one bundle",
        "type": "object",
        "properties": {**dict(_options()), LACKS: _lacks(), REFUSED_STATE: _REFUSED_STATE},
        "required": ["name"],
        "oneOf": [{"required": ["function-file"]}, {"required": ["function-module"]}],
        "additionalProperties": False,
    }


def text() -> str:
    """The schema with one option a line."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in schema().items() if key != "properties"]
    options = [f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in schema()["properties"].items()]
    return "{\n" + ",\n".join([*lines, '  "properties": {\n' + ",\n".join(options) + "\n  }"]) + "\n}\n"


def _options() -> Iterator[tuple[str, dict[str, Any]]]:
    helps = {action.dest: _words(action) for action in _parser()._actions} | ELSEWHERE
    for _, field in option_fields():
        plain = isinstance(field.default, str | int) and field.default != ""
        default = {"default": field.default} if plain else {}
        yield key_of(field.name), {"description": helps[field.name], **kind_of(field).schema, **default}


def _words(action: argparse.Action) -> str:
    return f"{action.metavar}: {action.help}" if action.metavar else action.help or ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    generate.configure(parser)
    return parser


def _lacks() -> dict[str, Any]:
    fields = {field.name: {"type": "boolean" if field.type is bool else "string"} for field in attrs.fields(Lack)}
    return {
        "description": "written by `generate`: what the bundle lacks",
        "type": "array",
        "items": {"properties": fields},
    }


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
    print(f"{FILE.name}: {len(schema()['properties'])} options")
