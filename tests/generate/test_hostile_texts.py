"""Whatever a text holds: it is refused with words, or no file of the bundle means anything else by it."""

import ast
import functools
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from packaging.requirements import Requirement

from cvat_nuclio.errors import UserError
from cvat_nuclio.generate import make_bundle, option_file, tree
from cvat_nuclio.generate.bundle_options import from_mapping, option_fields
from cvat_nuclio.generate.closure import Closure
from cvat_nuclio.generate.option_kinds import kind_of
from cvat_nuclio.generate.probe import Probe, ProbeRequest, probe
from cvat_nuclio.generate.requirements import RUNTIME_OF_ANY

PIECES = [
    "\n", "\r", "\r\n", "\t", "\0", "\x1b", "\x85", "\u2028", "\u2029", "\ud800", "'", '"', '"""', "`", "```", "|",
    "\\", "$(touch x)", "${HOME}", "; rm -rf .", "&& x", "#", "# x", "- x", "<script>", "{{ x }}", "{% x %}", "%", "*",
    "__", "[a](b)", ": ", "a: b", "&a", "!x", "é", "日本", "a", "x" * 5000, "/", "..", "=", ",", " ", "~", "\nRUN x\n",
    "--index-url x", "1. ", "    x", "===", "> ",
]  # fmt: skip
LISTS = ("apt", "toleration", "add", "skeleton_edge")
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join), st.text(min_size=1))
WORDS = {"LABEL", "USER", "ENV", "RUN", "COPY", "WORKDIR", "FROM", "ARG", "HEALTHCHECK", "ENTRYPOINT", "CMD"}

# The texts are short as they are drawn: looking for shorter ones takes minutes.
hostile = settings(
    max_examples=25,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
Make = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Probe]:
    """What loading the functions of the zoo showed."""
    zoo = Path(__file__).parent / "zoo"
    python = sys.executable
    found = {}
    for name in ("detector", "interactor"):
        request = ProbeRequest(
            python=python, module=None, file=zoo / f"{name}.py", parameters={}, directory=zoo, timeout=600,
            runtime_distributions=RUNTIME_OF_ANY,
        )  # fmt: skip
        found[name] = probe(request)
    return found


@pytest.fixture(scope="module")
def make(probes: dict[str, Probe], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """`make(options, kind=…, spec=…)` → the texts of a bundle's files; raises UserError where a text is refused."""
    folder = tmp_path_factory.mktemp("bundle")
    with pytest.MonkeyPatch.context() as patch:
        # What a package index knows of such texts is asked nowhere.
        patch.setattr("cvat_nuclio.generate.forms.resolve", lambda lines, **_: Closure(pins={}))

        def files(options: dict[str, Any], kind: str = "interactor", spec: Any = None, doc: str = "") -> dict[str, str]:
            found = attrs.evolve(probes[kind], doc=doc or probes[kind].doc)
            found = attrs.evolve(found, spec=spec) if spec else found
            patch.setattr(make_bundle, "probe", lambda request: found)
            zoo = Path(__file__).parent / "zoo"
            given = {
                "function-file": str(zoo / f"{kind}.py"),
                "name": "f",
                "bake": True,
                "prebuilt": "a/b:1",
                **options,
            }
            outcome = make_bundle.prepare(from_mapping(folder, given), timeout=1)
            kept = yaml.safe_load(option_file.text(given))
            assert kept == given
            read = {}
            for change in outcome.plan.changes:
                content = change.content
                read[change.path] = (content.read_bytes() if isinstance(content, Path) else content or b"").decode()
            return read

        yield files


def shape(files: dict[str, str]) -> dict[str, Any]:
    """What a reader of each language sees, less the texts themselves."""
    seen: dict[str, Any] = {}
    for path, text in files.items():
        if path.endswith(".yaml"):
            seen[path] = skeleton(yaml.safe_load(text))
        elif path.endswith(".py") and not path.endswith("func.py"):
            tree_ = ast.parse(text)
            seen[path] = [type(node).__name__ for node in ast.walk(tree_) if not isinstance(node, ast.Constant)]
        elif "Dockerfile" in path:
            lines = [line for line in text.splitlines() if not line.startswith("#")]
            assert {line.split(" ")[0] for line in lines if line} <= WORDS
            seen[path] = len(lines)
        elif "requirements" in path:
            check_requirements(text)
        elif path.endswith(".md"):
            tokens = MarkdownIt("commonmark").enable("table").parse(text)
            seen[path] = [token.type for token in tokens]
            assert not any(child.type == "html_inline" for token in tokens for child in token.children or [])
    return seen


@functools.cache
def plain_shape(make: Make, text: str, *more: Any) -> dict[str, Any]:
    """The same of a bundle with harmless texts: the options as JSON."""
    return shape(make(json.loads(text), *(json.loads(item) for item in more)))


def skeleton(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: len(item) if key == "nodeSelector" else skeleton(item) for key, item in value.items()}
    return [skeleton(item) for item in value] if isinstance(value, list) else type(value).__name__


def check_requirements(text: str) -> None:
    for line in text.splitlines():
        if line and not line.startswith(("#", "--extra-index-url ")):
            Requirement(line.partition(" #")[0])
        assert not line.startswith("--extra-index-url ") or len(line.split()) == 2


PLAIN: dict[str, Any] = {
    "display_name": "Name", "description": "Words.", "help_message": "Click", "image_pull_secret": "secret",
    "base_image": "a/b", "gpu_base_image": "a/b", "prebuilt": "a/b", "cpu_index_url": "https://example.org",
    "apt": ["git"], "toleration": ["a=b"], "requirements": None, "python": "python3", "add": None,
    "ingress_host": "a.example", "nuclio_version": "1.16.3", "weights": {"A": "b@1"}, "affinity": None,
    "function_module": None, "function_file": None, "working_directory": None, "skeleton_edge": None,
}  # fmt: skip


@pytest.mark.parametrize("field", [field.name for _, field in option_fields() if kind_of(field).check])
@hostile
@given(text=TEXTS)
def test_a_text_is_refused_or_stands_for_itself(make: Make, field: str, text: str) -> None:
    # What is there is taken along, whatever it holds: `..` is the folder of all other tests.
    assume(field != "add" or set(text.partition("=")[0]) - set("./~ "))
    key = field.replace("_", "-")
    plain: Any = PLAIN.get(field, {"A": "b"})
    value: Any = {"A": text} if isinstance(plain, dict) else [text] if field in LISTS else text
    try:
        files = make({key: value})
    except UserError as error:
        str(error).encode()
        return
    seen = shape(files)
    if field not in ("add", "requirements", "toleration"):
        assert seen == plain_shape(make, json.dumps({key: plain} if plain is not None else {}))
    config = yaml.safe_load(files["nuclio/function.yaml"])
    standing = json.dumps(config, ensure_ascii=False)
    if field in ("help_message", "image_pull_secret", "env", "node_selector", "base_image") and text.strip():
        assert json.dumps(text, ensure_ascii=False)[1:-1] in standing


@hostile
@given(name=TEXTS, value=TEXTS)
def test_names_of_variables_and_parameters_are_refused_or_stand_for_themselves(
    make: Make, name: str, value: str
) -> None:
    for key in ("env", "function-parameters", "node-selector"):
        try:
            files = make({key: {name: f"str:{value}"}})
        except UserError:
            continue
        assert shape(files) == plain_shape(make, json.dumps({key: {"A": "str:b"}}))


@hostile
@given(label=TEXTS, sublabel=TEXTS, attribute=TEXTS, value=TEXTS, doc=TEXTS)
def test_names_of_a_spec_stand_for_themselves(
    make: Make, label: str, sublabel: str, attribute: str, value: str, doc: str
) -> None:
    def spec(label: str, sublabel: str, attribute: str, value: str) -> dict[str, Any]:
        attributes = [{"name": attribute, "input_type": "select", "values": [value], "default": value}]
        points = [{"id": 3, "name": sublabel, "type": "points", "attributes": [], "sublabels": []}]
        return {
            "labels": [
                {"id": 1, "name": label, "type": "rectangle", "attributes": attributes, "sublabels": []},
                {"id": 2, "name": label + "2", "type": "skeleton", "attributes": [], "sublabels": points},
            ]
        }

    try:
        files = make({}, "detector", spec(label, sublabel, attribute, value), doc)
    except UserError:
        return
    plain = json.dumps(spec("a", "b", "c", "d"))
    assert shape(files) == plain_shape(make, "{}", '"detector"', plain, '"Words."')
    annotations = yaml.safe_load(files["nuclio/function.yaml"])["metadata"]["annotations"]
    one, two = json.loads(annotations["spec"])
    assert (one["name"], two["name"], two["sublabels"][0]["name"]) == (label, label + "2", sublabel)
    assert (one["attributes"][0]["name"], one["attributes"][0]["values"]) == (attribute, [value])
    assert "'" not in annotations["spec"]
    cells = [token.children for token in MarkdownIt("commonmark").enable("table").parse(files["nuclio/README.md"])
             if token.type == "inline"]  # fmt: skip
    shown = ["".join(child.content for child in children or []) for children in cells]
    assert " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", " ", label).split()) in shown


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"display-name": "two\nlines"}, "--display-name 'two\\nlines' has a line break"),
        ({"apt": ["git; rm -rf /"]}, "--apt 'git; rm -rf /' is not a Debian package"),
        ({"apt": ["git-"]}, "is not a Debian package"),
        ({"base-image": "a\nRUN x"}, "--base-image 'a\\nRUN x' is not an image"),
        ({"cpu-index-url": "https://a/ --index-url b"}, "is not an address"),
        ({"function-file": None, "function-module": "a; b"}, "is no module"),
        ({"workers": 10**30}, "not a whole number"),
        ({"max-body": "9" * 400}, "no size"),
        ({"memory": "9" * 400}, "not a quantity"),
        ({"requirements": "x" * 300}, "too long for a path"),
        ({"env": {"A": "a\nb"}}, "--env 'a\\nb' has a line break"),
    ],
)
def test_what_is_refused_says_why(make: Make, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError) as caught:
        make(options)
    assert words in str(caught.value)


@pytest.mark.parametrize("package", ["g++", "libstdc++6", "libgl1=1.7.0-1+b2", "libc6:amd64"])
def test_debian_s_names_are_taken(make: Make, package: str) -> None:
    assert package in make({"apt": [package]})["nuclio/Dockerfile"]


def test_help_of_two_lines_reaches_cvat(make: Make) -> None:
    config = yaml.safe_load(make({"help-message": "one\ntwo"})["nuclio/function.yaml"])
    assert config["metadata"]["annotations"]["help_message"] == "one\ntwo"


def test_sums_name_every_file_again(make: Make, tmp_path: Path) -> None:
    plan = tree.plan(tmp_path, dict.fromkeys(make({}), b"x"))
    plan.write(force=False)
    assert set(tree.read_sums(tmp_path / tree.SUMS)) == {change.path for change in plan.changes}
