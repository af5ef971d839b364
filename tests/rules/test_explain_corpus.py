"""Every file of the outside corpus through `explain`: no crash, and no verdict without a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.mail.archive import read_archive
from engine.mail.events import Event, EventKind
from engine.mail.mime import from_raw
from engine.rules.evaluate import evaluate
from engine.rules.evaluation import Reason, Verdict
from engine.rules.explain import explain
from engine.rules.loader import load_rules, read_sources
from engine.rules.memory import EMPTY

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
RULES = load_rules(read_sources(Path(__file__).parent.parent.parent / "rules"), None)
LONGEST = 3_000
"""Characters of one line: five values of 120, what was asked for, and why."""


def every(reason: Reason) -> Iterator[Reason]:
    yield reason
    for child in reason.children:
        yield from every(child)


@pytest.mark.corpus
def test_every_file_is_explained(corpus: Path) -> None:
    told = 0
    for one in read_archive(corpus):
        if one.error:
            continue
        message = from_raw(one.raw, key=one.name, labels=frozenset({"INBOX", "UNREAD"}), received=NOW)
        event = Event(EventKind.MESSAGE_RECEIVED, "", 0, one.name)
        reasons = explain(RULES, event, message, NOW)
        found = evaluate(RULES, event, message, NOW, EMPTY, final=True)
        matched = [reason.path for reason in reasons if reason.verdict is Verdict.MATCHED]
        assert matched == [match.rule for match in found.matches], one.name
        for reason in reasons:
            assert bool(reason.nearest) is (reason.children[0].verdict is not Verdict.MATCHED), one.name
            for each in every(reason):
                assert 0 < len(each.text) < LONGEST, one.name
                assert each.text.isprintable(), one.name
        told += 1
    assert told >= 2_638
