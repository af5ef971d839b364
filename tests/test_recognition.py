"""Real mail that was read and labelled is judged as it was read."""

from __future__ import annotations

from pathlib import Path

from engine.mail.automated import KINDS
from prove.recognition import ECHOES, GOAL, judge, labels


def test_every_message_of_the_table_has_one_label() -> None:
    table = labels()
    assert len({label.name for label in table}) == len(table) > 2_500
    assert {label.kind for label in table} <= KINDS | {"human", "spam"}
    assert {label.how for label in table} == {"folder", "fields", "hand"}


def test_auto_replies_and_bounces_are_recognised_and_no_person_is_taken_for_one(corpus: Path) -> None:
    tally = judge(labels(), corpus)
    found = sum(tally.recognised[kind] for kind in ECHOES) / sum(tally.total[kind] for kind in ECHOES)
    assert found >= GOAL, tally.missed
    assert tally.recognised["human"] == 0, tally.wrong
