"""Threads and deletions by the provider, driven against the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from engine.errors import MessageGone
from engine.sandbox.config import SandboxConfig
from tests.providers.benches import BOX, OTHER, Bench, make_bench, outgoing


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = make_bench(SandboxConfig(mailboxes=(BOX, OTHER), limits=False))
    yield made
    await made.provider.aclose()
    await made.control.aclose()


async def a_thread(bench: Bench) -> tuple[str, list[str]]:
    """Two messages of one thread and, beside it, a third; the thread and the keys of all."""
    first = await bench.deliver(outgoing("<first@x.example>"))
    answer = outgoing("<second@x.example>").replace(
        b"Subject:", b"In-Reply-To: <first@x.example>\r\nSubject:"
    )
    second = await bench.deliver(answer, labels="INBOX,Done/Old")
    other = await bench.deliver()
    return (await bench.provider.fetch(BOX, first, frozenset())).thread, [first, second, other]


async def test_a_thread_is_looked_at_with_its_labels_by_name(bench: Bench) -> None:
    thread, (first, second, _) = await a_thread(bench)
    fellows = await bench.provider.thread(BOX, thread, named=True)
    assert [one.key for one in fellows] == [first, second]
    assert "Done/Old" in fellows[1].labels


async def test_a_thread_is_changed_whole_and_a_label_that_is_missing_is_made(bench: Bench) -> None:
    thread, (first, second, other) = await a_thread(bench)
    touched = await bench.provider.change_thread(BOX, thread, [first], ["Filed/2026"], ["INBOX", "Nowhere"])
    assert set(touched) == {first, second}
    assert await bench.labels(second) >= {"Filed/2026", "Done/Old"}
    assert "INBOX" not in await bench.labels(first) | await bench.labels(second)
    assert "INBOX" in await bench.labels(other)


async def test_a_thread_that_is_gone_says_so(bench: Bench) -> None:
    with pytest.raises(MessageGone):
        await bench.provider.change_thread(BOX, "0000000000000000_0000000000000000_000", [], ["A"], [])


async def test_nothing_is_asked_for_where_no_label_of_that_name_is_there(bench: Bench) -> None:
    thread, (first, *_) = await a_thread(bench)
    assert await bench.provider.change_thread(BOX, thread, [first], [], ["Nowhere"]) == ()


async def test_messages_are_deleted_for_good_and_again_without_harm(bench: Bench) -> None:
    _, (first, second, other) = await a_thread(bench)
    await bench.provider.delete(BOX, [first])
    await bench.provider.delete(BOX, [first, second])
    await bench.provider.delete(BOX, [first, second])
    for key in (first, second):
        with pytest.raises(MessageGone):
            await bench.provider.fetch(BOX, key, frozenset())
    assert (await bench.provider.list_messages(BOX)).keys == (other,)
