"""CN618 to CN620, CN636: what the handler expects of CVAT's request, and what CVAT expects of its answer."""

import ast
from collections.abc import Iterator

from ...limits import SAM_NAME
from ..bundle import Module
from ..rule import ERROR, Fault, rule
from ..source import FunctionNode, argument, assignments, certain, own_nodes, place, resolved
from .python_handler import body_of, is_list, responses

# What CVAT always sends to each kind; the others it leaves out when they are empty.
_SENT = {
    "detector": {"image"},
    "interactor": {"image", "pos_points", "neg_points", "obj_bbox"},
    "tracker": {"image", "shapes", "states"},
    "reid": {"image0", "image1", "boxes0", "boxes1"},
}
_MAYBE = {"threshold": "0.5", "max_distance": "50"}
_KNOWN = set().union(*_SENT.values(), _MAYBE)


@rule(
    "CN618", "interactor-answer", ERROR, cvat=True,
    source="CVAT: cvat-ui's interactor tools read `shapes` or `mask`; cvat-ui/plugins/sam decodes `blob` for one id; "
    "cvat#8086, #8365, #8384",
    remedy='answer {"mask": [[0, 255, …], …]} of the image\'s size, or '
    '{"shapes": [{"type": "polygon", "points": […]}]}',
)  # fmt: skip
def interactor_answer(module: Module) -> Iterator[Fault]:
    """An interactor answers what CVAT's page does not read: a list, as detectors do, or the `blob` of CVAT's own SAM.

    Only CVAT's plugin for the id pth-facebookresearch-sam-vit-h decodes a `blob`.
    """
    old = module.bundle.annotations.get("version", "1").strip() in ("0", "1")
    if module.bundle.kind != "interactor" or module.bundle.name == SAM_NAME or module.handler is None:
        return
    for call in responses(module.handler):
        answer = _encoded(module, module.handler, body_of(call))
        if answer is None:
            continue
        keys = _keys(module.handler, answer)
        if is_list(answer, module.handler) and ast.unparse(answer) != "[]" and not old:
            yield Fault("an interactor answers an object with shapes or mask, not a list", place(call))
        elif keys is not None and "blob" in keys and not keys & {"mask", "shapes"}:
            yield Fault(f"only CVAT's plugin for {SAM_NAME} reads `blob`", place(call))


@rule(
    "CN636", "detector-answer", ERROR, cvat=True,
    source="CVAT: lambda_manager goes through the answer item by item: a key is no item",
    remedy='answer the list itself: [{"label": …, "type": …, "points": […]}, …]',
)  # fmt: skip
def detector_answer(module: Module) -> Iterator[Fault]:
    """A detector answers an object; CVAT wants the list of items, and shows a 500."""
    handler = module.handler if module.bundle.kind == "detector" else None
    for call in responses(handler) if handler else ():
        status = argument(call, "status_code", 3)
        keys = _keys(handler, _encoded(module, handler, body_of(call))) if handler else None
        fails = isinstance(status, ast.Constant) and status.value != 200
        if keys and not fails and not keys & {"error", "message", "detail"}:
            yield Fault(f"a detector answers a list, not an object with {', '.join(sorted(keys))}", place(call))


def _encoded(module: Module, handler: FunctionNode, body: ast.expr | None) -> ast.expr | None:
    """What `json.dumps` is given; a name stands for the one value that the handler gives it."""
    body = resolved(handler, body)
    if isinstance(body, ast.Call) and module.full_name(body.func).endswith("json.dumps") and body.args:
        return body.args[0]
    return body if isinstance(body, (ast.Dict, ast.List)) else None


def _keys(function: FunctionNode, answer: ast.expr | None) -> set[str] | None:
    """The keys of an answer that is a dict with keys to be read, those that are added later included."""
    added: set[str] = set()
    if isinstance(answer, ast.Name):
        name = answer.id
        for node in own_nodes(function):
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == name:
                if not isinstance(node.slice, ast.Constant):
                    return None
                added.add(str(node.slice.value))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name:
                return None
        answer = resolved(function, answer)
    if isinstance(answer, ast.Call) and ast.unparse(answer.func) == "dict" and not answer.args:
        names = {keyword.arg for keyword in answer.keywords}
        return None if None in names else added | {str(name) for name in names}
    if not isinstance(answer, ast.Dict) or not all(isinstance(key, ast.Constant) for key in answer.keys):
        return None
    return added | {str(key.value) for key in answer.keys if isinstance(key, ast.Constant)}


@rule(
    "CN619", "absent-field", ERROR, cvat=True,
    source="CVAT: lambda_manager's LambdaFunction.invoke; `threshold` is sent only where the user gave one; cvat#6077",
    remedy="read only what CVAT sends to this kind of function",
)  # fmt: skip
def absent_field(module: Module) -> Iterator[Fault]:
    """The handler reads a field that CVAT does not send, or not always: KeyError, and CVAT shows a 500.

    A detector gets `image`; an interactor `image`, `pos_points`, `neg_points` and `obj_bbox`; a tracker `image`,
    `shapes` and `states`; a ReID function `image0`, `image1`, `boxes0` and `boxes1`. `threshold` is there only where
    the user gave one.
    """
    sent = _SENT.get(module.bundle.kind)
    handler = module.handler
    if sent is None or handler is None:
        return
    own = bodies(module, handler)
    tested = _tested(handler)
    for node in certain(handler.body):
        owner, key = _read(node)
        name = key.value if isinstance(key, ast.Constant) else None
        if owner is None or not is_body(module, owner, own) or name not in _KNOWN - sent or name in tested:
            continue
        if default := _MAYBE.get(str(name)):
            remedy = f'write `{ast.unparse(owner)}.get("{name}", {default})`'
            yield Fault(f"{name} is not sent where the user gave none", place(node), remedy=remedy)
        else:
            remedy = f"a {module.bundle.kind} gets {', '.join(sorted(sent))}, and threshold where the user gave one"
            yield Fault(f"CVAT sends a {module.bundle.kind} no {name}", place(node), remedy=remedy)


def _read(node: ast.AST) -> tuple[ast.expr | None, ast.expr | None]:
    """What `x[key]` and `x.pop(key)` read of, and the key."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        return node.value, node.slice
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "pop":
        return (node.func.value, node.args[0]) if len(node.args) == 1 else (None, None)
    return None, None


def bodies(module: Module, handler: FunctionNode) -> set[str]:
    """The names that the handler gives to the request's body."""
    names: set[str] = set()
    others: set[str] = set()
    for name, value in assignments(own_nodes(handler)):
        (names if is_body(module, value, names) else others).add(name)
    return names - others


def is_body(module: Module, node: ast.expr | None, names: set[str]) -> bool:
    """Whether an expression is the request's body: `event.body`, what JSON it holds, or a name for it."""
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, ast.Attribute):
        parameters = [item.arg for item in module.handler.args.args] if module.handler else []
        return node.attr == "body" and isinstance(node.value, ast.Name) and node.value.id in parameters[1:2]
    if isinstance(node, ast.IfExp):
        return is_body(module, node.body, names) and is_body(module, node.orelse, names)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "decode":
        return is_body(module, node.func.value, names)
    if isinstance(node, ast.Call) and node.args:
        return module.full_name(node.func) == "json.loads" and is_body(module, node.args[0], names)
    return False


def _tested(handler: FunctionNode) -> set[object]:
    """The fields that the handler asks for first, puts there itself, or does without."""
    found: set[object] = set()
    for node in ast.walk(handler):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Constant):
            found.add(node.left.value)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            found |= _constants(node.slice)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setdefault":
            found |= _constants(*node.args[:1])
        elif isinstance(node, ast.Try):
            # One that catches everything hides a missing field from nobody.
            caught = [ast.unparse(item.type) for item in node.handlers if item.type]
            if any("KeyError" in name or "LookupError" in name for name in caught):
                found |= _constants(*(inner for item in node.body for inner in ast.walk(item)))
    return found


def _constants(*nodes: ast.AST) -> set[object]:
    return {node.value for node in nodes if isinstance(node, ast.Constant)}


@rule(
    "CN620", "user-data-unset", ERROR, cvat=True,
    source="Nuclio: context.user_data is an empty object that only the function's own code fills",
    remedy="set it in init_context",
)  # fmt: skip
def user_data_unset(module: Module) -> Iterator[Fault]:
    """The handler reads an attribute of `context.user_data` that nothing sets: AttributeError in every request."""
    if not module.is_handlers or module.handler is None:
        return
    used = [node for node in own_nodes(module.handler) if _of_user_data(node) and isinstance(node.ctx, ast.Load)]  # type: ignore[attr-defined]
    if not used or (given := _set_on_user_data(module)) is None:
        return
    for node in used:
        if isinstance(node, ast.Attribute) and node.attr not in given:
            close = f"; what is set: {', '.join(sorted(given))}" if given else ""
            remedy = f"set `context.user_data.{node.attr}` in init_context{close}"
            yield Fault(f"nothing sets user_data.{node.attr}", place(node), remedy=remedy)


def _of_user_data(node: ast.AST) -> bool:
    """`….user_data.NAME`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "user_data"


def _set_on_user_data(module: Module) -> set[str] | None:
    """The names that the bundle's modules set or ask for there; None where other code may set more."""
    found: set[str] = set()
    for own in module.bundle.modules.values():
        if own.error:
            return None
        for node in own.nodes:
            if _of_user_data(node) and not isinstance(node.ctx, ast.Load):  # type: ignore[attr-defined]
                found.add(node.attr)  # type: ignore[attr-defined]
            elif isinstance(node, ast.Call):
                named = own.full_name(node.func)
                passed = [value for value in [*node.args, *(k.value for k in node.keywords)] if _is_context(value)]
                if named in ("setattr", "hasattr", "getattr") and passed:
                    constant = node.args[1] if len(node.args) > 1 else None
                    if not isinstance(constant, ast.Constant):
                        return None
                    found.add(str(constant.value))
                elif passed and not _is_own(own, named):
                    return None
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                # `context.user_data = …` and `data = context.user_data` lead out of sight.
                if any(_is_user_data(target) for target in targets) or (node.value and _is_context(node.value)):
                    return None
    return found


def _is_user_data(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "user_data"


def _is_context(node: ast.AST) -> bool:
    """The context, or its `user_data`, as a value that is passed on."""
    return _is_user_data(node) or (isinstance(node, ast.Name) and node.id == "context")


def _is_own(module: Module, name: str) -> bool:
    """Whether a function is one of the bundle's own, which are read too."""
    if name in module.names and name not in module.imports:
        return True
    return any(name.startswith(f"{other}.") for other in module.bundle.modules)
