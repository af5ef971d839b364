"""Bounds that a change of rules may not cross, as `--fail-if` takes them."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.backtest.run import Report
from engine.backtest.tally import Tally
from engine.backtest.threshold import read_threshold
from engine.errors import PostroomError

RULES = ("invoices", "a.b-c")


def report(after: int, before: int | None) -> Report:
    counts = [after] if before is None else [after, before]
    tallies = tuple(Tally(Counter(reply=count), Counter(invoices=count), held=count) for count in counts)
    return Report(tallies, messages=100)


@pytest.mark.parametrize(
    ("text", "before", "after", "crossed"),
    [
        pytest.param("replies>+10", 5, 16, True, id="more than ten more"),
        pytest.param("replies>+10", 5, 15, False, id="ten more are not more than ten more"),
        pytest.param("replies>=+10", 5, 15, True, id="ten more are at least ten more"),
        pytest.param("reply > 4", 0, 5, True, id="the action's own name, and blanks"),
        pytest.param("replies<-3", 9, 5, True, id="more than three fewer"),
        pytest.param("replies<-3", 9, 6, False, id="three fewer"),
        pytest.param("replies>+10%", 100, 111, True, id="eleven per cent more"),
        pytest.param("replies>+10%", 100, 110, False, id="ten per cent more"),
        pytest.param("replies>+50%", 0, 1, True, id="one of nothing is a hundred per cent"),
        pytest.param("replies>+0%", 0, 0, False, id="nothing of nothing is no change"),
        pytest.param("replies<-2.5%", 100, 97, True, id="a broken percentage"),
        pytest.param("rule:invoices>+1", 1, 3, True, id="a rule"),
        pytest.param("held>2", None, 3, True, id="what is held, of one version"),
        pytest.param("messages<200", None, 0, True, id="too few messages"),
        pytest.param("unreadable>0", None, 0, False, id="all could be read"),
        pytest.param("drafts>0", None, 3, False, id="no drafts"),
    ],
)
def test_a_bound_is_crossed_or_not(text: str, before: int | None, after: int, crossed: bool) -> None:
    threshold = read_threshold(text, RULES, against=before is not None)
    with report(after, before) as of:
        assert bool(threshold.crossed(of)) is crossed


def test_what_is_said_names_both_counts() -> None:
    with report(16, 5) as of:
        said = read_threshold("replies>+10", RULES, against=True).crossed(of)
    assert said == "replies>+10: there are 16, 5 before"


@pytest.mark.parametrize(
    ("text", "against", "said"),
    [
        pytest.param("replies", True, "write one such as", id="no bound at all"),
        pytest.param("replies<0", False, "can never be crossed", id="fewer than none"),
        pytest.param("replies<-100%", True, "can never be crossed", id="more gone than there were"),
        pytest.param("replies>+10 sends>3", True, "write one such as", id="two bounds in one"),
        pytest.param("repllies>3", True, "did you mean 'replies'?", id="a misspelt action"),
        pytest.param("rule:invoice>3", True, "did you mean 'invoices'?", id="a misspelt rule"),
        pytest.param("replies>+3", False, "with --against", id="a change of what"),
        pytest.param("replies>3%", True, "write +3%", id="a percentage of what"),
        pytest.param("messages>+3", True, "leave the sign out", id="what cannot change"),
    ],
)
def test_what_is_no_bound_is_refused_with_what_to_write(text: str, against: bool, said: str) -> None:
    with pytest.raises(PostroomError, match="--fail-if") as wrong:
        read_threshold(text, RULES, against=against)
    assert said in str(wrong.value)
