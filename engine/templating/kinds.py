"""What is known of values before a template runs: which fields a part of the message has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, fields

from jinja2 import nodes

from engine.templating.environment import METHODS
from engine.templating.views import AddressView, AttachmentView


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: its name, the fields that it has, and what it lists."""

    title: str
    fields: frozenset[str]
    items: Kind | None = None


TEXT = Kind("a text", METHODS)
ADDRESS = Kind("an address", frozenset(field.name for field in fields(AddressView)))
ATTACHMENT = Kind("an attachment", frozenset(field.name for field in fields(AttachmentView)))
ADDRESSES = Kind("a list of addresses", frozenset(), ADDRESS)
ATTACHMENTS = Kind("a list of attachments", frozenset(), ATTACHMENT)
ITEM = Kind("an item of a summary", frozenset())
"""Its fields are what the rule gives it."""
ITEMS = Kind("a list of items", frozenset(), ITEM)
PART_KINDS: Mapping[str, Kind] = {
    "subject": TEXT,
    "from": ADDRESS,
    "to": ADDRESSES,
    "cc": ADDRESSES,
    "text": TEXT,
    "attachments": ATTACHMENTS,
}
ONE_OF, SAME_AS = frozenset({"first", "last"}), frozenset({"list", "reverse"})
FREE = frozenset({"captures", "steps", "payload"})
"""Whose fields may be called anything."""


def key_of(node: nodes.Node) -> str:
    """Give the key of `x.key` and `x['key']`, "" for anything else."""
    if isinstance(node, nodes.Getattr):
        return node.attr
    key = node.arg.value if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) else ""
    return key if isinstance(key, str) else ""


def is_private(node: nodes.Getattr | nodes.Getitem, key: str) -> bool:
    """Whether a key names something of Python's, where no data can be called so."""
    owner = node.node
    if isinstance(owner, nodes.Getattr | nodes.Getitem) and key_of(owner) == "headers":
        return False
    while isinstance(owner, nodes.Getattr | nodes.Getitem) and not key.startswith("__"):
        owner = owner.node
    free = isinstance(owner, nodes.Name) and owner.name in FREE
    return key.startswith("__") or (key.startswith("_") and not free)


class Kinds:
    """The kinds of a template's expressions; `given` are names that it does not define alone."""

    def __init__(
        self, tree: Iterable[nodes.Node], given: Set[str], known: Mapping[str, Kind] | None = None
    ) -> None:
        self._sources: dict[str, list[tuple[nodes.Node, bool]]] = {}
        self._known: dict[str, Kind | None] = {**dict.fromkeys(given), **(known or {})}
        for node in tree:
            if isinstance(node, nodes.For | nodes.Assign):
                loops = isinstance(node, nodes.For)
                source = node.iter if isinstance(node, nodes.For) else node.node
                if isinstance(node.target, nodes.Name):
                    self._sources.setdefault(node.target.name, []).append((source, loops))
                else:  # several at once
                    self._known |= dict.fromkeys(name.name for name in node.target.find_all(nodes.Name))

    def of(self, node: nodes.Node) -> Kind | None:
        """Give the kind of an expression, None where it cannot be told."""
        if isinstance(node, nodes.Name):
            return self._of_name(node.name)
        if isinstance(node, nodes.Concat) or (isinstance(node, nodes.Const) and isinstance(node.value, str)):
            return TEXT
        if isinstance(node, nodes.Filter) and node.node is not None and node.name in ONE_OF | SAME_AS:
            kind = self.of(node.node)
            return kind.items if kind and node.name in ONE_OF else kind
        return self._of_field(node) if isinstance(node, nodes.Getattr | nodes.Getitem) else None

    def _of_field(self, node: nodes.Getattr | nodes.Getitem) -> Kind | None:
        key = key_of(node)
        if isinstance(node.node, nodes.Name) and node.node.name == "message":
            return PART_KINDS.get(key)
        if isinstance(node.node, nodes.Name) and node.node.name == "inputs":
            return self._known.get(key)
        kind = self.of(node.node)
        if key:
            return TEXT if kind in (ADDRESS, ATTACHMENT) and key != "size" else None
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
            return kind
        return kind.items if kind else None

    def _of_name(self, name: str) -> Kind | None:
        if name not in self._known:
            self._known[name] = None  # while it is asked for: a name may be set from itself
            found = {self._of_source(*source) for source in self._sources.get(name, [])}
            self._known[name] = found.pop() if len(found) == 1 else None
        return self._known[name]

    def _of_source(self, node: nodes.Node, loops: bool) -> Kind | None:
        kind = self.of(node)
        return kind.items if kind and loops else None if loops else kind
