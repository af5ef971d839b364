"""`not`, `anyof` and `allof`: conditions joined, and which captures stand after them (RFC 5229, section 3.2).

Tests are tried in order and no further than needed; each one that holds sets ${1}, also where the whole
does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.imports.sieve.asking import Asking
from engine.imports.sieve.checked import Call
from engine.imports.sieve.cond import FALSE, TRUE, Cond, all_of, any_of, negated
from engine.imports.sieve.state import State
from engine.imports.sieve.values import Matched, Unknown

UNSURE = Unknown("what another test captured, which may not have been tried")


@dataclass(frozen=True)
class Asked:
    """A test as a condition, and what ${1} stands for where it holds and where it does not."""

    cond: Cond
    held: Matched
    failed: Matched


def ask(asking: Asking, test: Call, state: State) -> Asked:
    """Translate a test with all within it."""
    if test.name == "not":
        inner = ask(asking, test.tests[0], state)
        return Asked(negated(inner.cond), inner.failed, inner.held)
    if test.name == "anyof":
        return _any(asking, test, state)
    if test.name == "allof":
        return _all(asking, test, state)
    cond, matched = asking.ask(test, state)
    return Asked(cond, matched, state.matched)


def _any(asking: Asking, test: Call, state: State) -> Asked:
    """The first member that holds decides; members that capture share their names."""
    shared = asking.site(test)
    conds: list[Cond] = []
    held: list[Matched] = []
    matched = state.matched
    for member in test.tests:
        before = replace(state, matched=matched)
        if member.tests:
            asked = ask(asking, member, before)
        else:
            asked = Asked(*asking.ask(member, before, shared), matched)
        if asked.cond == FALSE:
            continue
        conds.append(asked.cond)
        held.append(asked.held)
        matched = asked.failed
        if asked.cond == TRUE:
            break
    shared.holds = any_of(conds)
    return Asked(shared.holds, _one(held or [matched]), matched)


def _all(asking: Asking, test: Call, state: State) -> Asked:
    """All members are tried while they hold; the last one that captured counts."""
    conds: list[Cond] = []
    failed: list[Matched] = []
    matched = state.matched
    for member in test.tests:
        asked = ask(asking, member, replace(state, matched=matched))
        conds.append(asked.cond)
        if asked.cond != TRUE:
            failed.append(asked.failed)
        matched = asked.held
        if asked.cond == FALSE:
            break
    return Asked(all_of(conds), matched, _one(failed or [matched]))


def _one(matched: Iterable[Matched]) -> Matched:
    """Give what ${1} stands for in every case, or that it cannot be told."""
    found = list(dict.fromkeys(matched))
    return found[0] if len(found) == 1 else UNSURE
