"""Every operation of the client at work against the sandbox over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from engine.errors import CursorExpired, MessageGone, Rejected
from engine.net.client import HttpClient
from engine.providers.zoom_mail import operations
from engine.providers.zoom_mail.caller import Caller
from engine.providers.zoom_mail.client import ZoomMailClient
from engine.providers.zoom_mail.label_models import Color, LabelLook
from engine.providers.zoom_mail.oauth import Credentials, Tokens
from engine.providers.zoom_mail.operations import NameTaken, Operation
from engine.providers.zoom_mail.settings_models import Criteria, FilterAction, Vacation
from engine.sandbox.operations import operations as offered
from tests.providers.conftest import OTHER
from tests.providers.conftest import SERVED as BOX
from tests.providers.fakes import MemoryBudget, MemoryTokens

OPERATIONS = [value for value in vars(operations).values() if isinstance(value, Operation)]
GREY = Color(text="#000000", background="#cccccc")


def mail(subject: str, **more: str) -> bytes:
    fields = {"From": "ann@partner.example", "To": BOX, "Subject": subject, "Message-ID": f"<{subject}@x>"}
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in (fields | more).items()]
    return ("".join(lines) + "\r\nHello\r\n").encode()


PDF = (
    b"Subject: order\r\nMIME-Version: 1.0\r\nContent-Type: application/pdf; name=a.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n"
)


@pytest.fixture
async def client(url: str) -> AsyncIterator[ZoomMailClient]:
    http = HttpClient()
    credentials = Credentials("sandbox", "sandbox", "sandbox", f"{url}/oauth/token", url)
    made = ZoomMailClient(Caller(http, Tokens(http, credentials, MemoryTokens()), MemoryBudget()))
    yield made
    await made.aclose()


def test_only_what_makes_something_anew_is_tried_once() -> None:
    once = {operation.name for operation in OPERATIONS if not operation.idempotent}
    assert once == {"messages.send", "messages.insert", "drafts.create", "drafts.send", "filters.create"}


async def messages(client: ZoomMailClient) -> None:
    """Insert, list, read, change, trash, delete, send."""
    made = await client.insert(BOX, mail("one"), ["INBOX", "STARRED"])
    assert set(made.labels) == {"INBOX", "STARRED"}
    assert (await client.message(BOX, made.id, "raw")).raw == mail("one")
    assert set((await client.modify(BOX, made.id, ["IMPORTANT"], ["STARRED"])).labels) == {
        "INBOX",
        "IMPORTANT",
    }
    assert "TRASH" in (await client.trash(BOX, made.id)).labels
    assert "TRASH" not in (await client.untrash(BOX, made.id)).labels
    two = await client.insert(BOX, mail("two"), deleted=True)
    assert "TRASH" in two.labels
    await client.batch_modify(BOX, [made.id, two.id], ["STARRED"], ["TRASH"])
    starred = await client.list_messages(BOX, label="STARRED")
    assert {message.id for message in starred.messages} == {made.id, two.id}
    found = await client.list_messages(BOX, query="subject:two")
    assert [message.id for message in found.messages] == [two.id]
    await client.delete(BOX, made.id)
    for call in (client.delete(BOX, made.id), client.trash(BOX, made.id)):
        with pytest.raises(MessageGone):
            await call
    await client.batch_delete(BOX, [two.id])
    pdf = await client.insert(BOX, PDF, ["INBOX"])
    payload = (await client.message(BOX, pdf.id, "full")).payload
    assert payload
    handle = payload.attachment_id
    assert await client.attachment(BOX, pdf.id, handle) == b"%PDF-1.4\n"
    later = datetime.now(UTC) + timedelta(hours=1)
    sent = await client.send(BOX, mail("later", To=OTHER), at=later)
    assert sent.labels == ("SCHEDULED",)
    await client.batch_delete(BOX, [sent.id, pdf.id])
    assert (await client.list_messages(BOX)).messages == ()


async def drafts(client: ZoomMailClient) -> None:
    """Make, list, read, replace, delete, send."""
    made = await client.create_draft(BOX, mail("draft", To=OTHER))
    assert [draft.key for draft in (await client.list_drafts(BOX)).drafts] == [made.key]
    await client.update_draft(BOX, made.id, mail("better", To=OTHER))
    read = await client.draft(BOX, made.id, "raw")
    assert read.message
    assert read.message.raw == mail("better", To=OTHER)
    other = await client.create_draft(BOX, mail("other"))
    await client.delete_draft(BOX, other.id)
    with pytest.raises(MessageGone):
        await client.draft(BOX, other.id)
    sent = await client.send_draft(BOX, made.id, mail("final", To=OTHER))
    assert "DRAFT" not in sent.labels
    with pytest.raises(MessageGone):
        await client.send_draft(BOX, made.id)
    arrived = await client.list_messages(OTHER, query="subject:final")
    assert len(arrived.messages) == 1
    await client.delete(BOX, sent.id)


async def threads(client: ZoomMailClient) -> None:
    """List, read, change, trash, delete."""
    first = await client.insert(BOX, mail("talk"), ["INBOX"])
    reply = await client.insert(BOX, mail("Re: talk", Message_ID="<r@x>", In_Reply_To="<talk@x>"), ["INBOX"])
    [listed] = (await client.list_threads(BOX, query="subject:talk")).threads
    assert listed.id == first.thread == reply.thread
    thread = await client.thread(BOX, listed.id, "metadata", "Subject")
    assert {message.id for message in thread.messages} == {first.id, reply.id}
    changed = await client.modify_thread(BOX, thread.id, ["STARRED"], ["INBOX"])
    assert [set(message.labels) for message in changed.messages] == [{"STARRED"}] * 2
    trashed = await client.trash_thread(BOX, thread.id)
    assert all("TRASH" in message.labels for message in trashed.messages)
    restored = await client.untrash_thread(BOX, thread.id)
    assert not any("TRASH" in message.labels for message in restored.messages)
    await client.delete_thread(BOX, thread.id)
    with pytest.raises(MessageGone):
        await client.thread(BOX, thread.id)


async def labels(client: ZoomMailClient) -> None:
    """Make, list, read, rename, replace, delete."""
    finance = await client.create_label(BOX, "Finance", look=LabelLook(color=GREY, in_list="labelHide"))
    assert (finance.color, finance.in_list) == (GREY, "labelHide")
    paid = await client.create_label(BOX, "Paid", finance.id)
    assert (await client.label(BOX, paid.id)).parent == finance.id
    with pytest.raises(NameTaken):
        await client.create_label(BOX, "Finance")
    await client.update_label(BOX, paid.id, "Settled", "")
    moved = await client.label(BOX, paid.id)
    assert (moved.name, moved.parent) == ("Settled", "")
    look = LabelLook(on_messages="hide")
    await client.replace_label(BOX, paid.id, "Done", finance.id, look)
    replaced = await client.label(BOX, paid.id)
    assert (replaced.name, replaced.parent, replaced.on_messages) == ("Done", finance.id, "hide")
    await client.delete_label(BOX, paid.id)
    assert paid.id not in {label.id for label in await client.labels(BOX)}
    with pytest.raises(Rejected):
        await client.label(BOX, paid.id)


async def settings(client: ZoomMailClient) -> None:
    """Vacation, delegates, filters."""
    away = Vacation(on=True, subject="Away", text="Back soon", start=1_704_268_800_000, domain_only=True)
    await client.set_vacation(BOX, away)
    told = await client.vacation(BOX)
    assert (told.on, told.subject, told.start, told.domain_only) == (True, "Away", 1_704_268_800_000, True)
    granted = await client.grant_delegate(BOX, OTHER, "dlgeditor")
    assert (granted.address, granted.access) == (OTHER, "dlgeditor")
    assert (await client.delegate(BOX, OTHER)).address == OTHER
    assert [each.address for each in await client.delegates(BOX)] == [OTHER]
    await client.revoke_delegate(BOX, OTHER)
    assert await client.delegates(BOX) == ()
    criteria = Criteria(sender="ann@partner.example", size=10, size_comparison="larger")
    made = await client.create_filter(BOX, criteria, FilterAction(add=("STARRED",)))
    read = await client.filter(BOX, made.id)
    assert (read.criteria.sender, read.criteria.size, read.action.add) == (criteria.sender, 10, ("STARRED",))
    assert [each.id for each in await client.filters(BOX)] == [made.id]
    await client.delete_filter(BOX, made.id)
    with pytest.raises(Rejected):
        await client.filter(BOX, made.id)


async def test_every_operation_works_against_the_sandbox(client: ZoomMailClient, url: str) -> None:
    start = (await client.profile(BOX)).history
    for story in (messages, drafts, threads, labels, settings):
        await story(client)
    history = await client.history(BOX, start)
    assert history.newest > start
    with pytest.raises(CursorExpired):
        await client.history(BOX, history.newest + 1000)
    async with httpx.AsyncClient(base_url=url, trust_env=False) as control:
        called = (await control.get("/_sandbox/calls")).json()["operations"]
    assert called.keys() - {"token"} == {operation.id for operation in offered()}


async def test_an_ask_shows_no_message_text_in_an_error(client: ZoomMailClient) -> None:
    with pytest.raises(Rejected) as caught:
        await client.insert(BOX, mail("one"), ["Label_99"])
    assert "Hello" not in str(caught.value)
