"""The operations that the flow does not call itself, and the table they all stand in."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest

from engine.errors import MessageGone, Rejected
from engine.providers.zoom_mail import operations
from engine.providers.zoom_mail.operations import NameTaken, Operation
from engine.sandbox.app import create_app
from engine.sandbox.config import SandboxConfig
from tests.providers.fakes import BOX, SECRET, Desk

RAW = b"From: ann@partner.example\r\nSubject: Old mail\r\nMessage-ID: <old@x.example>\r\n\r\nHello\r\n"
OPERATIONS = [value for value in vars(operations).values() if isinstance(value, Operation)]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_each_operation_stands_in_the_reference_with_its_rate_class(operation: Operation) -> None:
    reference = json.loads(files("engine.sandbox").joinpath("zoom-mail.openapi.json").read_text())
    known = {re.sub(r"{\w+}", "{}", path): methods for path, methods in reference["paths"].items()}
    told = known[f"/emails/mailboxes/{{}}/{operation.path}"]
    assert told[operation.method.lower()]["x-rate-limit-label"] == operation.rate


def test_only_what_makes_something_anew_is_tried_once() -> None:
    once = {operation.name for operation in OPERATIONS if not operation.idempotent}
    assert once == {"messages.send", "messages.insert", "drafts.create", "drafts.send", "filters.create"}


@pytest.fixture
def desk() -> Desk:
    config = SandboxConfig((BOX,), "client", SECRET, "account")
    return Desk(app=create_app(config))


async def test_a_message_is_inserted_trashed_restored_and_deleted(desk: Desk) -> None:
    client = desk.client
    made = await client.insert(BOX, RAW, ["INBOX", "STARRED"])
    assert set(made.labels) == {"INBOX", "STARRED"}
    assert (await client.message(BOX, made.id, "raw")).raw == RAW
    assert "TRASH" in (await client.trash(BOX, made.id)).labels
    assert "TRASH" not in (await client.untrash(BOX, made.id)).labels
    await client.delete(BOX, made.id)
    for call in (client.delete(BOX, made.id), client.trash(BOX, made.id)):
        with pytest.raises(MessageGone):
            await call


async def test_a_message_is_inserted_into_the_trash(desk: Desk) -> None:
    assert "TRASH" in (await desk.client.insert(BOX, RAW, deleted=True)).labels


async def test_a_draft_is_listed_read_and_deleted(desk: Desk) -> None:
    client = desk.client
    made = await client.create_draft(BOX, RAW)
    listed = await client.list_drafts(BOX)
    assert [draft.key for draft in listed.drafts] == [made.key]
    read = await client.draft(BOX, made.id, "raw")
    assert read.message
    assert read.message.raw == RAW
    await client.delete_draft(BOX, made.id)
    with pytest.raises(MessageGone):
        await client.draft(BOX, made.id)


async def test_a_label_is_made_once(desk: Desk) -> None:
    made = await desk.client.create_label(BOX, "Finance")
    below = await desk.client.create_label(BOX, "Paid", made.id)
    assert (await desk.client.label(BOX, below.id)).parent == made.id
    with pytest.raises(NameTaken):
        await desk.client.create_label(BOX, "Finance")
    with pytest.raises(Rejected):
        await desk.client.label(BOX, "Label_99")


async def test_a_search_is_narrowed_and_paged(desk: Desk) -> None:
    made = await desk.client.insert(BOX, RAW, ["INBOX"])
    await desk.client.insert(BOX, RAW.replace(b"Old mail", b"New mail"), ["INBOX"])
    found = await desk.client.list_messages(BOX, query="subject:old")
    assert [message.id for message in found.messages] == [made.id]


async def test_an_ask_shows_no_message_text_in_an_error(desk: Desk) -> None:
    with pytest.raises(Rejected) as caught:
        await desk.client.insert(BOX, RAW, ["Label_99"])
    assert "Hello" not in str(caught.value)
