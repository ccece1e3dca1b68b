"""CN630, CN631, CN635: the form in which CVAT's request arrives, and the environment that a handler counts on."""

import ast
import re
from collections.abc import Iterator

from ..bundle import Module
from ..rule import ERROR, WARNING, Fault, rule
from ..source import certain, own_nodes, place, resolved
from .cvat_calls import bodies, is_body

# What a container, Nuclio, CUDA's images or Python's set, or what a program may do without.
_GIVEN = re.compile(
    r"PATH|HOME|HOSTNAME|PWD|LANG|LC_\w+|TERM|USER|SHELL|NUCLIO_\w+|PYTHON\w*|CUDA_\w+|NVIDIA_\w+|LD_\w+"
)


@rule(
    "CN630", "body-decoded-twice", ERROR, cvat=True,
    source="nuclio_sdk.Event: JSON of the type application/json is decoded; CVAT: requests.post(json=…)",
    remedy="write `data = event.body`: it is a dict already",
)  # fmt: skip
def body_decoded_twice(module: Module) -> Iterator[Fault]:
    """The handler decodes the body, which is a dict when CVAT calls: TypeError or AttributeError in every request.

    A call by curl without the header Content-Type hides it: then the body is bytes.
    """
    for node in _unguarded(module):
        decoded: ast.expr | None = None
        if isinstance(node, ast.Call) and module.full_name(node.func) == "json.loads" and node.args:
            decoded = node.args[0]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "decode":
            decoded = node.func.value
        if decoded is not None and _is_event_body(module, decoded):
            yield Fault(f"{ast.unparse(decoded)} is a dict when CVAT calls", place(node))


def _unguarded(module: Module) -> Iterator[ast.AST]:
    """What runs in every request, outside of a `try` that goes on with the body as it is."""
    handler = module.handler
    tries = [node for node in own_nodes(handler) if isinstance(node, ast.Try) and _goes_on(node)]
    guarded = {id(inner) for node in tries for part in node.body for inner in ast.walk(part)}
    yield from (node for node in certain(handler.body if handler else []) if id(node) not in guarded)


def _goes_on(node: ast.Try) -> bool:
    """Whether an exception leads to more than an answer that says so."""
    ends = all(isinstance(item.body[-1], (ast.Return, ast.Raise)) for item in node.handlers)
    inside = [inner for item in node.handlers for inner in ast.walk(item)]
    return not ends or any(isinstance(inner, ast.Attribute) and inner.attr == "body" for inner in inside)


def _is_event_body(module: Module, node: ast.expr) -> bool:
    """`event.body`, or the one name that the handler gives it."""
    if module.handler:
        node = resolved(module.handler, node) or node
    return isinstance(node, ast.Attribute) and is_body(module, node, set())


@rule(
    "CN631", "data-url", ERROR, cvat=True,
    source="CVAT: lambda_manager sends base64.b64encode(picture), no data URL",
    remedy='write `base64.b64decode(data["image"])`',
)  # fmt: skip
def data_url(module: Module) -> Iterator[Fault]:
    """The handler cuts the head of a data URL off the picture; CVAT sends none: IndexError in every request."""
    names = bodies(module, module.handler) if module.handler else set()
    for node in _unguarded(module):
        if not isinstance(node, ast.Subscript) or ast.unparse(node.slice) != "1":
            continue
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "split":
            picture = call.func.value
            by = call.args[0] if call.args else None
            comma = isinstance(by, ast.Constant) and isinstance(by.value, str) and by.value.endswith(",")
            if comma and isinstance(picture, ast.Subscript) and is_body(module, picture.value, names):
                yield Fault("CVAT sends base64 alone, without `data:image/…;base64,`", place(node))


@rule(
    "CN635", "unset-variable", WARNING, cvat=True,
    source="Docker: a container has the image's and the function's own variables",
    remedy="set it: spec.env, or `kind: ENV` in preCopy; or ask with os.environ.get",
)  # fmt: skip
def unset_variable(module: Module) -> Iterator[Fault]:
    """The code reads a variable of the environment that neither the function nor its image sets: KeyError."""
    bundle = module.bundle
    if not bundle.builds or not bundle.image.is_plain or bundle.spec.get("envFrom"):
        return
    given = {str(item.get("name", "")) for item in bundle.spec.get("env") or []}

    def is_set(name: str) -> bool:
        return name in given or name in bundle.steps or _GIVEN.fullmatch(name) is not None

    for node in module.nodes:
        if not isinstance(node, ast.Subscript) or module.full_name(node.value) != "os.environ":
            continue
        name = node.slice.value if isinstance(node.slice, ast.Constant) else None
        # Who sets it, or asks for it first, names it twice.
        once = sum(isinstance(other, ast.Constant) and other.value == name for other in module.nodes) == 1
        if (
            isinstance(name, str)
            and once
            and name not in given
            and name not in bundle.steps
            and not _GIVEN.fullmatch(name)
        ):
            yield Fault(f"nothing sets {name}", place(node))
