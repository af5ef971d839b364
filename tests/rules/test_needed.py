"""What a regex needs stands in every text that it is found in."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.rules.needed import needed
from engine.rules.patterns import regex
from engine.rules.text import Text


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        pytest.param("Invoice", [["invoic"]], id="a word, but for its last sign"),
        pytest.param(r"(?i)\border\s+#?1234", [["orde", "123"]], id="all words, the longest first"),
        pytest.param("invoice|facture", [["invoic"], ["factur"]], id="one of each alternative"),
        pytest.param(
            r"(?:Re: )?order(?P<n>\d+)|order [0-9()|]{2,}", [["orde"], ["order"]], id="no group or class"
        ),
        pytest.param(r"orders?", [["orde"]], id="nothing that may lack"),
        pytest.param(r"orders{0,2}x", [["orde"]], id="nothing that may stand no time"),
        pytest.param(r"orders+", [["order"]], id="what stands once at least"),
        pytest.param(r"\[proj-\d", [["[proj"]], id="escaped signs"),
        pytest.param(
            r"\x{41}bcde\pLfgh\101ij", [["bcd", "fg", "i"]], id="no escape that takes more than a sign"
        ),
        pytest.param("[]order[]invoice", [["invoic"]], id="a bracket that does not end its class"),
        pytest.param("(invoice|facture)", None, id="nothing of a group"),
        pytest.param("invoice|a.*b", None, id="an alternative without any"),
        pytest.param("abc", None, id="nothing that is short"),
        pytest.param(r"\Qorder|\E", None, id="nothing that is quoted"),
        pytest.param("b\u00fcrostra\u00dfe", [["rostr"]], id="ASCII alone"),
    ],
)
def test_what_a_regex_needs(expression: str, parts: list[list[str]] | None) -> None:
    regex(expression)
    found = needed(expression)
    assert (None if found is None else [list(each) for each in found]) == parts


PIECES = {
    "order": "order",
    "SKIT": "SKIT",
    "#1234": "#1234",
    "order?": "orde",
    "skitx?": "skit",
    "skit*": "ski",
    "skit*?#": "ski#",
    "order+": "orderr",
    "order{2}": "orderr",
    "order{0,1}": "orde",
    "order{,2}": "order{,2}",
    " ": " ",
    "ß": "ß",
    "\u0308": "\u0308",
    ".": "x",
    r"\d{3}": "123",
    "[a-f|(]": "|",
    "[^]order]": "x",
    r"a\.\-\[b": "a.-[b",
    r"\x41order": "Aorder",
    r"\x{41}order": "Aorder",
    r"\101order": "Aorder",
    r"\pLorder": "Xorder",
    r"\p{Lu}order": "Xorder",
    "(?:order|skit)": "skit",
    "(order)?": "",
    "(?i:SKIT)": "skit",
    "(?:[)]order)": ")order",
    r"\Border": "order",
}
"""Expressions, and of each a text that it matches; some together match nothing."""
ALTERNATIVES = st.lists(
    st.lists(st.sampled_from(list(PIECES)), min_size=1, max_size=4), min_size=1, max_size=3
)
CHANGES = st.sampled_from(
    [{}, {"s": "\u017f", "k": "\u212a", "i": "I"}, {"t": "T", "S": "\u017f\u0323"}, {"R": "r"}]
)
BEHIND = st.sampled_from(["", "\u0308", "\u0331", "x"])


@settings(max_examples=200, deadline=None)
@example(alternatives=[["skitx?"]], flags="(?i)", change={"t": "T"}, behind="\u0308")
@given(alternatives=ALTERNATIVES, flags=st.sampled_from(["", "(?i)"]), change=CHANGES, behind=BEHIND)
def test_a_text_that_lacks_it_does_not_match(
    alternatives: list[list[str]], flags: str, change: Mapping[str, str], behind: str
) -> None:
    expression = flags + "|".join(map("".join, alternatives))
    pattern, parts = regex(expression), needed(expression)
    for each in alternatives:
        raw = (
            "".join(PIECES[piece] for piece in each).translate(
                {ord(sign): other for sign, other in change.items()}
            )
            + behind
        )
        text = Text(raw)
        if parts is not None and pattern.search(text.exact_bytes) is not None:
            assert any(all(part in text.folded for part in one) for one in parts)
