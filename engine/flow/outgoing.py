"""Make the bytes of a send or a draft: fetch what the template needs, render, compose."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from engine.errors import PostroomError, Rejected, TemplateError
from engine.flow.calling import along_with, named_steps
from engine.flow.forwarding import forwarded
from engine.flow.inverse import dumped
from engine.flow.own_files import own_files
from engine.flow.plan import Run
from engine.flow.planned import date_of
from engine.flow.ports import Provider
from engine.flow.stores import Claim
from engine.flow.writers import OUR_MESSAGE_ID
from engine.mail.address import Address, parse_address, parse_addresses
from engine.mail.automated import is_no_reply
from engine.mail.compose import Outgoing, answer_to, compose, is_sendable, reply_headers
from engine.mail.headers import Headers, parse_headers
from engine.mail.message import Message, no_message
from engine.mail.mime import from_raw
from engine.mail.needs import Need
from engine.rules.effects import SaveDraft, SendMessage
from engine.templating.library import Context, Library, Rendered

Own = Mapping[str, frozenset[str]]
"""By mailbox, all addresses that are ours, in normal form."""
MAX_OTHERS = 25
WRITTEN_TO = ("Delivered-To", "To", "Cc", "Bcc")


def message_id(run: Run, step: int) -> str:
    """The Message-ID of a step: the same at every attempt, so that a lost answer can be looked up."""
    return message_id_of(run.id, step, run.mailbox)


def message_id_of(run: str, step: int, mailbox: str) -> str:
    """Make it of a run's id."""
    return f"<{run}.{step}{OUR_MESSAGE_ID}{mailbox.partition('@')[2]}>"


OWN_ID = rf"([0-9a-f]{{32}})\.(\d{{1,4}}){re.escape(OUR_MESSAGE_ID)}[^<>\s]+"
"""Finds run and step in what `message_id_of` makes, without its angle brackets."""


async def compose_step(
    provider: Provider,
    templates: Library,
    claim: Claim,
    step: int,
    own: Own,
    now: int,
    zone: tzinfo | None = None,
) -> bytes:
    """Render and compose one step, times in `zone`. Raises TemplateError, and what fetching raises."""
    run, effect = claim.run, claim.run.steps[step]
    if not isinstance(effect, (SendMessage, SaveDraft)):
        raise TypeError(f"step {step} of run {run.id} sends nothing")
    if effect.forward:
        return _compose_forward(run, step, effect, await provider.raw(run.mailbox, run.key), own, zone)
    needs = templates.needs(effect.template, effect.inputs) | {Need.HEADERS}
    message = await provider.fetch(run.mailbox, run.key, needs) if run.key else no_message(run.mailbox)
    along = along_with(claim)
    context = Context(
        message=message,
        inputs=effect.inputs,
        captures=run.captures,
        steps=named_steps(claim),
        mailbox=run.mailbox,
        now=datetime.fromtimestamp(now / 1000, UTC),
        values=along.values,
        payload=along.payload,
        recipients=_languages_of(effect, message),
        zone=zone,
    )
    try:
        rendered = templates.render(effect.template, context)
        mail = _outgoing(run, step, effect, message, rendered, own, zone)
        raw = await provider.raw(run.mailbox, run.key) if rendered.own and run.key else b""
        return compose(replace(mail, files=(*mail.files, *own_files(raw, rendered.own), *along.files)))
    except PostroomError:
        raise
    except Exception as defect:
        # Nothing was sent yet: whatever went wrong is for a person, not for a second try.
        raise TemplateError(f"composing failed: {type(defect).__name__}") from defect


def written_to(raw: bytes) -> dict[str, str]:
    """Say in a receipt to whom a mail went, as digests: by that a bounce of it is believed."""
    return {"to": dumped([address_digest(one.normal) for one in written_for(parse_headers(raw))])}


def written_for(headers: Headers) -> tuple[Address, ...]:
    """Give all whom a mail goes to."""
    return parse_addresses([text for name in ("To", "Cc", "Bcc") for text in headers.all(name)])


def address_digest(normal: str) -> str:
    """Name an address where none may be read: the journal holds nothing of what messages say."""
    return hashlib.sha256(normal.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _compose_forward(
    run: Run, step: int, effect: SendMessage | SaveDraft, raw: bytes, own: Own, zone: tzinfo | None
) -> bytes:
    made = forwarded(raw, whole=effect.forward == "attachment")
    written_to = _written_to(from_raw(raw, key=run.key), own.get(run.mailbox, frozenset()))
    return compose(
        Outgoing(
            from_=Address("", written_to or run.mailbox),
            to=tuple(parse_address(text) for text in effect.to),
            subject=made.subject,
            text=made.text,
            html=made.html,
            message_id=message_id(run, step),
            date=date_of(run, effect, zone),
            files=made.files,
            auto=_auto(effect),
        )
    )


def _outgoing(
    run: Run,
    step: int,
    effect: SendMessage | SaveDraft,
    message: Message,
    rendered: Rendered,
    own: Own,
    zone: tzinfo | None,
) -> Outgoing:
    reply = reply_headers(message) if effect.reply else None
    to = _recipients(effect, message)
    return Outgoing(
        from_=Address(rendered.from_name, _sender(run, rendered, message, own)),
        to=to,
        cc=_everybody_else(message, own, to) if isinstance(effect, SendMessage) and effect.all else (),
        subject=rendered.subject or (reply.subject if reply else ""),
        text=rendered.text,
        html=rendered.html,
        message_id=message_id(run, step),
        date=date_of(run, effect, zone),
        in_reply_to=reply.in_reply_to if reply else "",
        references=reply.references if reply else (),
        headers=rendered.headers,
        reply_to=rendered.reply_to,
        files=rendered.files,
        auto=_auto(effect),
    )


def _auto(effect: SendMessage | SaveDraft) -> str:
    """RFC 3834, section 5; what a person sends from a draft is not automatic."""
    if isinstance(effect, SaveDraft) or (effect.approval and effect.approval.draft):
        return ""
    return "auto-replied" if effect.reply else "auto-generated"


def _recipients(effect: SendMessage | SaveDraft, message: Message) -> tuple[Address, ...]:
    if not effect.reply:
        return tuple(parse_address(text) for text in effect.to)
    address = answer_to(message)
    if address is None:
        raise Rejected("there is no address to answer")
    return (address,)


def _languages_of(effect: SendMessage | SaveDraft, message: Message) -> tuple[str, ...]:
    """Whose address may tell the language: who is answered, or who is written to."""
    answered = answer_to(message) if effect.reply else None
    return (answered.address,) if answered else tuple(parse_address(text).address for text in effect.to)


def _sender(run: Run, rendered: Rendered, message: Message, own: Own) -> str:
    """The address it leaves from: the template's, if it is ours. Raises TemplateError."""
    ours = own.get(run.mailbox, frozenset())
    if rendered.sender and parse_address(rendered.sender).normal not in {
        *ours,
        parse_address(run.mailbox).normal,
    }:
        raise TemplateError(f"the template's `from`, {rendered.sender}, is no address of {run.mailbox}")
    return rendered.sender or _written_to(message, ours) or run.mailbox


def _written_to(message: Message, own: frozenset[str]) -> str:
    """Which of our addresses the message was written to: an answer leaves from there."""
    for field in WRITTEN_TO:
        for address in message.addresses(field):
            if address.normal in own:
                return address.address
    return ""


def _everybody_else(message: Message, own: Own, to: tuple[Address, ...]) -> tuple[Address, ...]:
    """Who else was written to, less ourselves and who never reads answers. Raises Rejected for a crowd."""
    known = frozenset(own).union(*own.values(), (address.normal for address in to))
    others = [*message.addresses("To"), *message.addresses("Cc")]
    wanted = {one.normal: one for one in others if is_sendable(one) and not is_no_reply(one.address)}
    found = tuple(one for one in wanted.values() if known.isdisjoint((one.normal, one.untagged)))
    if len(found) > MAX_OTHERS:
        raise Rejected(f"an answer to all would go to {len(found)} others, more than {MAX_OTHERS}")
    return found
