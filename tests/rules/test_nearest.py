"""What stood in a rule's way, and the fewest changes after which it would have matched."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.message import Attachment
from engine.rules.evaluation import Reason, Verdict
from engine.rules.lacking import lacking
from engine.rules.nearest import failed, nearest
from engine.rules.reasons import reason_of
from engine.rules.view import View
from tests.rules.making import NOW, condition, make_message

YES, NO, OPEN = Verdict.MATCHED, Verdict.NOT_MATCHED, Verdict.UNDECIDED
LEAVES = st.sampled_from([YES, NO, OPEN])
SHAPES = st.recursive(
    LEAVES,
    lambda inner: (
        st.tuples(st.sampled_from(["all", "any", "none"]), st.lists(inner, min_size=1, max_size=3))
        | st.tuples(st.just("not"), st.lists(inner, min_size=1, max_size=1))
    ),
    max_leaves=6,
)


def kleene(key: str, each: list[Verdict]) -> Verdict:
    decisive = NO if key == "all" else YES
    found = decisive if decisive in each else OPEN if OPEN in each else YES if key == "all" else NO
    turned = {YES: NO, NO: YES, OPEN: OPEN}
    return turned[found] if key in ("none", "not") else found


def tree(shape: object, path: str, verdicts: dict[str, Verdict]) -> Reason:
    """Make the reasons of a tree, with some single conditions come out otherwise."""
    if isinstance(shape, Verdict):
        here = f"{path}.leaf"
        return Reason(here, verdicts.get(here, shape), "")
    assert isinstance(shape, tuple)
    key, members = shape
    children = tuple(tree(one, f"{path}.{key}[{at}]", verdicts) for at, one in enumerate(members))
    verdict = kleene(key, [child.verdict for child in children])
    return Reason(f"{path}.{key}", verdict, "", children)


def leaves(reason: Reason) -> list[Reason]:
    return [leaf for child in reason.children for leaf in leaves(child)] or [reason]


@settings(max_examples=200, deadline=None)
@given(shape=SHAPES)
def test_the_nearest_changes_do_it_and_no_fewer_would(shape: object) -> None:
    reason = tree(shape, "when", {})
    changes = {each.path: NO if each.text == "must not hold" else YES for each in nearest(reason)}
    assert tree(shape, "when", changes).verdict is YES
    paths = [leaf.path for leaf in leaves(reason)]
    for size in range(len(changes)):
        for chosen in combinations(paths, size):
            for bits in range(2**size):
                other = {path: YES if bits >> at & 1 else NO for at, path in enumerate(chosen)}
                assert tree(shape, "when", other).verdict is not YES


@settings(max_examples=200, deadline=None)
@given(shape=SHAPES)
def test_what_stands_in_the_way_is_named_and_nothing_else_is_needed(shape: object) -> None:
    reason = tree(shape, "when", {})
    named = {leaf.path for leaf in failed(reason)}
    assert bool(named) is (reason.verdict is not YES)
    assert named >= {change.path for change in nearest(reason)}


PDF = Attachment("a.pdf", "application/pdf", 10_000, sniffed="")
PNG = Attachment("b.png", "image/png", 5_000_000, sniffed="")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{size: {gt: 2KB}}", "1001 bytes too small", id="how much is lacking"),
        pytest.param(
            "{size: {gte: 1B, lt: 900B}}", 'fails {"lt": "900B"}; 101 bytes too large', id="too much"
        ),
        pytest.param(
            "{attachment: {type: pdf, size: {gt: 1MB}}}",
            "type and size hold, but not of one and the same",
            id="a small PDF beside a big image",
        ),
        pytest.param(
            "{attachment: {type: pdf, name: {ends_with: .zip}}}",
            'fails {"name": {"ends_with": [".zip"]}}',
            id="one key of two",
        ),
        pytest.param(
            "{from: '@partner.example'}", "it is a subdomain: write *.partner.example", id="a subdomain"
        ),
        pytest.param(
            "{from: {domain: '*.mail.partner.example'}}",
            "*.mail.partner.example means its subdomains alone: write mail.partner.example as well",
            id="the domain itself",
        ),
        pytest.param(
            "{from: anne@mail.partner.example}",
            '"ann@mail.partner.example" is near "anne@mail.partner.example"',
            id="a near address",
        ),
        pytest.param(
            "{subject: {regex: order}}", "with (?i) its pattern would be found", id="the case of a pattern"
        ),
        pytest.param("{subject: Order 4821}", '"ORDER 4821!" is near "order 4821"', id="a near subject"),
        pytest.param(
            "{subject: {starts_with: order, ends_with: x}}",
            'fails {"ends_with": ["x"]}',
            id="one kind of two",
        ),
        pytest.param(
            "{header: {name: X-A, is: '1', contains: '2'}}",
            'fails {"is": ["1"], "contains": ["2"]}',
            id="a header that is not there",
        ),
        pytest.param("{label: Work}", "", id="nothing to add"),
    ],
)
def test_a_condition_says_what_it_lacks(text: str, said: str) -> None:
    message = make_message(("From", "ann@mail.partner.example"), ("Subject", "ORDER 4821!"), files=[PDF, PNG])
    view = View(message, NOW)
    assert condition(text).judge(view).verdict is NO
    assert lacking(condition(text), view) == said


def test_what_speaks_to_a_terminal_is_written_out() -> None:
    view = View(make_message(("Subject", "a\u202eb\x9b31mc")), NOW)
    assert r'found "a\u202eb\u009b31mc"' in reason_of(condition("{subject: x}"), view, "when").text


def test_a_long_list_is_not_written_out() -> None:
    names = ", ".join(f"name{number}@x.example" for number in range(1_000))
    reason = reason_of(condition(f"{{from: [{names}]}}"), View(make_message(), NOW), "when")
    assert len(reason.text) < 600
