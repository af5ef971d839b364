"""Where Zoom Mail is looked through for a schedule: by one label and by times, never too narrowly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from engine.rules.narrowing import Narrow
from engine.sandbox.config import SandboxConfig
from tests.providers.benches import BOX, Bench, make_bench, outgoing

NOW, HOUR = datetime.now(UTC), timedelta(hours=1)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = make_bench(SandboxConfig(mailboxes=(BOX,), limits=False))
    yield made
    await made.provider.aclose()
    await made.control.aclose()


@pytest.mark.parametrize(
    ("narrow", "found"),
    [
        (Narrow(), {"INBOX", "INBOX,To Do", "INBOX,to-do", "SPAM"}),
        (Narrow(frozenset({"inbox"})), {"INBOX", "INBOX,To Do", "INBOX,to-do"}),
        (Narrow(frozenset({"to-do"})), {"INBOX", "INBOX,To Do", "INBOX,to-do", "SPAM"}),
        (Narrow(frozenset({"spam"}), NOW - HOUR, NOW + HOUR), {"SPAM"}),
        (Narrow(since=NOW + HOUR), set()),
        (Narrow(until=NOW - HOUR), set()),
        (Narrow(frozenset({"nobody-made-this"})), set()),
    ],
    ids=[
        *("everything", "a system label", "a label that two names may mean", "a label and times"),
        *("later", "before", "a label that is not there"),
    ],
)
async def test_nothing_within_the_bounds_is_left_out(bench: Bench, narrow: Narrow, found: set[str]) -> None:
    keys = {}
    for number, labels in enumerate(("INBOX", "INBOX,To Do", "INBOX,to-do", "SPAM")):
        keys[await bench.deliver(outgoing(f"<{number}@x.example>"), labels=labels)] = labels
    page = await bench.provider.search(BOX, narrow)
    assert {keys[key] for key in page.keys} == found


async def test_a_thread_tells_which_messages_no_person_sent(bench: Bench) -> None:
    asked = outgoing("<a@x.example>")
    answer = b"In-Reply-To: <a@x.example>\r\nReferences: <a@x.example>\r\n"
    first = await bench.deliver(asked)
    await bench.deliver(answer + outgoing("<b@x.example>"), labels="SENT")
    await bench.deliver(
        answer + b"Auto-Submitted: auto-replied\r\n" + outgoing("<c@x.example>"), labels="SENT"
    )
    thread = (await bench.provider.fetch(BOX, first, frozenset())).thread
    fellows = await bench.provider.thread(BOX, thread)
    assert sorted(one.automatic for one in fellows) == [False, False, True]
