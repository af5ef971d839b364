"""The part of Jinja's language that templates may use, checked when a template is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from difflib import get_close_matches

from jinja2 import nodes

from engine.templating.environment import METHODS, TESTS, Sandbox
from engine.templating.kinds import ITEM, ITEMS, Kinds, is_private, key_of
from engine.templating.limits import LimitError
from engine.templating.views import PARTS

ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.Name,
    nodes.Const, nodes.List, nodes.Tuple, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Call,
    nodes.Keyword, nodes.Filter, nodes.Test, nodes.CondExpr, nodes.Concat, nodes.Compare, nodes.Operand,
    nodes.BinExpr, nodes.UnaryExpr,
)  # fmt: skip
GIVEN = frozenset({"captures", "steps", "payload"})
"""What else a rule or a call brings, beside inputs."""
RESERVED = GIVEN | {"message", "inputs", "images", "mailbox", "now", "loop", "range"}
MAX_DEPTH = 60
MAX_NODES = 5_000
"""Expressions and statements of one template; compiling takes some 30 microseconds for each."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one node; `word` is what to point at in the line."""

    line: int
    word: str
    message: str


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that a piece may use, and those that may follow `inputs.` and `images.`."""

    names: Set[str]
    inputs: Set[str] = frozenset()
    images: Set[str] = frozenset()


def faults(tree: nodes.Template, scope: Scope, sandbox: Sandbox) -> Iterator[Fault]:
    """Find everything that a template may not say."""
    known = scope.names | _assigned(tree) | {"range", "loop"}
    kinds = Kinds((node for node, _ in _walk(tree)), scope.names)
    for node, parent in _walk(tree):
        yield from _construct(node)
        yield from _member(node, kinds)
        yield from _name(node, parent, known)
        yield from _field(node, scope)
        yield from _component(node, sandbox)


def parts_read(tree: nodes.Template) -> frozenset[str]:
    """Name the parts of `message` that a template reads on any path."""
    return frozenset(key for node, _ in _walk(tree) for owner, key in [_access(node)] if owner == "message")


def names_read(tree: nodes.Template) -> frozenset[str]:
    """Name every variable that a template reads."""
    return frozenset(
        node.name for node, _ in _walk(tree) if isinstance(node, nodes.Name) and node.ctx == "load"
    )


def captures_read(tree: nodes.Template) -> Mapping[str, bool]:
    """Name the captures that a template reads, and whether it copes with the absence of each."""
    return _fields_read(tree, lambda node: isinstance(node, nodes.Name) and node.name == "captures")


def item_fields_read(tree: nodes.Template) -> Mapping[str, bool]:
    """Name what a template reads of each of `items`, and whether it copes with the absence of each."""
    kinds = Kinds((node for node, _ in _walk(tree)), frozenset(), {"items": ITEMS})
    return _fields_read(tree, lambda node: kinds.of(node) is ITEM)


def _fields_read(tree: nodes.Template, is_owner: Callable[[nodes.Node], bool]) -> Mapping[str, bool]:
    found: dict[str, bool] = {}
    todo: list[tuple[nodes.Node, frozenset[str]]] = [(tree, frozenset())]
    while todo:
        node, coped = todo.pop()
        if (key := key_of(node)) and isinstance(node, nodes.Getattr | nodes.Getitem) and is_owner(node.node):
            found[key] = found.get(key, True) and key in coped
        todo += [(child, coped | _coped(node, child)) for child in node.iter_child_nodes()]
    return found


def _coped(node: nodes.Node, child: nodes.Node) -> frozenset[str]:
    """Fields that are asked for first: by `default`, `is defined`, `if captures.x is defined`."""
    if isinstance(node, nodes.Filter) and node.name in ("default", "d") and child is node.node:
        return frozenset({_access(child)[1]})
    if isinstance(node, nodes.Test) and node.name in ("defined", "undefined"):
        return frozenset({_access(child)[1]})
    if not isinstance(node, nodes.If | nodes.CondExpr) or child is node.test:
        return frozenset()
    tests = [node.test, *node.test.find_all(nodes.Test)]
    return frozenset(
        _access(test.node)[1] for test in tests if isinstance(test, nodes.Test) and test.name == "defined"
    )


def _walk(tree: nodes.Template) -> Iterator[tuple[nodes.Node, nodes.Node]]:
    todo: list[tuple[nodes.Node, nodes.Node, int]] = [(tree, tree, 0)]
    number = 0
    while todo:
        node, parent, depth = todo.pop()
        number += 1
        if number > MAX_NODES:
            raise LimitError(f"a template holds at most {MAX_NODES:,} expressions and statements")
        if depth > MAX_DEPTH:
            raise RecursionError
        yield node, parent
        todo += [(child, node, depth + 1) for child in node.iter_child_nodes()]


def _assigned(tree: nodes.Template) -> Set[str]:
    return {node.name for node, _ in _walk(tree) if isinstance(node, nodes.Name) and node.ctx != "load"}


def _access(node: nodes.Node) -> tuple[str, str]:
    """Give owner and key of `owner.key` and `owner['key']`; ("", "") for anything else."""
    if isinstance(node, nodes.Getattr | nodes.Getitem) and isinstance(node.node, nodes.Name):
        key = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
        return (node.node.name, key) if isinstance(key, str) else ("", "")
    return "", ""


def _construct(node: nodes.Node) -> Iterator[Fault]:
    def fault(message: str, word: str = "") -> Fault:
        return Fault(node.lineno or 1, word or type(node).__name__.lower(), message)

    if not isinstance(node, ALLOWED):
        yield fault(f"{type(node).__name__.lower()} is not available in templates")
    elif isinstance(node, nodes.For) and node.recursive:
        yield fault("recursive loops are not available in templates", "recursive")
    elif isinstance(node, nodes.List | nodes.Tuple) and not _flat(node):
        yield fault("a list may hold plain values only, no names and no lists", "[")
    elif isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Const | nodes.Slice):
        yield fault("only a literal may stand in square brackets", "[")
    elif isinstance(node, nodes.Call) and not _callable(node):
        yield fault(f"only `range`, `loop.cycle` and {_listed(METHODS)} can be called", "(")


def _flat(node: nodes.List | nodes.Tuple) -> bool:
    target = isinstance(node, nodes.Tuple) and node.ctx != "load"
    return target or all(isinstance(item, nodes.Const) for item in node.items)


def _callable(node: nodes.Call) -> bool:
    if isinstance(node.node, nodes.Name):
        return node.node.name == "range"
    if not isinstance(node.node, nodes.Getattr):
        return False
    return node.node.attr in METHODS or _access(node.node) == ("loop", "cycle")


def _name(node: nodes.Node, parent: nodes.Node, known: Set[str]) -> Iterator[Fault]:
    if not isinstance(node, nodes.Name):
        return
    if node.ctx != "load" and node.name in RESERVED:
        yield Fault(node.lineno, node.name, f"'{node.name}' is taken: choose another name")
    elif node.name not in known:
        yield Fault(node.lineno, node.name, unknown("name", node.name, known))
    elif node.name == "message" and (_access(parent)[0] != "message"):
        yield Fault(
            node.lineno, "message", f"'message' must be followed by one of its parts: {_listed(PARTS.keys())}"
        )


def _field(node: nodes.Node, scope: Scope) -> Iterator[Fault]:
    owner, key = _access(node)
    if owner == "message" and key not in PARTS:
        yield Fault(node.lineno, key, unknown("part of the message", key, PARTS.keys()))
    elif owner == "inputs" and key not in scope.inputs:
        yield Fault(node.lineno, key, unknown("input", key, scope.inputs))
    elif owner == "images" and key not in scope.images:
        yield Fault(node.lineno, key, unknown("image", key, scope.images))


def _member(node: nodes.Node, kinds: Kinds) -> Iterator[Fault]:
    """Find what reaches for a field that a value cannot have."""
    key = key_of(node)
    if not key or not isinstance(node, nodes.Getattr | nodes.Getitem) or _access(node)[0] == "message":
        return
    kind = kinds.of(node.node)
    if is_private(node, key):
        yield Fault(node.lineno, key, f"'{key}' is not available in templates")
    elif kind and key not in kind.fields:
        yield Fault(node.lineno, key, unknown(f"field of {kind.title}", key, kind.fields))


def _component(node: nodes.Node, sandbox: Sandbox) -> Iterator[Fault]:
    if isinstance(node, nodes.Filter) and node.name not in sandbox.filters:
        yield Fault(node.lineno, node.name, unknown("filter", node.name, sandbox.filters.keys()))
    elif isinstance(node, nodes.Test) and node.name not in TESTS:
        yield Fault(node.lineno, node.name, unknown("test", node.name, TESTS))


def unknown(kind: str, name: str, known: Set[str]) -> str:
    """Say that a name is not known, with its nearest neighbour."""
    near = get_close_matches(name, sorted(known), n=1)
    return f"unknown {kind} '{name}'" + (f"; did you mean '{near[0]}'?" if near else "")


def _listed(names: Set[str]) -> str:
    return ", ".join(sorted(names))
