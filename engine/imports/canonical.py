"""Rules as YAML of one form: maps in blocks, what fits on a line in braces, texts quoted where they must be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

WIDTH = 100
"""Characters of a line within which a map or a list stands in braces."""
SPREAD = frozenset({"rules", "then", "all", "any", "none", "group"})
"""Keys whose value is written below them, however short it is, unless it is a single short item."""
HEAD = "# yaml-language-server: $schema=../docs/rules.schema.json\n"


def as_yaml(rules: Iterable[Any], comments: Iterable[str] = ()) -> str:
    """Write a rule file."""
    said = "".join(f"# {line}\n" for line in comments)
    tree = _represent({"version": "1", "rules": list(rules)})
    tree.value[0][1].style = None
    return HEAD + said + yaml.serialize(tree, Dumper=_Dumper, width=4 * WIDTH, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Indents the items of lists below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _represent(value: Any) -> yaml.Node:
    node, _ = _node(value)
    return node


def _node(value: Any) -> tuple[yaml.Node, int]:
    """Make the node of a value, and say how many characters it takes on one line."""
    if isinstance(value, dict):
        return _map(value)
    if isinstance(value, list | tuple):
        items = [_node(item) for item in value]
        width = sum(size + 2 for _, size in items)
        return yaml.SequenceNode(
            "tag:yaml.org,2002:seq", [node for node, _ in items], flow_style=width <= WIDTH
        ), width
    return _scalar(value)


def _map(value: dict[str, Any]) -> tuple[yaml.Node, int]:
    pairs, width, spread = [], 0, False
    for key, inner in value.items():
        node, size = _node(inner)
        spread = spread or key in SPREAD or (key == "id")
        if (
            key in SPREAD
            and isinstance(node, yaml.CollectionNode)
            and len(node.value) > 1
            or key in ("rules", "then")
        ):
            node.flow_style = False
        pairs.append((_scalar(key)[0], node))
        width += len(key) + size + 4
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=not spread and width <= WIDTH), width


def _scalar(value: Any) -> tuple[yaml.Node, int]:
    if isinstance(value, bool):
        return yaml.ScalarNode("tag:yaml.org,2002:bool", "true" if value else "false"), 5
    text = str(value)
    style = "|" if "\n" in text else "'" if _needs_quotes(text) else None
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, style=style), len(text) + 2


def _needs_quotes(text: str) -> bool:
    """A text that YAML 1.1 takes for something else is quoted, for readers of either version."""
    resolved = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
    return bool(resolved != "tag:yaml.org,2002:str")


_RESOLVER = yaml.resolver.Resolver()
