"""Captures in texts."""

from __future__ import annotations

import pytest

from engine.rules.captures import fill, only_plain, uses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Lists/{{ captures.list }}", "Lists/Ops", id="as it was captured"),
        pytest.param("Lists/{{ captures.list | lower }}", "Lists/ops", id="in lower case"),
        pytest.param("{{captures.list|upper}}", "OPS", id="in upper case"),
        pytest.param("{{ captures.nothing | lower }}", "", id="a capture that nothing supplied"),
    ],
)
def test_a_use_is_filled(text: str, expected: str) -> None:
    assert only_plain(text)
    assert fill(text, {"list": "Ops"}) == expected


@pytest.mark.parametrize("text", ["{{ captures.list | title }}", "{{ captures.list | lower | upper }}"])
def test_other_filters_are_no_plain_use(text: str) -> None:
    assert not only_plain(text)
    assert list(uses(text)) == [("list", False)]
