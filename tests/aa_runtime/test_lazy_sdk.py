"""cvat-sdk through `aa_runtime.lazy_sdk` is cvat-sdk: each test compares in interpreters of their own."""

import json
import subprocess
import sys

import pytest

from aa_runtime.lazy_sdk import PASSING_ON, read_exports

LIST_NAMES = """
import importlib, json, re, sys
module = importlib.import_module(sys.argv[1])
public = [name for name in dir(module) if not name.startswith("_")]
names = {name: re.sub(" at 0x[0-9a-f]+", "", repr(getattr(module, name))) for name in public}
space = {}
exec(f"from {module.__name__} import *", space)
print(json.dumps([names, sorted(name for name in space if not name.startswith("_"))]))
"""


def run(script: str, *words: str, lazy: bool = True) -> str:
    """What a fresh interpreter prints."""
    first = "import aa_runtime.lazy_sdk\n" if lazy else ""
    done = subprocess.run([sys.executable, "-c", first + script, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", sorted(PASSING_ON))
def test_every_name_leads_to_the_same_thing(name: str) -> None:
    lazy, taken = json.loads(run(LIST_NAMES, name))
    eager, taken_eagerly = json.loads(run(LIST_NAMES, name, lazy=False))
    passed_on = {key: value for key, value in eager.items() if not value.startswith("<module")}
    assert {key: value for key, value in lazy.items() if not value.startswith("<module")} == passed_on
    assert {key for key in taken if key in passed_on} == {key for key in taken_eagerly if key in passed_on}


def test_a_function_loads_neither_the_client_nor_http() -> None:
    script = """
import cvat_sdk.auto_annotation as cvataa, sys
cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("box", 0, type="rectangle")])
cvataa.rectangle(0, [1, 2, 3, 4])
print(*sorted({"cvat_sdk.core", "cvat_sdk.api_client.api_client", "urllib3", "tusclient"} & set(sys.modules)))
"""
    assert run(script).split() == []


@pytest.mark.parametrize(
    "statement",
    [
        "from cvat_sdk import make_client, Client, Config, __version__",
        "import cvat_sdk; assert cvat_sdk.core.client.Client is cvat_sdk.Client",
        "import cvat_sdk.core.client; import cvat_sdk; assert cvat_sdk.Client is cvat_sdk.core.client.Client",
        "from cvat_sdk.auto_annotation.driver import annotate_task as there\n"
        "from cvat_sdk.auto_annotation import *\n"
        "assert annotate_task is there",
        "import pickle\n"
        "from cvat_sdk import models\n"
        "assert pickle.loads(pickle.dumps(models.ShapeType)) is models.ShapeType",
        "from cvat_sdk.api_client import apis, models, ApiClient, Configuration; apis.TasksApi, models.TaskRead",
        "from cvat_sdk.datasets import TaskDataset",
        "from cvat_sdk.core.proxies.tasks import Task",
    ],
)
def test_what_scripts_import_is_there(statement: str) -> None:
    run(statement)


@pytest.mark.parametrize("name", ["nothing", "_private", "__wrapped__"])
def test_what_is_not_there_is_an_attribute_error(name: str) -> None:
    script = f"""
import cvat_sdk.models, cvat_sdk.auto_annotation
for module in (cvat_sdk, cvat_sdk.models, cvat_sdk.auto_annotation):
    try:
        getattr(module, {name!r})
    except AttributeError as error:
        assert {name!r} in str(error)
    else:
        raise SystemExit(module.__name__)
"""
    run(script)


@pytest.mark.parametrize(
    "source",
    [
        "from .a import b\nprint(b)",
        "import os",
        "def f(): pass",
        "if True:\n    from .a import b",
        "x = y = 1",
        "x = f()",
        "x.y = 1",
    ],
)
def test_a_module_that_does_more_is_left_alone(source: str) -> None:
    assert read_exports(source, "package") is None


def test_reads_what_a_module_passes_on() -> None:
    exports = read_exports('"""Text."""\n__version__ = "1"\nfrom .a import b as c\nfrom x.y import *\n', "package")
    assert exports is not None
    assert exports.names == {"c": ("package.a", "b")}
    assert exports.whole == ["x.y"]
    assert exports.constants == {"__version__": "1"}
