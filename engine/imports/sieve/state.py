"""What a script knows while it runs, as far as it does not depend on the message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from engine.imports.sieve.cond import Site
from engine.imports.sieve.values import Matched, Use, Value


class Sure(IntEnum):
    """Whether something has happened, in the ways that lead here."""

    NO = 0
    MAYBE = 1
    YES = 2

    def joined(self, other: Sure) -> Sure:
        return self if self is other else Sure.MAYBE


@dataclass(frozen=True)
class State:
    """One way through the script, up to some place in it."""

    variables: Mapping[str, Value] = field(default_factory=dict)
    matched: Matched = None
    flags: tuple[Value, ...] = ()
    """The internal list of flags (RFC 5232, section 2)."""
    pending: tuple[Value, ...] = ()
    """Flags that were set when nothing was left to set them on; the next store takes them."""
    kept: bool = False
    """Whether `keep` has stored it in the inbox for good."""
    copied: bool = False
    """Whether a copy was stored, which leaves the implicit keep as it is."""
    cancelled: Sure = Sure.NO
    """Whether the implicit keep is: by another store, or since `keep` has taken its place."""
    discarded: Sure = Sure.NO
    returned: bool = False
    """Whether an included script has returned."""


@dataclass(frozen=True)
class Live:
    """What the rest of the script still looks at."""

    variables: frozenset[str] = frozenset()
    matched: bool = False
    flags: bool = False
    pending: bool = False
    kept: bool = False
    copied: bool = False


def projected(state: State, live: Live) -> object:
    """Give what makes a difference to the rest."""
    return (
        frozenset((name, state.variables[name]) for name in live.variables if state.variables.get(name)),
        state.matched if live.matched else None,
        state.flags if live.flags else None,
        state.pending if live.pending else None,
        state.kept if live.kept else None,
        state.copied if live.copied else None,
        state.returned,
    )


def joined(states: list[State], live: Live) -> State:
    """Join ways whose difference makes none."""
    first = states[0]
    cancelled, discarded = first.cancelled, first.discarded
    for state in states[1:]:
        cancelled = cancelled.joined(state.cancelled)
        discarded = discarded.joined(state.discarded)
    return State(
        {name: value for name, value in first.variables.items() if name in live.variables},
        first.matched if live.matched else None,
        first.flags if live.flags else (),
        first.pending if live.pending else (),
        all(state.kept for state in states),
        any(state.copied for state in states),
        cancelled,
        discarded,
        first.returned,
    )


def sites_of(state: State, live: Live) -> set[Site]:
    """Name the tests whose captures the rest may use."""
    values = [state.variables.get(name, ()) for name in live.variables]
    values += [*(state.flags if live.flags else ()), *(state.pending if live.pending else ())]
    found = {piece.site for value in values for piece in value if isinstance(piece, Use)}
    return found | ({state.matched} if live.matched and isinstance(state.matched, Site) else set())
