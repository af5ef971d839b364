"""Runs a script without a message: every way through it, as far as ways differ.

Tests look at the message alone, so that a test gives the same wherever it stands. Ways that part are
joined again as soon as nothing that the rest of the script looks at tells them apart; until then, what
follows is done on each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.imports.sieve import deeds
from engine.imports.sieve.asking import Asking
from engine.imports.sieve.checked import Call, If, Include, Statement
from engine.imports.sieve.cond import FALSE, TRUE, Cond, Leaf, Not, Site, certain
from engine.imports.sieve.cond import All as AllOf
from engine.imports.sieve.deeds import IN_INBOX, Names
from engine.imports.sieve.expression import Untranslatable
from engine.imports.sieve.live import Liveness
from engine.imports.sieve.state import Live, State, Sure, joined, projected, sites_of
from engine.imports.sieve.tree import Branch, Fork, Item
from engine.imports.sieve.values import Matched, Unknown, Value, expand, known, modified, named

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
        self.asking = Asking(encoded)
        self.names = Names()
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
        flows: list[Flow | None] = []
        way.items.append(fork)
        for test, block in (*statement.branches, (None, statement.otherwise)):
            asked, matched = self.asking.ask(test, way.state) if test else (TRUE, way.state.matched)
            cond = certain(asked)
            if cond == FALSE:
                continue
            branch = Branch(cond)
            fork.branches.append(branch)
            inside = Way(
                branch.items, replace(way.state, matched=matched), way.sites | _sites(cond), way.depth + 1
            )
            flows.append(self._block(block, inside))
            if cond == TRUE:
                break
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
            way.state = _COMMANDS.get(call.name, Run._lost)(self, call, way.state, script)
        except Untranslatable as error:
            self.asking.note(call.place, f"'{call.name}': {error}")
        return way

    def _value(self, text: str, state: State) -> Value:
        return expand(self.asking.decoded(text), state.variables, state.matched)

    def _lost(self, call: Call, state: State, script: deeds.Script) -> State:
        raise Untranslatable(_REASONS.get(call.name, "has no equivalent"))

    def _nothing(self, call: Call, state: State, script: deeds.Script) -> State:
        return state

    def _set(self, call: Call, state: State, script: deeds.Script) -> State:
        name = call.text(0).lower()
        value = modified(named(self._value(call.text(1), state), name), call.tags)
        return replace(state, variables={**state.variables, name: value})

    def _fileinto(self, call: Call, state: State, script: deeds.Script) -> State:
        flags = self._stored_flags(call, state, script)
        return deeds.store(script, self.names, state, self._value(call.text(0), state), call, flags)

    def _keep(self, call: Call, state: State, script: deeds.Script) -> State:
        return deeds.keep(script, self.names, state, self._stored_flags(call, state, script))

    def _stored_flags(self, call: Call, state: State, script: deeds.Script) -> tuple[Value, ...]:
        """Give the flags that a store puts on; those that `:flags` leaves out are taken off again."""
        if "flags" not in call.tags:
            return state.pending
        flags = deeds.split_flags(call.tag_texts("flags"), state)
        if not state.stored and state.cancelled is not Sure.YES:
            gone = [flag for flag in state.flags if flag not in flags and flag not in state.pending]
            deeds.mark(script, self.names, gone, on=False)
        return flags

    def _discard(self, call: Call, state: State, script: deeds.Script) -> State:
        return deeds.discard(script, state)

    def _redirect(self, call: Call, state: State, script: deeds.Script) -> State:
        address = self._value(call.text(0), state)
        return deeds.redirect(script, self.names, state, address, "copy" in call.tags)

    def _reject(self, call: Call, state: State, script: deeds.Script) -> State:
        deeds.answer(script, self.names, self._value(call.text(0), state), {})
        return deeds.discard(script, state)

    def _vacation(self, call: Call, state: State, script: deeds.Script) -> State:
        for tag in ("from", "mime", "fcc", "subject"):
            if tag in call.tags:
                self.asking.note(call.place, f"'vacation': ':{tag}' is a matter of the template")
        days, seconds = call.tag_number("days"), call.tag_number("seconds")
        window = f"{seconds}s" if seconds else f"{min(days or deeds.VACATION_DAYS, 365)}d"
        if seconds == 0:
            window = "1s"
        settings = {"once_per": {"sender": window}}
        deeds.answer(script, self.names, self._value(call.text(0), state), settings)
        return state

    def _addflag(self, call: Call, state: State, script: deeds.Script) -> State:
        flags = deeds.split_flags(call.texts(1), state)
        if call.given[0] is not None:
            held = state.variables.get(call.text(0).lower(), ())
            return _flag_variable(call, state, _listed(held, flags))
        return self._flagged(state, script, flags, ())

    def _setflag(self, call: Call, state: State, script: deeds.Script) -> State:
        flags = deeds.split_flags(call.texts(1), state)
        if call.given[0] is not None:
            return _flag_variable(call, state, _listed((), flags))
        return self._flagged(state, script, flags, [flag for flag in state.flags if flag not in flags])

    def _removeflag(self, call: Call, state: State, script: deeds.Script) -> State:
        flags = deeds.split_flags(call.texts(1), state)
        if call.given[0] is None:
            return self._flagged(state, script, (), [flag for flag in state.flags if _like(flag, flags)])
        held = known(state.variables.get(call.text(0).lower(), ()))
        if held is None:
            raise Untranslatable("takes a flag off what a test captured")
        left = [word for word in held.split() if not _like((word,), flags)]
        return _flag_variable(call, state, (" ".join(left),) if left else ())

    def _flagged(
        self, state: State, script: deeds.Script, add: Sequence[Value], remove: Sequence[Value]
    ) -> State:
        """Change the internal flags; they count at once while the message is still to be kept at the end."""
        fresh = [flag for flag in add if flag not in state.flags]
        flags = (*(flag for flag in state.flags if flag not in remove), *fresh)
        pending = (*(flag for flag in state.pending if flag not in remove), *fresh)
        if state.cancelled is Sure.YES:
            return replace(state, flags=flags, pending=pending)
        guard = TRUE if state.cancelled is Sure.NO else IN_INBOX
        gone = [flag for flag in remove if flag not in state.pending]
        if not state.stored:
            deeds.mark(script, self.names, gone, on=False, when=guard)
        deeds.mark(script, self.names, fresh, when=guard)
        return replace(state, flags=flags, pending=() if guard is TRUE else pending)


_Command = Callable[[Run, Call, State, deeds.Script], State]
_COMMANDS: Mapping[str, _Command] = {
    "set": Run._set,
    "fileinto": Run._fileinto,
    "keep": Run._keep,
    "discard": Run._discard,
    "redirect": Run._redirect,
    "reject": Run._reject,
    "ereject": Run._reject,
    "vacation": Run._vacation,
    "addflag": Run._addflag,
    "setflag": Run._setflag,
    "removeflag": Run._removeflag,
    "global": Run._nothing,
}
_REASONS: Mapping[str, str] = {
    "addheader": "messages are never changed; a label can say as much",
    "deleteheader": "messages are never changed",
    "replace": "messages are never changed",
    "enclose": "messages are never changed",
    "extracttext": "what parts of a message say is not read into variables",
    "foreverypart": "the parts of a message are asked for by 'attachment' and 'body' alone",
    "notify": "there are no notifications to people yet; write a 'send' to yourself",
    "denotify": "there are no notifications to people yet",
    "expire": "messages do not expire",
    "unexpire": "messages do not expire",
    "error": "a rule cannot fail on purpose",
}


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


def _flag_variable(call: Call, state: State, value: Value) -> State:
    return replace(state, variables={**state.variables, call.text(0).lower(): value})


def _listed(held: Value, flags: Sequence[Value]) -> Value:
    """Write flags one after the other, with blanks between."""
    made: list[object] = list(held)
    for flag in flags:
        made += [" ", *flag] if made else flag
    return tuple(made)  # type: ignore[arg-type]


def _like(flag: Value, flags: Sequence[Value]) -> bool:
    """Compare flags without regard to case."""
    text = (known(flag) or "").lower()
    return flag in flags or any((known(other) or "\0").lower() == text for other in flags)
