"""Which methods the object has that cvat-cli's loader makes of an AA function's file, where the text decides it."""

import ast
from collections.abc import Iterable

from .source import FunctionNode, PythonFile, own_nodes

Methods = dict[str, ast.AST | None]
# Bases and decorators that bring no method of the protocol.
_PLAIN = ("typing.", "abc.", "dataclasses.", "attrs.", "attr.", "enum.", "object", "Protocol", "ABC", "final")
# Calls that may give names to a module or an object behind the reader's back.
_DYNAMIC = {"setattr", "globals", "locals", "vars", "exec", "eval", "type", "__import__"}


def methods_of(file: PythonFile) -> Methods | None:
    """The object's names, each with its plain `def` or None; None where only running it would tell."""
    dynamic = any(name.rpartition(".")[2] in _DYNAMIC for _, name in file.calls)
    attributes = {node.attr for node in file.nodes if isinstance(node, ast.Attribute)}
    if dynamic or "__dict__" in attributes or {"*", "__getattr__"} & set(file.names):
        return None
    if "create" not in file.names:
        return {name: _plain(node) for name, node in file.names.items()}
    made = _class_made(file, file.names["create"])
    return _of_class(file, made) if made else None


def _class_made(file: PythonFile, create: ast.AST) -> ast.ClassDef | None:
    """The class of what `create` returns."""
    if isinstance(create, ast.ClassDef):
        return create
    if isinstance(create, ast.Assign):
        return _class_named(file.names, create.value)
    if not isinstance(create, FunctionNode) or create.decorator_list:
        return None
    inside = {node.name: node for node in own_nodes(create) if isinstance(node, ast.ClassDef)}
    known: dict[str, ast.AST] = {**file.names, **inside}
    returned = [node.value for node in own_nodes(create) if isinstance(node, ast.Return)]
    made = {_class_named(known, _assigned_once(create, value)) for value in returned}
    return made.pop() if len(made) == 1 else None


def _assigned_once(function: FunctionNode, node: ast.expr | None) -> ast.expr | None:
    """What a call makes, behind a name that the function gives it."""
    if isinstance(node, ast.Name):
        stores = [
            item for item in own_nodes(function)
            if isinstance(item, ast.Assign) and any(isinstance(t, ast.Name) and t.id == node.id for t in item.targets)
        ]  # fmt: skip
        node = stores[0].value if len(stores) == 1 else None
    return node.func if isinstance(node, ast.Call) else None


def _class_named(known: dict[str, ast.AST], node: ast.expr | None) -> ast.ClassDef | None:
    found = known.get(node.id) if isinstance(node, ast.Name) else None
    return found if isinstance(found, ast.ClassDef) else None


def _of_class(file: PythonFile, node: ast.ClassDef) -> Methods | None:
    found: Methods = {}
    for base in node.bases:
        inherited = _class_named(file.names, base)
        inner = _of_class(file, inherited) if inherited and inherited is not node else None
        if inner is None and not _is_plain(file, base):
            return None
        found |= inner or {}
    if not all(_is_plain(file, item) for item in node.decorator_list):
        return None
    for item in node.body:
        found |= dict.fromkeys(_stored([item]), None)
        if isinstance(item, (FunctionNode, ast.ClassDef)):
            found[item.name] = _plain(item)
            on_self = {store.attr for store in _stores(ast.walk(item)) if isinstance(store, ast.Attribute)}
            found |= {name: None for name in on_self if name not in found or name == item.name}
    # A class body with branches, and attributes that are looked up by code, are beyond reading.
    plain = (FunctionNode, ast.Assign, ast.AnnAssign, ast.Expr, ast.Pass, ast.ClassDef)
    whole = all(isinstance(item, plain) for item in node.body)
    return found if whole and not {"__getattr__", "__getattribute__"} & set(found) else None


def _plain(node: ast.AST) -> ast.AST | None:
    return node if isinstance(node, FunctionNode) and not node.decorator_list else None


def _is_plain(file: PythonFile, node: ast.expr) -> bool:
    bare = node.func if isinstance(node, ast.Call) else node.value if isinstance(node, ast.Subscript) else node
    return file.full_name(bare).startswith(_PLAIN)


def _stored(items: Iterable[ast.AST]) -> set[str]:
    targets = [target for item in items if isinstance(item, (ast.Assign, ast.AnnAssign)) for target in ast.walk(item)]
    return {node.id for node in targets if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _stores(nodes: Iterable[ast.AST]) -> Iterable[ast.AST]:
    return (node for node in nodes if isinstance(getattr(node, "ctx", None), ast.Store))
