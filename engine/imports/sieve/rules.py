"""From ways through a script to rules and groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import Place
from engine.imports.names import Ids, wish_of
from engine.imports.sieve.cond import TRUE, Cond, all_of, negated, written
from engine.imports.sieve.tree import Fork, Item

_NAMED = re.compile(r"(?:rule|filter):\s*\[(.*)\]\s*")
MAX_TITLE = 80
MIN_LETTERS = 0.8
"""How much of a comment must be letters and blanks, so that it can be a title and is no drawing."""


@dataclass
class Rule:
    when: Cond
    then: list[dict[str, Any]]
    stop: bool
    place: Place
    comment: str = ""


@dataclass
class Group:
    when: Cond
    members: list[Member]
    place: Place
    comment: str = ""
    first: bool = False


Member = Rule | Group


def as_rules(items: Sequence[Item], prefix: str) -> Iterator[dict[str, Any]]:
    """Write rules and groups as a rule file has them."""
    writer = _Writer(Ids(prefix))
    for member in gathered(items):
        alone = isinstance(member, Rule) and member.when == TRUE
        yield writer.member(Group(TRUE, [member], member.place) if alone else member)


def gathered(items: Sequence[Item]) -> list[Member]:
    """Turn deeds into rules and forks into groups; what does nothing is left out."""
    made: list[Member] = []
    for item in items:
        if isinstance(item, Fork):
            made += _fork(item)
        elif item.then or item.stop:
            made.append(Rule(item.when, item.then, item.stop, item.place, item.comment))
    return made


def _fork(fork: Fork) -> list[Member]:
    branches = [(branch.when, gathered(branch.items)) for branch in fork.branches]
    while branches and not branches[-1][1]:
        branches.pop()
    if branches and branches[0][0] == TRUE:
        return branches[0][1]
    return _choice(branches, fork)


def _choice(branches: list[tuple[Cond, list[Member]]], fork: Fork) -> list[Member]:
    """Give what the first branch that holds does; one that does nothing keeps the later ones from it."""
    idle = next((at for at, (_, members) in enumerate(branches) if not members), None)
    if idle is not None:
        rest = _choice(branches[idle + 1 :], fork)
        spared = _under(negated(branches[idle][0]), rest, fork)
        return _choice([*branches[:idle], (TRUE, spared)], fork)
    if not branches:
        return []
    last = len(branches) - 1
    members = [
        member
        for at, (when, found) in enumerate(branches)
        for member in _under(when, found, fork, claims=at < last)
    ]
    if not last:
        return [_titled(member, fork.comment) for member in members]
    return [Group(TRUE, members, fork.place, fork.comment, first=True)]


def _under(when: Cond, members: list[Member], fork: Fork, *, claims: bool = False) -> list[Member]:
    """Put a condition above members, as one member.

    One that `claims` keeps later members of its group from a message wherever the condition holds.
    """
    if len(members) > 1 or (claims and members[0].when != TRUE):
        return [Group(when, members, members[0].place)]
    for member in members:
        member.when = all_of([when, member.when])
    return members


def _titled(member: Member, comment: str) -> Member:
    member.comment = comment or member.comment
    return member


@dataclass
class _Writer:
    ids: Ids

    def member(self, member: Member) -> dict[str, Any]:
        return self._rule(member) if isinstance(member, Rule) else {"group": self._group(member)}

    def _rule(self, rule: Rule) -> dict[str, Any]:
        line = f"line-{rule.place.line}"
        return {
            "id": self.ids.take(wish_of(rule.then, f"stop-{line}" if rule.stop else line)),
            **_title(rule.comment),
            **({} if rule.when == TRUE else {"when": written(rule.when)}),
            **({"then": rule.then} if rule.then else {}),
            **({"stop": True} if rule.stop else {}),
        }

    def _group(self, group: Group) -> dict[str, Any]:
        title = _title(group.comment)
        return {
            "id": self.ids.take(f"line-{group.place.line}"),
            **title,
            **({"mode": "first"} if group.first else {}),
            **({} if group.when == TRUE else {"when": written(group.when)}),
            "rules": [self.member(member) for member in group.members],
        }


def _title(comment: str) -> dict[str, str]:
    """Take a comment for a title where it reads as one."""
    named = _NAMED.fullmatch(comment)
    text = " ".join((named[1] if named else comment).split())
    letters = sum(char.isalnum() or char == " " for char in text)
    reads = 2 < len(text) <= MAX_TITLE and letters >= MIN_LETTERS * len(text) and text.isprintable()
    return {"title": text} if reads else {}
