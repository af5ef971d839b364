"""Looking up what may have been sent: a search that lags must never make us send twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.errors import OutcomeUnknown, RateLimited, Unavailable
from engine.providers.zoom_mail import lookup
from engine.providers.zoom_mail.lookup import is_past
from engine.sandbox.config import SandboxConfig
from tests.providers.benches import BOX, OTHER, Bench, make_bench, outgoing
from tests.providers.fakes import LONG_AGO, Desk

OURS = "<ours-1@acme.example>"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A sandbox whose search trails an hour behind."""
    made = make_bench(SandboxConfig(mailboxes=(BOX, OTHER), limits=False))
    await made.do("lag", {"search": 3600})
    yield made
    await made.provider.aclose()
    await made.control.aclose()


def a_minute_ago() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


async def test_what_was_sent_is_found_before_the_search_knows_it(bench: Bench) -> None:
    await bench.do("faults", [{"operation": "send_email", "drop_after": True}])
    with pytest.raises(OutcomeUnknown):
        await bench.provider.send(BOX, outgoing())
    found = await bench.provider.find(BOX, OURS, a_minute_ago())
    assert found
    assert found.labels == ("SENT",)


async def test_what_still_waits_to_be_sent_is_found() -> None:
    bench = make_bench(SandboxConfig(mailboxes=(BOX,), limits=False, undo_window=3600))
    await bench.do("lag", {"search": 3600})
    await bench.provider.send(BOX, outgoing())
    found = await bench.provider.find(BOX, OURS, a_minute_ago())
    assert found
    assert found.labels == ("SCHEDULED",)


@pytest.mark.parametrize(("add", "labels"), [([], {"DRAFT"}), (["TRASH"], {"DRAFT", "TRASH"})])
async def test_a_draft_is_found_wherever_it_lies(bench: Bench, add: list[str], labels: set[str]) -> None:
    key = await bench.provider.save_draft(BOX, outgoing())
    await bench.provider.change_labels(BOX, [key], add, [])
    found = await bench.provider.find(BOX, OURS, a_minute_ago())
    assert found
    assert (found.key, set(found.labels)) == (key, labels)


async def test_what_was_sent_and_thrown_away_is_found(bench: Bench) -> None:
    key = await bench.provider.send(BOX, outgoing())
    await bench.provider.change_labels(BOX, [key], ["TRASH"], [])
    found = await bench.provider.find(BOX, OURS, a_minute_ago())
    assert found
    assert found.key == key


async def test_what_is_not_there_is_told_after_reading_all_that_is_new(bench: Bench) -> None:
    for number in range(2, 30):
        await bench.provider.send(BOX, outgoing(f"<ours-{number}@acme.example>"))
    assert await bench.provider.find(BOX, OURS, a_minute_ago()) is None
    assert (await bench.calls())["get_email"] == 28
    assert await bench.provider.find(BOX, "<ours-0@acme.example>", a_minute_ago()) is None
    assert (await bench.calls())["get_email"] == 28


async def test_older_mail_is_not_read(bench: Bench) -> None:
    for number in range(2, 60):
        await bench.provider.send(BOX, outgoing(f"<ours-{number}@acme.example>"))
    assert await bench.provider.find(BOX, OURS, datetime.now(UTC) + timedelta(minutes=5)) is None
    assert (await bench.calls())["get_email"] == lookup.AT_ONCE


async def test_too_much_to_go_through_is_not_told_and_the_next_look_gets_further(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "MAX_READ", 20)
    await bench.provider.send(BOX, outgoing())
    for number in range(2, 50):
        await bench.provider.send(BOX, outgoing(f"<ours-{number}@acme.example>"))
    for _ in range(2):
        with pytest.raises(Unavailable, match="not told yet"):
            await bench.provider.find(BOX, OURS, a_minute_ago())
    found = await bench.provider.find(BOX, OURS, a_minute_ago())
    assert found


async def test_a_search_that_knows_takes_no_listing(bench: Bench) -> None:
    await bench.do("lag", {"search": 0})
    await bench.provider.send(BOX, outgoing())
    assert await bench.provider.find(BOX, OURS, a_minute_ago())
    calls = await bench.calls()
    assert (calls["list_emails"], calls.get("list_draft_emails", 0), calls["get_email"]) == (1, 0, 1)


async def test_looks_that_come_at_once_go_through_the_lists_together(bench: Bench) -> None:
    """After a crash hundreds look: one by one they would never end within their time."""
    kept = [f"<ours-{number}@acme.example>" for number in range(30)]
    keys = [await bench.provider.save_draft(BOX, outgoing(own_id)) for own_id in kept]
    missing = [f"<none-{number}@acme.example>" for number in range(30)]
    looks = (bench.provider.find(BOX, own_id, a_minute_ago()) for own_id in (*kept, *missing))
    found = await asyncio.gather(*looks)
    assert [one and one.key for one in found] == [*keys, *[None] * 30]
    calls = await bench.calls()
    # A search each; what is gone through for the first to come is gone through once more for the others.
    assert calls["list_draft_emails"] - 60 <= 3
    assert calls["get_email"] <= 2 * 30


async def test_a_look_far_back_keeps_none_that_need_not_go_so_far(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A draft that waited days for somebody is looked for that far back; a crash, for a few minutes."""
    monkeypatch.setattr(lookup, "MAX_READ", 20)
    for number in range(50):
        await bench.provider.send(BOX, outgoing(f"<ours-{number}@acme.example>"))
    far, near = datetime.now(UTC) - timedelta(days=3), datetime.now(UTC) + timedelta(minutes=5)
    looks = (bench.provider.find(BOX, f"<none-{at}@x.example>", at) for at in (far, near, near))
    found = await asyncio.gather(*looks, return_exceptions=True)
    assert isinstance(found[0], Unavailable)
    assert found[1:] == [None, None]


def ms(seconds: int) -> int:
    return int(NOW.timestamp() * 1000) + seconds * 1000


@pytest.mark.parametrize(
    ("seconds", "past"),
    [
        pytest.param([], False, id="nothing was read"),
        pytest.param([9, 5], False, id="all of it is new"),
        pytest.param([-1], False, id="one older message proves no order"),
        pytest.param([5, -1], False, id="one older message after a newer one might be a stray"),
        pytest.param([5, -1, -2], True, id="two older messages at the end of a falling row"),
        pytest.param([-1, -2], True, id="older messages alone, falling"),
        pytest.param([-2, -1], False, id="a rising row may rise further"),
        pytest.param([3, 5, -1, -2], False, id="a list in disorder is read to its end"),
    ],
)
def test_a_listing_is_past_a_moment_when_its_order_shows_it(seconds: list[int], past: bool) -> None:
    assert is_past([ms(each) for each in seconds], ms(0)) is past


def shown(key: str, message_id: str, date: int, label: str = "SENT") -> dict[str, Any]:
    headers = [{"name": "Message-ID", "value": message_id}]
    return {"id": key, "labelIds": [label], "internalDate": str(date), "payload": {"headers": headers}}


async def test_a_list_that_is_oldest_first_is_read_to_its_end() -> None:
    desk = Desk()
    keys = [f"m{number}" for number in range(1, 31)]
    desk.script.on("GET drafts", {})
    desk.script.on("GET messages", {"messages": []}, {"messages": [{"id": key} for key in keys]})
    for number, key in enumerate(keys, 1):
        own = OURS if number == 30 else f"<other-{number}@x>"
        desk.script.on(f"GET messages/{key}", shown(key, own, ms(number - 25)))
    found = await desk.provider.find(BOX, OURS, NOW)
    assert found
    assert found.key == "m30"


async def test_what_moves_on_while_we_look_is_met_further_down() -> None:
    desk = Desk()
    desk.script.on("GET drafts", {})
    # The search, DRAFT, SCHEDULED (it was there a moment ago), SENT.
    desk.script.on("GET messages", {}, {}, {}, {"messages": [{"id": "m1"}]})
    desk.script.on("GET messages/m1", shown("m1", OURS, ms(5)))
    assert await desk.provider.find(BOX, OURS, NOW)
    labels = [asked.query.get("labelIds", "") for asked in desk.script.calls("GET messages")]
    assert labels == ["", "DRAFT", "SCHEDULED", "SENT"]
    assert all(asked.query["includeSpamTrash"] == "true" for asked in desk.script.calls("GET messages"))


async def test_a_look_that_broke_off_goes_on_where_it_ended(bench: Bench) -> None:
    for number in range(20):
        await bench.provider.save_draft(BOX, outgoing(f"<ours-{number}@acme.example>"))
    await bench.do("faults", [{"operation": "get_email", "status": 429, "times": 6}])
    with pytest.raises(RateLimited):
        await bench.provider.find(BOX, "<ours-none@acme.example>", a_minute_ago())
    assert await bench.provider.find(BOX, "<ours-none@acme.example>", a_minute_ago()) is None
    assert (await bench.calls())["get_email"] == 20 + 6


async def test_a_draft_that_was_written_anew_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "DRAFT_FOR_S", 0)
    desk = Desk()
    desk.script.on("GET drafts", {"drafts": [{"id": "d1"}]}).on("GET messages", {})
    desk.script.on("GET messages/d1", shown("d1", "<old@x>", ms(5), "DRAFT"))
    assert await desk.provider.find(BOX, OURS, NOW) is None
    desk.script.on("GET messages/d1", shown("d1", OURS, ms(5), "DRAFT"))
    assert await desk.provider.find(BOX, OURS, NOW)


async def test_a_look_that_breaks_off_tells_nothing() -> None:
    desk = Desk()
    desk.script.on("GET drafts", {}).on("GET messages", {"messages": []}, {"messages": [{"id": "m1"}]})
    desk.script.on("GET messages/m1", 503)
    with pytest.raises(Unavailable):
        await desk.provider.find(BOX, OURS, LONG_AGO)
