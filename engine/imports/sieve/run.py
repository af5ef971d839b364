"""Runs a script without a message: every way through it, as far as ways differ.

Tests look at the message alone, so that a test gives the same wherever it stands. Ways that part are
joined again as soon as nothing that the rest of the script looks at tells them apart; until then, what
follows is done on each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from engine.imports.sieve import deeds
from engine.imports.sieve.asking import Asking
from engine.imports.sieve.checked import Call, If, Include, Statement
from engine.imports.sieve.commands import Commands
from engine.imports.sieve.cond import (
    FALSE,
    TRUE,
    Cond,
    Known,
    Leaf,
    Not,
    Site,
    all_of,
    certain,
    learnt,
    simplified,
)
from engine.imports.sieve.cond import All as AllOf
from engine.imports.sieve.expression import Untranslatable
from engine.imports.sieve.live import Liveness
from engine.imports.sieve.logic import Asked, ask
from engine.imports.sieve.naming import Names
from engine.imports.sieve.state import Live, State, joined, projected, sites_of
from engine.imports.sieve.tree import Branch, Fork, Item
from engine.imports.sieve.values import Matched, Unknown, Value

MAX_WAYS = 64
"""How many ways are followed at once; beyond, they are joined and what differs is lost."""
MAX_NESTING = 10
"""How deep groups may stand in each other because ways differ."""


@dataclass
class Way:
    """One way through the script: where its deeds are written, and what is known on it."""

    items: list[Item]
    state: State
    sites: frozenset[Site] = frozenset()
    """Tests that hold on this way, whose captures its rules have."""
    known: Known = field(default_factory=dict)
    depth: int = 0


@dataclass
class Parted:
    """Several ways that began as one, not joined yet."""

    outer: Way
    ways: list[Flow]


Flow = Way | Parted


class Run:
    """One script on its way from statements to rules."""

    def __init__(self, statements: Sequence[Statement], *, encoded: bool) -> None:
        names = Names()
        self.asking = Asking(names, encoded)
        self._commands = Commands(self.asking, names)
        self.items: list[Item] = []
        self._live = Liveness(statements)
        self._included = 0
        self._block(statements, Way(self.items, State()))

    def _block(self, statements: Sequence[Statement], flow: Flow | None) -> Flow | None:
        for statement in statements:
            if flow is None:
                return None
            flow = self._step(statement, flow)
        return flow

    def _step(self, statement: Statement, flow: Flow) -> Flow | None:
        if isinstance(flow, Parted):
            return self._join(flow.outer, [self._step(statement, way) for way in flow.ways], statement)
        if flow.state.returned:
            return flow
        if isinstance(statement, If):
            return self._if(statement, flow)
        if isinstance(statement, Include):
            return self._include(statement, flow)
        return self._do(statement, flow)

    def _if(self, statement: If, way: Way) -> Flow | None:
        fork = Fork(statement.place, statement.comment, [])
        way.items.append(fork)
        flows: list[Flow | None] = []
        state, known = way.state, way.known
        for test, block in (*statement.branches, (None, statement.otherwise)):
            asked = ask(self.asking, test, state) if test else Asked(TRUE, state.matched, state.matched)
            cond = simplified(certain(asked.cond), known)
            if cond != FALSE:
                inside = replace(way, state=replace(state, matched=asked.held), known=known)
                live = self._live.at_block(block, statement)
                flows.append(self._block(block, _branch(fork, inside, cond, live)))
            if cond == TRUE:
                break
            state = replace(state, matched=asked.failed)
            known = {**known, **learnt(cond, holds=False)}
        return self._join(way, flows, statement)

    def _join(self, outer: Way, flows: Sequence[Flow | None], statement: Statement) -> Flow | None:
        """Make one way of many where the rest of the script cannot tell them apart."""
        going = [flow for flow in flows if flow is not None]
        if not going:
            return None
        live = self._live.after(statement)
        ways = list(_ways(going))
        states = [way.state for way in ways]
        alike = len({projected(state, live) for state in states}) == 1
        own = all(sites_of(state, live) <= outer.sites for state in states)
        if alike and own:
            return replace(outer, state=joined(states, live))
        if len(ways) > MAX_WAYS or outer.depth >= MAX_NESTING:
            self.asking.note(
                statement.place, "too many ways lead on from here; what differs between them is lost"
            )
            return replace(outer, state=_forced(states, live, outer))
        return Parted(outer, going)

    def _include(self, statement: Include, way: Way) -> Flow | None:
        self._included += 1
        flow = self._block(statement.body, way)
        self._included -= 1
        if flow is None:
            return None
        for each in _ways([flow]):
            each.state = replace(each.state, returned=False)
        return self._join(way, [flow], statement) if isinstance(flow, Parted) else flow

    def _do(self, call: Call, way: Way) -> Way | None:
        script = deeds.Script(way.items, call.place, call.comment)
        if call.name == "return" and self._included:
            way.state = replace(way.state, returned=True)
            return way
        if call.name in ("stop", "return"):
            script.stop()
            return None
        try:
            way.state = self._commands.carry_out(call, way.state, script)
        except Untranslatable as error:
            self.asking.note(call.place, f"'{call.name}': {error}")
        return way


def _branch(fork: Fork, way: Way, cond: Cond, live: Live) -> Way:
    """Begin a branch; a test whose captures it uses stands in its condition, also where it is implied."""
    sites, matched = way.sites | _sites(cond), way.state.matched
    when = cond
    if live.matched and isinstance(matched, Site) and matched not in sites and matched.holds:
        when, sites = all_of([matched.holds, cond]), sites | {matched}
    branch = Branch(when)
    fork.branches.append(branch)
    return replace(
        way,
        items=branch.items,
        sites=sites,
        known={**way.known, **learnt(cond, holds=True)},
        depth=way.depth + 1,
    )


def _ways(flows: Sequence[Flow]) -> list[Way]:
    found: list[Way] = []
    for flow in flows:
        found += [flow] if isinstance(flow, Way) else _ways(flow.ways)
    return found


def _sites(cond: Cond) -> frozenset[Site]:
    """Name the tests that hold for certain where a condition does."""
    if isinstance(cond, Leaf):
        return frozenset({cond.site}) if cond.site else frozenset()
    if isinstance(cond, AllOf):
        return frozenset[Site]().union(*map(_sites, cond.members))
    if isinstance(cond, Not):
        return frozenset()
    members = [_sites(member) for member in getattr(cond, "members", ())]
    return frozenset[Site].intersection(*members) if members else frozenset()


def _forced(states: list[State], live: Live, outer: Way) -> State:
    """Join ways that differ: a variable that does is unknown from here on."""
    first = joined(states, live)
    variables: dict[str, Value] = {}
    for name in live.variables:
        values = {state.variables.get(name, ()) for state in states}
        variables[name] = (
            values.pop() if len(values) == 1 else (Unknown(f"'${{{name}}}' has too many values"),)
        )
    matched: Matched = first.matched if all(state.matched == first.matched for state in states) else None
    return replace(first, variables=variables, matched=matched, pending=())
