"""Addresses in header fields that have no condition of their own."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.rules.evaluation import Verdict
from engine.rules.view import View
from tests.rules.making import NOW, condition, holds, judged, make_message

BOUNCE = make_message(
    ("Return-Path", "<Bounces+Ann@mail.x.example>"),
    ("Delivered-To", "info@acme.example"),
    ("X-Original-To", "Shop <shop@acme.example>"),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{header: Return-Path, domain: '*.x.example'}", True, id="a domain in angle brackets"),
        pytest.param("{header: return-path, domain: x.example}", False, id="a domain is exact"),
        pytest.param("{header: Delivered-To, is: Info@acme.example}", True, id="a bare address"),
        pytest.param(
            "{header: [Delivered-To, X-Original-To], is: shop@acme.example}", True, id="one of several fields"
        ),
        pytest.param("{header: X-Original-To, name: {is: shop}}", True, id="a display name"),
        pytest.param("{header: X-Nothing, glob: '*'}", False, id="a field that is absent"),
        pytest.param("{header: X-Nothing, exists: false}", True, id="no address at all"),
        pytest.param("{header: Return-Path, regex: '[+](?P<who>[^@]+)@'}", True, id="a pattern"),
    ],
)
def test_an_address_in_any_field_is_compared(text: str, expected: bool) -> None:
    assert holds(f"address: {text}", BOUNCE) is expected


def test_a_pattern_captures() -> None:
    found = judged("address: {header: Return-Path, regex: '[+](?P<who>[^@]+)@'}", BOUNCE)
    assert (found.verdict, found.captures) == (Verdict.MATCHED, {"who": "Ann"})


def test_what_was_compared_is_told() -> None:
    asked = condition("address: {header: Delivered-To, is: x@y.example}")
    assert asked.seen(View(BOUNCE, NOW)) == '"info@acme.example"'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("address: Return-Path", "must be a map", id="a bare name"),
        pytest.param("address: {header: Return-Path}", "asks nothing", id="nothing compared"),
        pytest.param(
            "address: {header: 'Return Path', is: a@b.example}", "is no header name", id="no header name"
        ),
        pytest.param("address: {is: a@b.example}", "'header' is missing", id="no header"),
    ],
)
def test_mistakes_are_named(text: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        condition(text)
