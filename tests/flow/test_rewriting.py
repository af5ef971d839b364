"""A mail of ours that a person rewrites: what is not touched stays as it is, to the byte."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flow.rewriting import bodies, rewritten
from engine.mail.address import Address
from engine.mail.bodies import File, UnsendableError
from engine.mail.compose import Outgoing, compose
from engine.mail.mime import from_raw
from engine.templating.markup import header_line, tidy

MAIL = Outgoing(
    from_=Address('Jörg "J"', "help@acme.example"),
    to=(Address("", "ann@x.example"),),
    cc=(Address("Cox, Bo", "bo@x.example"),),
    subject="Grüße, " + "und noch mehr " * 9,
    text="Hällo\n\n-- \nWe\n" + "y" * 2_000 + "\n",
    html='<p>Hällo <img src="cid:logo@acme.example"></p>\n',
    message_id="<1.0.postroom@acme.example>",
    date=datetime(2026, 1, 1, tzinfo=UTC),
    in_reply_to="<p@x.example>",
    references=("<o@x.example>", "<p@x.example>"),
    headers={"X-Thing": "ü 1", "List-Id": "a"},
    reply_to=(Address("", "desk@acme.example"),),
    files=(
        File("logo.png", "image/png", b"\x89PNG", "logo@acme.example"),
        File("ä.pdf", "application/pdf", b"%PDF"),
        File("m.eml", "message/rfc822", b"Subject: x\r\n\r\nhi\r\n"),
        File("n.txt", "text/plain", b"abc"),
    ),
    auto="auto-replied",
)


def test_what_nobody_touches_stays_to_the_byte() -> None:
    assert rewritten(compose(MAIL), None, None) == compose(MAIL)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200))
def test_whatever_a_template_made_stays_to_the_byte(subject: str, text: str) -> None:
    made = replace(MAIL, subject=header_line("Subject", subject), text=tidy(text), files=())
    raw = compose(made)
    assert rewritten(raw, None, None) == raw


def test_a_new_text_is_said_by_the_html_as_well_and_all_else_stays() -> None:
    before, raw = compose(MAIL), rewritten(compose(MAIL), "Other\r\nBcc: eve@x.example", "Not <b>now</b>.")
    old, new = from_raw(before, key="1"), from_raw(raw, key="1")
    assert bodies(raw)[0] == "Not <b>now</b>.\n"
    assert "Not &lt;b&gt;now&lt;/b&gt;." in bodies(raw)[1]
    assert new.subject == "Other Bcc: eve@x.example"
    assert [name for name, _ in new.headers] == [name for name, _ in old.headers]
    assert new.attachments == old.attachments
    for field in ("To", "Cc", "From", "Message-ID", "References", "Auto-Submitted"):
        assert new.headers.all(field) == old.headers.all(field)


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(UnsendableError, match="300,000"):
        rewritten(compose(MAIL), None, "x" * 300_001)
