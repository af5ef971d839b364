"""Rules as YAML of one form: what fits on a line stands in braces, everything else in blocks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

WIDTH = 100
"""Characters of a line within which a map or a list stands in braces."""
SPREAD = frozenset({"rules", "then", "all", "any", "none", "group", "id"})
"""Keys whose value is written below them, however short it is, unless it is a single short item."""
HEAD = "# yaml-language-server: $schema=../docs/rules.schema.json\n"


def as_yaml(rules: Iterable[Any], comments: Iterable[str] = ()) -> str:
    """Write a rule file."""
    said = "".join(f"# {line}\n" for line in comments)
    tree, _ = _node({"version": 1, "rules": list(rules)})
    return HEAD + said + yaml.serialize(tree, Dumper=_Dumper, width=4 * WIDTH, allow_unicode=True)


_TAG = "tag:yaml.org,2002:"


class _Dumper(yaml.SafeDumper):
    """Indents the items of lists below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _node(value: Any) -> tuple[yaml.Node, int]:
    """Make the node of a value, and say how many characters it takes on one line."""
    if isinstance(value, dict):
        return _map(value)
    if isinstance(value, list | tuple):
        items = [_node(item) for item in value]
        width = sum(size + 2 for _, size in items)
        nodes = [node for node, _ in items]
        return yaml.SequenceNode(_TAG + "seq", nodes, flow_style=width <= WIDTH), width
    return _scalar(value)


def _map(value: dict[str, Any]) -> tuple[yaml.Node, int]:
    pairs, width = [], 0
    for key, inner in value.items():
        node, size = _node(inner)
        if isinstance(node, yaml.CollectionNode) and _spreads(key, node):
            node.flow_style = False
        pairs.append((_scalar(key)[0], node))
        width += len(key) + size + 4
    flow = width <= WIDTH and not SPREAD & value.keys()
    return yaml.MappingNode(_TAG + "map", pairs, flow_style=flow), width


def _spreads(key: str, node: yaml.CollectionNode) -> bool:
    return key in ("rules", "then") or (key in SPREAD and len(node.value) > 1)


def _scalar(value: Any) -> tuple[yaml.Node, int]:
    if isinstance(value, bool):
        return yaml.ScalarNode(_TAG + "bool", "true" if value else "false"), 5
    if isinstance(value, int):
        return yaml.ScalarNode(_TAG + "int", str(value)), 5
    text = str(value)
    style = "|" if "\n" in text else "'" if _needs_quotes(text) else None
    return yaml.ScalarNode(_TAG + "str", text, style=style), len(text) + 2


def _needs_quotes(text: str) -> bool:
    """A text that YAML 1.1 takes for something else is quoted, for readers of either version."""
    resolved: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return resolved != _TAG + "str"


_RESOLVER = yaml.resolver.Resolver()
