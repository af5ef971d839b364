"""Whatever is asked of whatever message takes twice the work for twice as much, never more."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from bench.dirt.asked import ASKED, Ask
from bench.dirt.messages import MESSAGES, See
from engine.rules.condition import Condition
from engine.rules.index import Index
from engine.rules.reasons import reason_of
from engine.rules.registry import CONDITIONS
from engine.rules.view import View
from tests.hostile.steps import excess
from tests.rules.making import condition

SIZE = 1_000
"""Characters of a message, and then twice as many: more than is remembered of a field."""
FEW = 2
"""Members of a list while the message grows."""
MEMBERS = 60
"""Members, and then twice as many, while the message stays."""
LIKE_FROM = ("to", "cc", "bcc", "reply_to")
"""Conditions that differ from `from` in nothing but the field that they name: asked once or twice each."""
SMALL = ("one huge word, huge", "addresses, of many people")


def test_every_condition_is_asked_in_a_hostile_way() -> None:
    assert set(ASKED) == set(CONDITIONS)


def judged(asked: Condition, view: View) -> None:
    """Look it up, judge it and tell why."""
    Index([asked.clues]).candidates(view)
    asked.judge(view)
    reason_of(asked, view, "when")


@pytest.mark.parametrize("key", CONDITIONS)
def test_a_message_is_judged_in_linear_work(key: str) -> None:
    def work(asked: Condition, see: See, size: int) -> Callable[[], None]:
        return partial(judged, asked, see(size))

    found = {
        f"{ask(FEW)} of {name}": excess(partial(work, condition(ask(FEW)), see), SIZE)
        for ask in ASKED[key][:: 6 if key in LIKE_FROM else 1]
        for name, see in MESSAGES.items()
    }
    assert {name: said for name, said in found.items() if said} == {}


@pytest.mark.parametrize("key", CONDITIONS)
def test_what_is_asked_is_read_and_judged_in_linear_work(key: str) -> None:
    def work(ask: Ask, see: See, size: int) -> Callable[[], None]:
        text, view = ask(size), see(MEMBERS)
        return lambda: judged(condition(text), view)

    found = {
        f"{ask(FEW)} of {name}": excess(partial(work, ask, MESSAGES[name]), MEMBERS)
        for ask in ASKED[key]
        for name in SMALL
    }
    assert {name: said for name, said in found.items() if said} == {}
