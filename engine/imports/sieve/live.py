"""What the rest of a script still looks at, at every place in it: one pass backwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from engine.imports.sieve.checked import Call, If, Include, Statement
from engine.imports.sieve.grammar import Texts
from engine.imports.sieve.state import Live
from engine.imports.sieve.values import uses

CANCELS = frozenset({"fileinto", "redirect", "discard", "reject", "ereject"})
DISCARDS = frozenset({"discard", "reject", "ereject"})
STORES = frozenset({"fileinto", "keep"})
FLAG_WRITERS = frozenset({"addflag", "setflag", "removeflag"})
CAPTURING = frozenset({"header", "address", "envelope", "string", "body", "environment", "hasflag", "date"})


class Liveness:
    """By statement: what is looked at after it."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._after: dict[int, Live] = {}
        self._entry: dict[int, Live] = {}
        self._held = statements
        self._block(statements, Live())

    def at_block(self, block: Sequence[Statement], within: Statement) -> Live:
        """What is looked at from the beginning of a block of a statement."""
        return self._entry[id(block)] if block else self.after(within)

    def after(self, statement: Statement) -> Live:
        return self._after[id(statement)]

    def _block(self, statements: Sequence[Statement], live: Live) -> Live:
        for statement in reversed(statements):
            self._after[id(statement)] = live
            live = self._before(statement, live)
        self._entry[id(statements)] = live
        return live

    def _before(self, statement: Statement, live: Live) -> Live:
        if isinstance(statement, Include):
            return self._block(statement.body, live)
        if isinstance(statement, If):
            return self._before_if(statement, live)
        if statement.name == "stop":
            return Live()
        if statement.name == "set":
            live = replace(live, variables=live.variables - {statement.text(0).lower()})
        if statement.name == "foreverypart":
            return live
        return _with_features(statement, _reading(live, _texts(statement)))

    def _before_if(self, statement: If, live: Live) -> Live:
        before = self._block(statement.otherwise, live)
        for test, block in reversed(statement.branches):
            inside = self._block(block, live)
            if captures(test):
                inside = replace(inside, matched=False)
            before = _asking(union(inside, before), test)
        return before


def captures(test: Call) -> bool:
    """Say whether a test that holds has set ${0}, ${1}, ... for certain."""
    if test.name == "allof":
        return any(map(captures, test.tests))
    if test.name == "anyof":
        return all(map(captures, test.tests))
    return test.name in CAPTURING and test.match in ("matches", "regex")


def union(one: Live, other: Live) -> Live:
    return Live(
        one.variables | other.variables,
        one.matched or other.matched,
        one.flags or other.flags,
        one.pending or other.pending,
        one.kept or other.kept,
        one.copied or other.copied,
    )


def _asking(live: Live, test: Call) -> Live:
    for inner in test.tests:
        live = _asking(live, inner)
    return _with_features(test, _reading(live, _texts(test)))


def _reading(live: Live, texts: Iterable[str]) -> Live:
    names = [name for text in texts if "${" in text for name in uses(text)]
    if not names:
        return live
    numbered = any(name.isdigit() for name in names)
    named = live.variables.union(name for name in names if not name.isdigit())
    return replace(live, variables=named, matched=live.matched or numbered)


def _texts(call: Call) -> Iterable[str]:
    for value in (*call.given, *call.tags.values()):
        if isinstance(value, Texts):
            yield from value.values


def _with_features(call: Call, live: Live) -> Live:
    name = call.name
    flagging = name in FLAG_WRITERS and call.given[0] is None
    replaces = name in STORES and "flags" in call.tags
    if name in FLAG_WRITERS and not flagging:
        live = replace(live, variables=live.variables | {call.text(0).lower()})
    return replace(
        live,
        flags=live.flags or name == "hasflag" or replaces or (flagging and name != "addflag"),
        pending=live.pending or (name in STORES and not replaces),
        kept=live.kept or (name in CANCELS and "copy" not in call.tags) or flagging,
        copied=live.copied or name in DISCARDS or flagging,
    )
