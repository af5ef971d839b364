"""Filters of Gmail's kind: criteria that make a search line, and fixed actions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Place
from engine.imports.names import Ids, wish_of
from engine.imports.outcome import Imported, Loss
from engine.imports.valid import action_problem, condition_problem

_PLAIN = re.compile(r"[^\s(){}\"]+")
_GROUPED = re.compile(r"\bOR\b|\bAND\b|[(){}|]")
_TEXTUAL = re.compile(r'"[^"]*"|(-?)([^\s"(){}:-][^\s"(){}:]*+:)(?=[\s)}]|$)|[^\s"(){}:-][^\s"(){}:]*+')
"""Of a text in quotes and of other words nothing changes; passed over whole, none is read twice."""
CATEGORIES: Mapping[str, str] = {
    "personal": "CATEGORY_PERSONAL",
    "social": "CATEGORY_SOCIAL",
    "promo": "CATEGORY_PROMOTIONS",
    "notification": "CATEGORY_UPDATES",
    "group": "CATEGORY_FORUMS",
}


@dataclass(frozen=True)
class Filter:
    """One filter as its service has it."""

    place: Place
    fields: Mapping[str, str] = field(default_factory=dict)
    """What to look for, by field of a search line."""
    words: str = ""
    without: str = ""
    attachment: bool = False
    size: str = ""
    """Such as larger:5M."""
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    never_spam: bool = False
    forward: str = ""
    losses: tuple[str, ...] = ()


def as_rules(filters: Iterable[Filter], prefix: str) -> Imported:
    """Translate filters, each by itself: all that fit a message apply."""
    ids, rules, losses = Ids(prefix), list[Any](), list[Loss]()
    for one in filters:
        losses += [Loss(one.place, what) for what in one.losses]
        found = list(_rules(one, ids, losses))
        rules += found
        if not found:
            losses.append(Loss(one.place, "this filter is left out, since nothing of it can be said"))
    return Imported(tuple(rules), tuple(losses))


def search_line(one: Filter) -> str:
    """Write the criteria as one search line."""
    parts = [f"{name}:{_grouped(text)}" for name, text in one.fields.items() if text.strip()]
    alone = not (parts or one.without.strip() or one.attachment or one.size)
    words = one.words.strip()
    if words:
        parts.append(words if alone or not _GROUPED.search(words) else f"({words})")
    if one.without.strip():
        parts.append(_without(one.without.strip()))
    line = " ".join([*parts, *(["has:attachment"] if one.attachment else []), *filter(None, [one.size])])
    return _TEXTUAL.sub(_quoted, line)


def _quoted(found: re.Match[str]) -> str:
    """Quote a word that ends in a colon: it is no field, since nothing follows it."""
    return f'{found[1]}"{found[2]}"' if found[2] else found[0]


def _grouped(text: str) -> str:
    return text.strip() if _PLAIN.fullmatch(text.strip()) else f"({text.strip()})"


def _without(text: str) -> str:
    """None of the words may be there, as Gmail itself writes such a search."""
    if _PLAIN.fullmatch(text) and not text.startswith("-"):
        return f"-{text}"
    return f"-({text})" if _GROUPED.search(text) else f"-{{{text}}}"


def _rules(one: Filter, ids: Ids, losses: list[Loss]) -> Iterator[dict[str, Any]]:
    line = search_line(one)
    when = {"query": line}
    problem = condition_problem(when) if line else "it looks for nothing"
    if problem:
        losses.append(Loss(one.place, f"the search '{line}' cannot be asked: {problem}"))
        return
    then = list(_actions(one, losses))
    if then:
        yield {"id": ids.take(wish_of(then, "filter")), "when": when, "then": then}
    if one.never_spam:
        rescued = [{"label": {"add": ["INBOX"], "remove": ["SPAM"]}}, *then]
        spam = {"all": [{"label": "SPAM"}, when]}
        yield {"id": ids.take("not spam"), "title": "Never in spam", "when": spam, "then": rescued}


def _actions(one: Filter, losses: list[Loss]) -> Iterator[dict[str, Any]]:
    marks = {**_marks(one.add, on=True), **_marks(one.remove, on=False)}
    add = [label for label in one.add if label not in _SYSTEM]
    remove = [label for label in one.remove if label not in _SYSTEM and label != "INBOX"]
    labels = {key: names for key, names in (("add", add), ("remove", remove)) if names}
    wanted: list[dict[str, Any]] = [{"label": labels}] if labels else []
    wanted += [{"mark": marks}] if marks else []
    wanted += [{"spam": True}] if "SPAM" in one.add else []
    wanted += [{"trash": True}] if "TRASH" in one.add else []
    wanted += [{"archive": True}] if "INBOX" in one.remove and "TRASH" not in one.add else []
    wanted += [{"forward": {"to": [one.forward]}}] if one.forward else []
    for action in wanted:
        problem = action_problem(action)
        if problem:
            losses.append(Loss(one.place, f"'{next(iter(action))}': {problem}"))
        else:
            yield action


_MARKS: Mapping[str, tuple[str, bool]] = {
    "UNREAD": ("read", False),
    "STARRED": ("starred", True),
    "IMPORTANT": ("important", True),
}
_SYSTEM = frozenset({*_MARKS, "TRASH", "SPAM"})


def _marks(labels: Iterable[str], *, on: bool) -> dict[str, bool]:
    known = (_MARKS[label] for label in labels if label in _MARKS)
    return {mark: value is on for mark, value in known}
