"""Conditions while they are put together: three values, and patterns whose groups get names at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(eq=False)
class Site:
    """One test whose match sets ${0}, ${1}, ...; the groups that something uses get names."""

    line: int
    names: dict[int, str] = field(default_factory=dict)
    groups: int = 0
    """How many groups its patterns have at most."""
    holds: Cond | None = None
    """The condition that captures."""

    def name(self, group: int, wish: str, taken: set[str]) -> str:
        """Name a group, by what the script calls it where that is free."""
        if group not in self.names:
            self.names[group] = _free(wish or f"line{self.line}_{group}", taken)
        return self.names[group]


def _free(wish: str, taken: set[str]) -> str:
    name, number = wish, 2
    while name in taken:
        name, number = f"{wish}_{number}", number + 1
    taken.add(name)
    return name


Render = Callable[[Mapping[int, str]], Any]
"""Writes a condition down; given are the names of its groups that are used."""


@dataclass(frozen=True)
class Const:
    value: bool


TRUE, FALSE = Const(True), Const(False)


@dataclass(frozen=True)
class Lost:
    """What cannot be asked; whatever depends on it does not hold, and neither does its contrary."""


LOST = Lost()


@dataclass(eq=False)
class Leaf:
    """One condition of the rule language."""

    render: Render
    site: Site | None = None

    @cached_property
    def key(self) -> str:
        """What is asked, whatever is captured by it."""
        return json.dumps(self.render({}), sort_keys=True)

    def written(self) -> Any:
        return self.render(self.site.names if self.site else {})


@dataclass(frozen=True)
class Not:
    member: Cond


@dataclass(frozen=True)
class All:
    members: tuple[Cond, ...]


@dataclass(frozen=True)
class AnyOf:
    members: tuple[Cond, ...]


Cond = Const | Lost | Leaf | Not | All | AnyOf


def leaf(condition: Mapping[str, Any]) -> Leaf:
    """Make a condition that captures nothing."""
    return Leaf(lambda _names: dict(condition))


def negated(cond: Cond) -> Cond:
    if isinstance(cond, Const):
        return FALSE if cond.value else TRUE
    if isinstance(cond, Lost):
        return LOST
    return cond.member if isinstance(cond, Not) else Not(cond)


def all_of(members: Iterable[Cond]) -> Cond:
    """Join by "and"; what cannot be asked stays in."""
    found = _flat(members, All)
    if FALSE in found:
        return FALSE
    kept = tuple(member for member in found if member != TRUE)
    return TRUE if not kept else kept[0] if len(kept) == 1 else All(kept)


def any_of(members: Iterable[Cond]) -> Cond:
    """Join by "or"; what cannot be asked stays in."""
    found = _flat(members, AnyOf)
    if TRUE in found:
        return TRUE
    kept = tuple(member for member in found if member != FALSE)
    return FALSE if not kept else kept[0] if len(kept) == 1 else AnyOf(kept)


def _flat(members: Iterable[Cond], kind: type[All] | type[AnyOf]) -> list[Cond]:
    found: list[Cond] = []
    for member in members:
        found += member.members if isinstance(member, kind) else [member]
    return found


def certain(cond: Cond, *, holds: bool = True) -> Cond:
    """Give a condition that holds only where this one is known to hold, or to be false."""
    if isinstance(cond, Lost):
        return FALSE
    if not _lossy(cond):
        return cond if holds else negated(cond)
    if isinstance(cond, Not):
        return certain(cond.member, holds=not holds)
    if isinstance(cond, All | AnyOf):
        join = all_of if isinstance(cond, All) is holds else any_of
        return join(certain(member, holds=holds) for member in cond.members)
    return cond if holds else negated(cond)


def _lossy(cond: Cond) -> bool:
    if isinstance(cond, All | AnyOf):
        return any(map(_lossy, cond.members))
    return _lossy(cond.member) if isinstance(cond, Not) else isinstance(cond, Lost)


Known = Mapping[str, bool]
"""How tests came out that were asked before; a message does not change meanwhile."""


def simplified(cond: Cond, known: Known) -> Cond:
    """Leave out what is known; what captures stays where it holds, since its captures may be used."""
    if isinstance(cond, Leaf):
        value = known.get(cond.key)
        return FALSE if value is False else TRUE if value and cond.site is None else cond
    if isinstance(cond, Not):
        return negated(simplified(cond.member, known))
    if isinstance(cond, All | AnyOf):
        join = all_of if isinstance(cond, All) else any_of
        return join(simplified(member, known) for member in cond.members)
    return cond


def learnt(cond: Cond, holds: bool) -> dict[str, bool]:
    """Say what is known of tests once a condition holds, or does not."""
    if isinstance(cond, Leaf):
        return {cond.key: holds}
    if isinstance(cond, Not):
        return learnt(cond.member, not holds)
    if isinstance(cond, All | AnyOf) and isinstance(cond, All) is holds:
        return {key: value for member in cond.members for key, value in learnt(member, holds).items()}
    return {}


def written(cond: Cond) -> Any:
    """Write a condition down as a map with one key."""
    if isinstance(cond, Leaf):
        return cond.written()
    if isinstance(cond, Not):
        inner = written(cond.member)
        return {"none": inner["any"]} if set(inner) == {"any"} else {"not": inner}
    if isinstance(cond, All):
        return {"all": [written(member) for member in cond.members]}
    if isinstance(cond, AnyOf):
        return {"any": [written(member) for member in cond.members]}
    raise TypeError(f"{cond} is no condition of a rule")
