"""Mail that is sent on, inline and as a file, within our own domains."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from engine.errors import RuleError
from engine.flow.forwarding import forwarded
from engine.mail.automated import automated
from engine.mail.headers import parse_headers
from engine.rules.findings import RuleErrors
from engine.rules.home import Homes
from engine.rules.loader import load_rules
from engine.rules.reach import Reach, recipients
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

RICH = (
    b"From: Ann <ann@x.example>\r\nTo: support@acme.example\r\nSubject: Gr=?utf-8?q?=C3=BC=C3=9Fe?=\r\n"
    b"Message-ID: <rich@x.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n"
    b"--m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n"
    b"--r\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><head><title>t</title>"
    b'</head><body class="x">'
    b'<p>Hello <b>there</b></p><img src="cid:logo@x.example"></body></html>\r\n'
    b"--r\r\nContent-Type: image/png\r\nContent-ID: <logo@x.example>\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--r--\r\n"
    b'--m\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="a.pdf"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQ=\r\n--m--\r\n"
)


async def sent_on(world: World, how: str, raw: bytes) -> EmailMessage:
    await world.rules(f"{{when: {{label: INBOX}}, then: [forward: {{to: boss@acme.example, as: {how}}}]}}")
    world.provider.deliver("1", raw)
    await world.read_and_drain()
    await world.execute_all()
    (sent,) = world.provider.sent
    read = message_from_bytes(sent, policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


async def test_inline_it_is_named_and_its_text_picture_and_file_go_along(world: World) -> None:
    mail = await sent_on(world, "inline", RICH)
    assert (mail["To"], mail["From"], mail["Auto-Submitted"]) == ("boss@acme.example", BOX, "auto-generated")
    assert mail["Subject"].startswith("Fwd: Gr")
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert "<p>Hello <b>there</b></p>" in html.get_content()
    assert "<title>" not in html.get_content()
    assert "From: Ann <ann@x.example>" in text.get_content()
    assert "Hello there" in text.get_content()
    types = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
    assert types == ["text/plain", "text/html", "image/png", "application/pdf"]


async def test_as_an_attachment_every_byte_goes_along(world: World) -> None:
    raw = mail("order 1")
    read = await sent_on(world, "attachment", raw)
    (file,) = read.iter_attachments()
    assert (file.get_content_type(), file.get_filename()) == ("message/rfc822", "order 1.eml")
    assert parse_headers(file.as_bytes()).text("Subject") == "" or b"Subject: order 1" in file.as_bytes()


async def test_bytes_beyond_ascii_go_along_unchanged_as_a_file(world: World) -> None:
    raw = mail("order") + b"Gr\xfc\xdfe\r\n"
    read = await sent_on(world, "attachment", raw)
    (file,) = read.iter_attachments()
    assert file.get_payload(decode=True) == raw


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(mail("m", sender=BOX), id="from ourselves"),
        pytest.param(mail("m", Auto_Submitted="auto-replied"), id="an automatic answer"),
    ],
)
async def test_no_loop_begins_with_a_forward(world: World, raw: bytes) -> None:
    await world.rules("{when: {label: INBOX}, then: [forward: boss@acme.example]}")
    world.provider.deliver("1", raw)
    await world.read_and_drain()
    assert (await world.run()).receipts[0]["outcome"] == "held"


async def test_a_lost_answer_to_a_forward_is_looked_up(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [forward: boss@acme.example]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    world.provider.lost_answers = 1
    run = (await world.run()).run.id
    again = await world.execute(run)
    assert again is not None
    world.clock.now = again
    assert await world.execute(run) is None
    assert len(world.provider.sent) == 1


HOMES = Homes(
    reach=Reach(recipients([BOX, "me@gmail.com"], ["partner.example", "*.sub.example", "z@z.example"]))
)


def refused(to: str) -> list[RuleError]:
    text = f"rules:\n  - id: a\n    when: {{subject: x}}\n    then:\n      - forward: {{to: ['{to}']}}\n"
    try:
        load_rules({"a.yaml": text}, None, HOMES)
    except RuleErrors as errors:
        return list(errors.errors)
    return []


@pytest.mark.parametrize(
    "to",
    [
        "boss@acme.example",
        "Boss <b@ACME.example>",
        "a@partner.example",
        "a@b.sub.example",
        "z@z.example",
        "me@gmail.com",
    ],
)
def test_our_own_domains_and_what_is_allowed_may_be_forwarded_to(to: str) -> None:
    assert refused(to) == []


@pytest.mark.parametrize(
    "to",
    [
        pytest.param("a@evil.example", id="a stranger"),
        pytest.param("other@gmail.com", id="a stranger where everybody may live"),
        pytest.param("a@sub.example", id="the domain above those allowed"),
        pytest.param("a@b.partner.example", id="a domain below one allowed"),
        pytest.param("y@z.example", id="the neighbour of an address allowed"),
        pytest.param("a@acme.example.evil.example", id="a domain that begins like ours"),
    ],
)
def test_a_rule_that_would_leave_them_is_refused_where_it_stands(to: str) -> None:
    (error,) = refused(to)
    assert str(error) == (
        f"a.yaml:5:24 rules[0].then[0].forward.to[0]: '{to}' is outside our own domains; "
        "name it below outbound.allow in postroom.yaml"
    )


def test_what_a_message_says_never_breaks_out_of_the_lines_that_name_it() -> None:
    raw = b"From: a@b.example\r\nSubject: =?utf-8?q?<script>=0D=0ABcc:_x@y.example?=\r\n\r\nhi\r\n"
    made = forwarded(raw, whole=False)
    assert "\n" not in made.subject
    assert "<script>" not in made.html
    assert not automated(parse_headers(raw))
