"""Comparisons of header fields, of the addresses in them, and of the envelope."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from engine.imports.sieve import facts
from engine.imports.sieve.checked import Call
from engine.imports.sieve.cond import Cond, Const, Leaf, Site, any_of, leaf, written
from engine.imports.sieve.expression import Untranslatable
from engine.imports.sieve.kinds import Comparison, Kinds, text_kinds
from engine.imports.sieve.naming import Names
from engine.imports.sieve.people import address_kinds
from engine.imports.sieve.values import Use, Value
from engine.imports.valid import condition_problem

CONDITIONS = {"from": "from", "to": "to", "cc": "cc", "bcc": "bcc", "reply-to": "reply_to"}
"""Header fields of addresses that have conditions of their own."""

Place = Callable[[Kinds], Cond]
"""Makes the condition that something in one place of a message is of these kinds."""


def ask(test: Call, names: Iterable[str], asked: Comparison, site: Site | None) -> Cond:
    """Compare the header fields of a test, or the parts of the envelope. Raises Untranslatable."""
    names = list(names)
    if test.name == "header":
        return any_of(texts_of(facts.header_condition(name), asked, site) for name in names)
    if test.name == "address":
        return any_of(_people(place, test.part, asked, site) for place in _address_places(names))
    return any_of(_envelope(name.lower(), test.part, asked, site) for name in names)


def _address_places(names: Iterable[str]) -> Iterable[Place]:
    others = []
    for name in names:
        if name.lower() in CONDITIONS:
            yield _named(CONDITIONS[name.lower()])
        else:
            others.append(name)
    if others:
        header = others[0] if len(others) == 1 else others
        yield lambda kinds: leaf({"address": {"header": header, **kinds}})


def _named(condition: str) -> Place:
    return lambda kinds: leaf({condition: dict(kinds)})


def _envelope(name: str, part: str, asked: Comparison, site: Site | None) -> Cond:
    if name == "to":
        return _people(_named("recipient"), part, asked, site)
    if name != "from":
        raise Untranslatable(f"the message does not tell the envelope's '{name}'")
    whole = replace(asked, keys=tuple(key for key in asked.keys if _may_be_envelope(key, part, asked.match)))
    found = facts.envelope_sender(lambda place: _people(place, part, whole, site))
    return any_of([facts.null_sender(), found]) if "" in asked.keys and asked.match == "is" else found


def _may_be_envelope(key: str, part: str, match: str) -> bool:
    """The envelope's addresses have a domain, so that a key without one is no whole address."""
    return part != "all" or match not in ("is", "matches") or bool(set(key) & set("@*?"))


def texts_of(place: Place, asked: Comparison, site: Site | None) -> Cond:
    """Ask of a text whether one of the alternatives fits. Raises Untranslatable."""
    return _alternatives(place, lambda names: text_kinds(asked, names), site)


def _people(place: Place, part: str, asked: Comparison, site: Site | None) -> Cond:
    return _alternatives(place, lambda names: address_kinds(part, asked, names), site)


def _alternatives(place: Place, kinds: Callable[[Mapping[int, str]], list[Kinds]], site: Site | None) -> Cond:
    plain = any_of(place(each) for each in kinds({}))
    if isinstance(plain, Const):
        return plain
    problem = condition_problem(written(plain))
    if problem:
        raise Untranslatable(problem)
    if site is None:
        return plain
    return _capturing(lambda names: any_of(place(each) for each in kinds(names)), plain, site)


def _capturing(make: Callable[[Mapping[int, str]], Cond], plain: Cond, site: Site) -> Leaf:
    def render(names: Mapping[int, str]) -> Any:
        return written(make(names)) if names else written(plain)

    return Leaf(render, site)


def captured(value: Value, asked: Comparison, names: Names, site: Site | None) -> Cond:
    """Compare what another test captured. Raises Untranslatable."""
    use = value[0] if len(value) == 1 else None
    if not isinstance(use, Use) or use.site.holds is None:
        raise Untranslatable("compares a text that is put together of what other tests captured")
    inner, name = use.site.holds, names.name(use)

    def place(kinds: Kinds) -> Cond:
        return Leaf(lambda _names: {"captured": {"of": written(inner), "name": name, **kinds}})

    return texts_of(place, asked, site)
