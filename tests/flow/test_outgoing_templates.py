"""What a template adds to the mail that leaves: sender, header fields, images, files, language."""

from __future__ import annotations

import base64
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from engine.flow.ports import Profile
from tests.flow.conftest import World
from tests.flow.fakes import BOX

ALIAS = "help@acme.example"
REPLY = "{when: {label: INBOX}, then: [reply: hi]}"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 20).decode()
RAW = (
    b"From: =?utf-8?q?Ann=0D=0ABcc=3A_evil=40x=2Eexample?= <ann@x.example>\r\nTo: support@acme.example\r\n"
    b"Subject: =?utf-8?q?a=0D=0ABcc=3A_evil=40x=2Eexample=0D=0A=0D=0Ab?=\r\nContent-Language: de\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n"
    b"--b\r\nContent-Type: application/pdf\r\n"
    b"Content-Disposition: attachment; filename*=utf-8''a%0D%0ABcc%3A%20x%2F..%2Fb.pdf\r\n\r\n%PDF-1\r\n"
    b"--b\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename=x.html\r\n\r\n"
    b"<p>\r\n--b--\r\n"
)


async def sent(world: World, templates: dict[str, str], rule: str = REPLY) -> EmailMessage:
    """The only mail that the rule sends because of RAW."""
    await played(world, templates, rule)
    (only,) = world.provider.sent
    return message_from_bytes(only, policy=SMTP)


async def played(world: World, templates: dict[str, str], rule: str = REPLY) -> None:
    await world.mailboxes.know(BOX, Profile(1, "active", frozenset({BOX, ALIAS})))
    await world.rules(rule, templates=templates)
    world.provider.deliver("1", RAW)
    await world.read_and_drain()
    await world.execute_all()


def template(front: str, body: str = "Hello.") -> dict[str, str]:
    return {"hi.md": f"---\nsubject: S\n{front}\n---\n{body}"}


async def test_a_template_names_sender_answers_and_fields(world: World) -> None:
    front = (
        "from: Help <help@acme.example>\nreply_to: desk@acme.example\nheaders: {X-Team: 'for {{ mailbox }}'}"
    )
    mail = await sent(world, template(front))
    assert str(mail["From"]) == "Help <help@acme.example>"
    assert str(mail["Reply-To"]) == "desk@acme.example"
    assert mail["X-Team"] == f"for {BOX}"


async def test_a_sender_that_is_not_ours_is_a_dead_letter(world: World) -> None:
    await played(world, template("from: ceo@other.example"))
    assert world.provider.sent == []
    assert "ceo@other.example, is no address of" in str((await world.run()).receipts)


async def test_a_missing_input_is_a_dead_letter_and_never_a_hole(world: World) -> None:
    rule = "{when: {label: INBOX}, then: [reply: {template: hi, with: {x: '{{ steps.ticket.number }}'}}]}"
    await played(world, template("inputs: [x]", "{{ x }}"), rule)
    assert world.provider.sent == []
    assert (await world.run()).state == "dead"


async def test_images_and_files_go_along_and_names_add_nothing(world: World) -> None:
    front = "images: {logo: files/logo.png}\nattach: [files/terms.txt, {message: '*.PDF'}]"
    files = {"files/logo.png": PNG, "files/terms.txt": base64.b64encode(b"terms").decode()}
    mail = await sent(world, template(front, "![Logo]({{ images.logo }}) Hi") | files)
    (image,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    (html,) = [part.get_content() for part in mail.walk() if part.get_content_type() == "text/html"]
    assert f'<img src="cid:{str(image["Content-ID"]).strip("<>")}" alt="Logo"' in html
    assert [part.get_filename() for part in mail.iter_attachments()] == ["terms.txt", "a Bcc x .. b.pdf"]
    assert not [part for part in mail.walk() if "Bcc" in part]


@pytest.mark.parametrize(
    "front",
    [
        pytest.param("from_name: '{{ message.subject }}'", id="the sender's name"),
        pytest.param("headers: {X-A: '{{ message.subject }}'}", id="a field"),
        pytest.param("headers: {X-A: 'a {{ message.from.name }} b'}", id="the middle of a field"),
        pytest.param("locale: en", id="the subject"),
    ],
)
async def test_no_line_break_of_a_message_adds_a_header_field(world: World, front: str) -> None:
    files = {
        "hi.md": f"---\nsubject: 'Re {{{{ message.subject }}}} {{{{ message.from.name }}}}'\n{front}\n---\nHi"
    }
    mail = await sent(world, files)
    known = {
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "X-A",
        "MIME-Version",
        "Content-Type",
    }
    assert set(mail.keys()) <= known
    assert "evil@x.example" not in [
        address.addr_spec for field in ("To", "From") for address in mail[field].addresses
    ]


async def test_the_language_follows_the_message(world: World) -> None:
    german = {"hi.de.md": "---\nsubject: Danke\n---\nHallo {{ message.subject | truncate(1) }}"}
    assert (await sent(world, template("locale: en") | german))["Subject"] == "Danke"
