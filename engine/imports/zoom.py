"""Filters from a Zoom Mail mailbox's settings, as its API lists them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from engine.errors import Place, RuleError
from engine.imports.filters import Filter, as_rules
from engine.imports.outcome import Imported

SIZES: Mapping[str, str] = {"larger": "larger", "smaller": "smaller"}


def import_zoom(text: str, file: str) -> Imported:
    """Translate the answer of the list of filters, label ids already names. Raises RuleError."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 0), getattr(error, "colno", 0)
        raise RuleError("is not JSON", Place(file, line, column)) from None
    listed = answer.get("filter") if isinstance(answer, dict) else answer
    if not isinstance(listed, list):
        raise RuleError("holds no list 'filter', such as the settings of a mailbox have", Place(file))
    return as_rules(_filters(listed, file), "zoom")


def _filters(listed: list[Any], file: str) -> Iterator[Filter]:
    for number, one in enumerate(listed):
        place = Place(file, path=f"filter[{number}]")
        if not isinstance(one, dict):
            raise RuleError("a filter must be a map", place)
        yield _filter(one, place)


def _filter(one: Mapping[str, Any], place: Place) -> Filter:
    criteria, action = _map(one.get("criteria")), _map(one.get("action"))
    known = {"from", "to", "subject", "query", "negatedQuery", "hasAttachment", "size", "sizeComparison"}
    losses = [
        f"the criterion '{name}' is not known"
        for name, value in criteria.items()
        if value and name not in known
    ]
    return Filter(
        place=place,
        fields={name: str(criteria.get(name) or "") for name in ("from", "to", "subject")},
        words=str(criteria.get("query") or ""),
        without=str(criteria.get("negatedQuery") or ""),
        attachment=criteria.get("hasAttachment") is True,
        size=_size(criteria),
        add=tuple(_texts(action.get("addLabelIds"))),
        remove=tuple(label for label in _texts(action.get("removeLabelIds")) if label != "SPAM"),
        never_spam="SPAM" in _texts(action.get("removeLabelIds")),
        forward=str(action.get("forward") or ""),
        losses=tuple(losses),
    )


def _size(criteria: Mapping[str, Any]) -> str:
    compared = SIZES.get(str(criteria.get("sizeComparison") or ""))
    size = str(criteria.get("size") or "")
    return f"{compared}:{size}" if compared and size.isdigit() and size != "0" else ""


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
