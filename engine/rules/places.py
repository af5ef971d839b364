"""From a validated model's errors back to the file, line and column that caused them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from engine.errors import Place, RuleError
from engine.rules.findings import RuleErrors
from engine.rules.strict import UNKNOWN_KEY, UNSEEN
from engine.rules.yaml import Map, Node, Scalar, Seq, plain

M = TypeVar("M", bound=BaseModel)
Location = Sequence[str | int]


def load_model(node: Node, model: type[M], file: str, context: Any = None) -> M:
    """Read a model from nodes. Raises RuleErrors, each at its line and column with the dotted path."""
    try:
        return model.model_validate(plain(node), context=context)
    except ValidationError as error:
        raise RuleErrors([_placed(each, node, file) for each in error.errors(include_url=False)]) from None


def place_of(root: Node, location: Location, file: str, *, key: bool = False) -> Place:
    """Find where the value at a location stands, or its key; the nearest ancestor when it is absent.

    An item of a block list stands where its dash is.
    """
    node, line, column, path = root, root.line, root.column, ""
    for index, step in enumerate(location, 1):
        if isinstance(node, Map) and isinstance(step, str) and step in node.items:
            name, node = node.items[step]
            path = f"{path}.{step}" if path else step
            spot = name if (key and index == len(location)) or _is_empty(node) else node
            line, column = spot.line, spot.column
        elif isinstance(node, Seq) and isinstance(step, int) and step < len(node.items):
            parent, node = node, node.items[step]
            path = f"{path}[{step}]"
            line, column = node.line, node.column if parent.flow else parent.column
        else:
            break
    return Place(file, line, column, path)


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.empty


def _placed(error: Any, root: Node, file: str) -> RuleError:
    location = [step for step in error["loc"] if step not in ("[key]", UNSEEN)]
    at_key = error["type"] == UNKNOWN_KEY or error["loc"][-1:] == ("[key]",)
    return RuleError(error["msg"], place_of(root, location, file, key=at_key))
