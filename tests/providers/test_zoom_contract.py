"""Every method of the Provider port, driven against the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.errors import (
    CursorExpired,
    MessageGone,
    Missing,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unauthorized,
    Unreadable,
)
from engine.flow.drafts import digest_of
from engine.mail.events import EventKind
from engine.mail.message import Message
from engine.mail.needs import Need
from engine.sandbox.config import Rates, SandboxConfig
from tests.providers.benches import BOX, OTHER, RAW, Bench, make_bench, outgoing
from tests.providers.fakes import LONG_AGO


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = make_bench(SandboxConfig(mailboxes=(BOX, OTHER), limits=False))
    yield made
    await made.provider.aclose()
    await made.control.aclose()


async def test_a_profile_names_every_address_and_where_to_start(bench: Bench) -> None:
    settings = {"mailbox": BOX, "aliases": ["Help@acme.example"], "groupEmails": ["all@acme.example"]}
    await bench.do("mailboxes", settings)
    before = await bench.provider.profile(BOX)
    assert before.addresses == {BOX, "help@acme.example", "all@acme.example"}
    assert before.status == "active"
    await bench.deliver()
    assert (await bench.provider.profile(BOX)).history > before.history


async def test_a_mailbox_that_is_not_there_is_rejected(bench: Bench) -> None:
    with pytest.raises(Rejected, match="1001"):
        await bench.provider.profile("nobody@acme.example")
    with pytest.raises(Rejected, match="1001"):
        await bench.provider.history("nobody@acme.example", 1)


async def test_history_tells_what_happened_in_order_and_once(bench: Bench) -> None:
    start = (await bench.provider.profile(BOX)).history
    key = await bench.deliver(labels="INBOX,UNREAD,Finance/Paid")
    await bench.provider.change_labels(BOX, [key], ["STARRED"], ["UNREAD"])
    page = await bench.since(start)
    assert [(event.kind, event.key, event.changed) for event in page.events] == [
        (EventKind.SETTINGS_CHANGED, "", ("userLabels",)),
        (EventKind.SETTINGS_CHANGED, "", ("userLabels",)),
        (EventKind.MESSAGE_RECEIVED, key, ()),
        (EventKind.LABEL_ADDED, key, ("STARRED",)),
        (EventKind.LABEL_REMOVED, key, ("UNREAD",)),
    ]
    assert set(page.events[2].labels) == {"INBOX", "UNREAD", "Finance/Paid"}
    assert not page.unknown
    assert not page.more
    again = await bench.since(page.cursor)
    assert (again.events, again.cursor, again.more) == ((), page.cursor, False)


async def test_a_thread_names_its_messages_with_what_tells_of_answers(bench: Bench) -> None:
    key = await bench.deliver(outgoing("<first@x.example>"))
    answer = outgoing("<second@x.example>").replace(
        b"Subject:", b"In-Reply-To: <first@x.example>\r\nSubject: Re:"
    )
    sent = await bench.provider.send(BOX, answer)
    thread = (await bench.provider.fetch(BOX, key, frozenset())).thread
    fellows = await bench.provider.thread(BOX, thread)
    assert [(one.key, "SENT" in one.labels) for one in fellows] == [(key, False), (sent, True)]
    assert all(one.received for one in fellows)
    with pytest.raises(MessageGone):
        await bench.provider.thread(BOX, "0000000000000000_0000000000000000_000")


async def test_a_long_history_is_read_page_by_page_without_loss(bench: Bench) -> None:
    start = (await bench.provider.profile(BOX)).history
    keys = [await bench.deliver(outgoing(f"<{number}@x.example>")) for number in range(600)]
    first = await bench.since(start)
    assert (first.more, len(first.events)) == (True, 500)
    second = await bench.since(first.cursor)
    assert not second.more
    assert [event.key for event in (*first.events, *second.events)] == keys
    assert first.cursor == first.events[-1].history
    assert second.cursor == (await bench.provider.profile(BOX)).history


async def test_an_expired_cursor_is_told(bench: Bench) -> None:
    start = (await bench.provider.profile(BOX)).history
    await bench.deliver()
    await bench.do("expire-history", {"mailbox": BOX})
    with pytest.raises(CursorExpired):
        await bench.since(start)


async def test_what_is_imported_is_told_from_what_arrives(bench: Bench) -> None:
    start = (await bench.provider.profile(BOX)).history
    await bench.deliver(imported="1")
    await bench.deliver(imported="new")
    kinds = [event.kind for event in (await bench.since(start)).events]
    assert kinds == [EventKind.MESSAGE_IMPORTED, EventKind.MESSAGE_RECEIVED]


@pytest.mark.parametrize(
    ("needs", "known", "missing"),
    [
        pytest.param([Need.LABELS], [], ["headers", "text", "attachments"], id="labels alone"),
        pytest.param([Need.HEADERS], ["headers"], ["text", "attachments"], id="headers"),
        pytest.param([Need.BODY], ["headers", "text", "attachments"], [], id="the body"),
        pytest.param([Need.ATTACHMENTS], ["headers", "attachments"], [], id="attachments"),
        pytest.param([Need.CONTENT], ["headers", "text", "attachments"], [], id="the content"),
    ],
)
async def test_a_fetch_brings_what_is_needed_in_one_call(
    bench: Bench, needs: list[Need], known: list[str], missing: list[str]
) -> None:
    key = await bench.deliver(labels="INBOX,Finance/Paid")
    message = await bench.provider.fetch(BOX, key, frozenset(needs))
    assert (message.key, message.mailbox, message.thread) == (key, BOX, key)
    assert message.labels == {"INBOX", "Finance/Paid"}
    assert message.received
    assert abs(message.received - datetime.now(UTC)) < timedelta(minutes=5)
    for part in known:
        assert getattr(message, part) is not None
    for part in missing:
        with pytest.raises(Missing):
            getattr(message, part)
    assert (await bench.calls())["get_email"] == 1


async def test_every_format_tells_the_same_of_a_message(bench: Bench) -> None:
    key = await bench.deliver()
    metadata, full, raw = [
        await bench.provider.fetch(BOX, key, frozenset({need}))
        for need in (Need.HEADERS, Need.BODY, Need.CONTENT)
    ]
    for message in (metadata, full, raw):
        assert list(message.headers) == list(raw.headers)
        assert message.size == len(RAW)
        assert message.subject == "Order 48211"
    assert full.text == raw.text == "Grüße"
    [attachment], [sniffed] = full.attachments, raw.attachments
    assert (attachment.name, attachment.type, attachment.size) == ("aé.pdf", "application/pdf", 19)
    assert (sniffed.name, sniffed.type, sniffed.size) == ("aé.pdf", "application/pdf", 19)
    assert (attachment.sniffed, sniffed.sniffed) == (None, "application/pdf")
    assert attachment.id


async def test_a_message_is_given_as_it_was_received(bench: Bench) -> None:
    key = await bench.deliver(RAW)
    assert await bench.provider.raw(BOX, key) == RAW
    with pytest.raises(MessageGone):
        await bench.provider.raw(BOX, "none")


@pytest.mark.corpus
@pytest.mark.parametrize("origin", ["cpython-test-email", "enmime", "mime4j", "mimekit"])
async def test_every_format_tells_the_same_of_real_mail(bench: Bench, corpus: Path, origin: str) -> None:
    await bench.do("load", {"mailbox": BOX, "path": str(corpus / origin / "messages.zip")})
    for key in (await bench.provider.list_messages(BOX)).keys:
        metadata, body, attachments, raw = [
            await bench.provider.fetch(BOX, key, frozenset({need}))
            for need in (Need.HEADERS, Need.BODY, Need.ATTACHMENTS, Need.CONTENT)
        ]
        for message in (metadata, body, attachments):
            assert (message.size, message.headers) == (raw.size, raw.headers)
        assert body.text == raw.text
        told = [[(each.name, each.type, each.size) for each in m.attachments] for m in (attachments, raw)]
        assert told[0] == told[1]


@pytest.mark.parametrize("parts", ["single", "mixed"])
async def test_a_text_that_stands_apart_is_fetched_too(bench: Bench, parts: str) -> None:
    text = b"A long letter. " * 10_000
    head = b"Subject: long\r\nMIME-Version: 1.0\r\n"
    if parts == "single":
        raw = head + b"Content-Type: text/plain\r\n\r\n" + text
    else:
        raw = (
            head + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\n' + text + b"\r\n--b--\r\n"
        )
    key = await bench.deliver(raw)
    body = await bench.provider.fetch(BOX, key, frozenset({Need.BODY}))
    assert body.text.strip() == text.decode().strip()
    assert (await bench.calls())["get_email_attachment"] == 1
    attachments = await bench.provider.fetch(BOX, key, frozenset({Need.ATTACHMENTS}))
    assert attachments.attachments == ()
    with pytest.raises(Missing):
        _ = attachments.text


async def test_an_encrypted_message_cannot_be_read_and_says_so(bench: Bench) -> None:
    raw = b"Subject: Zoom Encrypted Email\r\nX-Zoom-Encryption: s=Server; t=1\r\n\r\n"
    key = await bench.deliver(raw)
    for need in (Need.HEADERS, Need.BODY, Need.CONTENT):
        message: Message = await bench.provider.fetch(BOX, key, frozenset({need}))
        assert message.subject == "Zoom Encrypted Email"
        for part in ("text", "attachments"):
            with pytest.raises(Unreadable, match="encrypted"):
                getattr(message, part)


async def test_broken_mail_is_fetched_all_the_same(bench: Bench) -> None:
    key = await bench.deliver(b"Subject: \xff\xfe caf\xe9\r\nX: \xed\xa0\x80\r\n\r\n\x00\xff")
    for need in (Need.HEADERS, Need.BODY, Need.CONTENT):
        message = await bench.provider.fetch(BOX, key, frozenset({need}))
        assert "caf" in message.subject


async def test_a_message_that_is_gone_is_told(bench: Bench) -> None:
    with pytest.raises(MessageGone):
        await bench.provider.fetch(BOX, "0000000000000000_0000000000000000_001", frozenset({Need.HEADERS}))


async def test_a_listing_gives_every_key_spam_and_trash_included(bench: Bench) -> None:
    keys = {await bench.deliver(outgoing(f"<{n}@x.example>"), labels="INBOX") for n in range(510)}
    keys |= {await bench.deliver(labels="SPAM"), await bench.deliver(labels="TRASH")}
    first = await bench.provider.list_messages(BOX)
    second = await bench.provider.list_messages(BOX, first.next)
    assert (len(first.keys), bool(first.next), second.next) == (500, True, "")
    assert {*first.keys, *second.keys} == keys
    assert len(first.keys) + len(second.keys) == len(keys)


async def test_a_listing_is_narrowed_by_date(bench: Bench) -> None:
    key = await bench.deliver()
    now = datetime.now(UTC)
    assert (await bench.provider.list_messages(BOX, since=now - timedelta(hours=1))).keys == (key,)
    assert (await bench.provider.list_messages(BOX, since=now + timedelta(hours=1))).keys == ()


async def test_labels_of_many_messages_change_in_one_call(bench: Bench) -> None:
    keys = [await bench.deliver() for _ in range(5)]
    await bench.provider.change_labels(BOX, keys, ["Finance/Paid", "STARRED"], ["INBOX", "Nobody made this"])
    for key in keys:
        assert await bench.labels(key) == {"UNREAD", "Finance/Paid", "STARRED"}
    calls = await bench.calls()
    assert (calls["batch_modify_emails"], calls.get("update_email", 0)) == (1, 0)
    assert calls["create_label_in_mailbox"] == 2


async def test_labels_of_one_message_change_without_a_heavy_call(bench: Bench) -> None:
    key = await bench.deliver()
    await bench.provider.change_labels(BOX, [key], [], ["UNREAD"])
    await bench.provider.change_labels(BOX, [key], [], [])
    assert await bench.labels(key) == {"INBOX"}
    assert bench.budget.taken == ["MEDIUM"]


async def test_changing_labels_twice_is_changing_them_once(bench: Bench) -> None:
    keys = [await bench.deliver() for _ in range(2)]
    await bench.provider.change_labels(BOX, keys, ["Done"], ["INBOX"])
    cursor = (await bench.provider.profile(BOX)).history
    await bench.provider.change_labels(BOX, keys, ["Done"], ["INBOX"])
    assert (await bench.since(cursor)).events == ()


async def test_more_messages_than_one_call_takes_are_split(bench: Bench) -> None:
    key = await bench.deliver()
    await bench.provider.change_labels(BOX, [key] * 2_100, ["STARRED"], [])
    assert (await bench.calls())["batch_modify_emails"] == 3
    assert "STARRED" in await bench.labels(key)


async def test_labels_of_a_gone_message_say_so(bench: Bench) -> None:
    with pytest.raises((MessageGone, Rejected)):
        await bench.provider.change_labels(BOX, ["0000000000000000_0000000000000000_001"], ["STARRED"], [])


async def test_a_send_arrives_and_is_found_by_its_message_id(bench: Bench) -> None:
    start = (await bench.provider.profile(BOX)).history
    key = await bench.provider.send(BOX, outgoing(to=OTHER))
    found = await bench.provider.find(BOX, "<ours-1@acme.example>", LONG_AGO)
    assert found
    assert (found.key, set(found.labels)) == (key, {"SENT"})
    kinds = {event.kind for event in (await bench.since(start)).events if event.key == key}
    assert EventKind.MESSAGE_SENT in kinds
    assert EventKind.MESSAGE_RECEIVED not in kinds
    delivered = await bench.provider.find(OTHER, "<ours-1@acme.example>", LONG_AGO)
    assert delivered
    assert "INBOX" in delivered.labels


async def test_what_is_sent_later_lies_scheduled_until_then_and_is_found_there(bench: Bench) -> None:
    assert bench.provider.schedules
    key = await bench.provider.send(BOX, outgoing(to=OTHER), datetime(2099, 1, 1, 8, tzinfo=UTC))
    found = await bench.provider.find(BOX, "<ours-1@acme.example>", LONG_AGO)
    assert found
    assert (found.key, found.labels) == (key, ("SCHEDULED",))
    assert await bench.provider.find(OTHER, "<ours-1@acme.example>", LONG_AGO) is None
    # A person cancels it there by putting it into the trash: a second attempt must not send it after all.
    await bench.provider.change_labels(BOX, [key], ["TRASH"], [])
    assert await bench.provider.find(BOX, "<ours-1@acme.example>", LONG_AGO)


async def test_a_message_to_ourselves_is_found_as_the_one_we_sent(bench: Bench) -> None:
    await bench.provider.send(BOX, outgoing(to=BOX))
    found = await bench.provider.find(BOX, "<ours-1@acme.example>", LONG_AGO)
    assert found
    assert "SENT" in found.labels


async def test_a_draft_is_kept_and_found(bench: Bench) -> None:
    key = await bench.provider.save_draft(BOX, outgoing())
    assert await bench.labels(key) == {"DRAFT"}
    found = await bench.provider.find(BOX, "<ours-1@acme.example>", LONG_AGO)
    assert found
    assert (found.key, found.labels) == (key, ("DRAFT",))


async def test_a_draft_is_read_replaced_and_deleted(bench: Bench) -> None:
    draft = await bench.provider.save_draft(BOX, outgoing())
    before = await bench.provider.read_draft(BOX, draft)
    assert digest_of(before) == digest_of(outgoing())
    newer = outgoing("<newer@acme.example>").replace(b"Subject: ", b"Subject: Newer ", 1)
    assert await bench.provider.update_draft(BOX, draft, newer) == draft
    after = await bench.provider.read_draft(BOX, draft)
    assert b"<newer@acme.example>" in after
    assert digest_of(after) == digest_of(newer) != digest_of(before)
    for _ in range(2):
        await bench.provider.delete_draft(BOX, draft)
    for call in (bench.provider.read_draft(BOX, draft), bench.provider.update_draft(BOX, draft, newer)):
        with pytest.raises(MessageGone):
            await call


async def test_a_draft_in_the_trash_is_gone_for_who_would_update_it(bench: Bench) -> None:
    draft = await bench.provider.save_draft(BOX, outgoing())
    await bench.provider.change_labels(BOX, [draft], ["TRASH"], [])
    with pytest.raises(MessageGone):
        await bench.provider.read_draft(BOX, draft)


async def test_a_draft_in_the_trash_is_found(bench: Bench) -> None:
    key = await bench.provider.save_draft(BOX, outgoing())
    await bench.provider.change_labels(BOX, [key], ["TRASH"], [])
    found = await bench.provider.find(BOX, "<ours-1@acme.example>", LONG_AGO)
    assert found
    assert "TRASH" in found.labels


@pytest.mark.parametrize("message_id", ["<other@acme.example>", "<ours@acme.example>", "", "<>"])
async def test_what_is_not_there_is_not_found(bench: Bench, message_id: str) -> None:
    await bench.provider.send(BOX, outgoing())
    assert await bench.provider.find(BOX, message_id, LONG_AGO) is None


@pytest.mark.parametrize(("operation", "drafted"), [("send_email", False), ("create_draft_email", True)])
async def test_a_lost_answer_leaves_a_send_to_be_found(bench: Bench, operation: str, drafted: bool) -> None:
    await bench.do("faults", [{"operation": operation, "drop_after": True}])
    with pytest.raises(OutcomeUnknown):
        await (bench.provider.save_draft if drafted else bench.provider.send)(BOX, outgoing())
    assert (await bench.calls())[operation] == 1
    found = await bench.provider.find(BOX, "<ours-1@acme.example>", LONG_AGO)
    assert found
    assert set(found.labels) == {"DRAFT" if drafted else "SENT"}


async def test_revoked_tokens_are_renewed(bench: Bench) -> None:
    await bench.provider.profile(BOX)
    await bench.do("revoke-tokens")
    await bench.provider.profile(BOX)
    assert (await bench.calls())["token"] == 2


async def test_wrong_credentials_are_unauthorized() -> None:
    bench = make_bench(SandboxConfig(mailboxes=(BOX,)), secret="wrong")
    with pytest.raises(Unauthorized) as caught:
        await bench.provider.profile(BOX)
    assert "wrong" not in str(caught.value)


async def test_when_the_day_of_heavy_calls_is_spent_single_calls_go_on() -> None:
    bench = make_bench(SandboxConfig(mailboxes=(BOX,), rates=Rates(heavy_daily=1)))
    keys = [await bench.deliver() for _ in range(10)]
    for label in ("STARRED", "IMPORTANT"):
        await bench.provider.change_labels(BOX, keys, [label], [])
    for key in keys:
        assert {"STARRED", "IMPORTANT"} <= await bench.labels(key)
    calls = await bench.calls()
    assert (calls["batch_modify_emails"], calls["update_email"]) == (2, 10)
    assert bench.budget.paused.keys() == {"HEAVY"}


async def test_a_rate_limit_is_told_with_its_end() -> None:
    bench = make_bench(SandboxConfig(mailboxes=(BOX,)))
    await bench.do("faults", [{"operation": "*", "status": 429, "retry_after": "9", "times": 2}])
    with pytest.raises(RateLimited) as caught:
        await bench.provider.profile(BOX)
    assert 8 < caught.value.until - datetime.now(UTC).timestamp() <= 9
