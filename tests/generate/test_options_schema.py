"""The JSON Schema of `cvat-nuclio.yaml`: what editors are told is what `generate` takes."""

import argparse
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tools import options_schema

from cvat_nuclio.commands import generate
from cvat_nuclio.commands.shared_options import add_login
from cvat_nuclio.errors import UserError
from cvat_nuclio.generate.bundle_options import from_mapping, key_of, option_fields
from cvat_nuclio.generate.option_file import SCHEMA

BASE = {"function-file": "f.py", "name": "f"}
KEYS = [key_of(field.name) for _, field in option_fields()]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    schema = json.loads(options_schema.FILE.read_text("utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def test_the_schema_is_fresh() -> None:
    assert options_schema.FILE.read_text("utf-8") == options_schema.text(), "run `python -m tools.options_schema`"


def test_every_option_of_the_command_line_is_described() -> None:
    parser = argparse.ArgumentParser()
    run_options = {action.dest for action in parser._actions} | {"bundles"}
    generate._configure_run(parser)
    add_login(parser)
    # A model and a project's labels become a function and its parameters.
    run_options |= {action.dest for action in parser._actions} | {
        "model",
        "kind",
        "labels_from_project",
        "examples_from_task",
    }
    whole = argparse.ArgumentParser()
    generate.configure(whole)
    fields = {field.name for _, field in option_fields()}
    assert {action.dest for action in whole._actions} - run_options == fields - {"working_directory"}
    options = options_schema.schema()["properties"]
    assert all(option["description"] and "None" not in option["description"] for option in options.values())


@pytest.mark.parametrize(
    "value", [None, True, 2, -1, 1.5, "", "12", "a b", "shapes", [], ["a/b"], ["a=b"], {}, {"A": 1}]
)
@pytest.mark.parametrize("key", KEYS)
def test_what_the_schema_refuses_generate_refuses(
    validator: jsonschema.Draft7Validator, tmp_path: Path, key: str, value: Any
) -> None:
    options = {**BASE, key: value}
    if key == "function-module":
        del options["function-file"]
    if not validator.is_valid(options):
        with pytest.raises(UserError):
            from_mapping(tmp_path, options)


@pytest.mark.parametrize(
    "option",
    [{"worker": 2}, {"workers": "2"}, {"bake": "yes"}, {"state": "memory"}, {"env": 5}, {"add": 1}, {"memory": "4 GB"}],
)
def test_what_is_wrong_is_marked(validator: jsonschema.Draft7Validator, option: dict[str, Any]) -> None:
    assert validator.is_valid(BASE)
    assert not validator.is_valid({**BASE, **option})


def test_the_options_in_this_repository_keep_to_it(validator: jsonschema.Draft7Validator, repository: Path) -> None:
    files = sorted(repository.glob("serverless/*/*/cvat-nuclio.yaml"))
    assert len(files) > 10
    for file in files:
        validator.validate(yaml.safe_load(file.read_text("utf-8")))


def test_a_bundle_s_options_name_the_schema_beside_them(workshop: Any) -> None:
    folder = workshop.generate("detector")
    first, second, *_ = (folder / "cvat-nuclio.yaml").read_text("utf-8").splitlines()
    assert first == f"# yaml-language-server: $schema={SCHEMA}"
    assert second.startswith("# The options")
    assert (folder / SCHEMA).read_bytes() == options_schema.FILE.read_bytes()


def test_a_file_from_before_gets_the_line_and_one_that_names_another_keeps_it(workshop: Any) -> None:
    folder = workshop.generate("detector")
    file = folder / "cvat-nuclio.yaml"
    written = file.read_text("utf-8")
    file.write_text("".join(written.splitlines(keepends=True)[1:]), "utf-8")
    workshop.run(folder)
    assert file.read_text("utf-8") == written
    other = written.replace(SCHEMA, "../other.json", 1)
    file.write_text(other, "utf-8")
    workshop.run(folder)
    assert file.read_text("utf-8") == other
