"""One id from cause to receipt: taken over from a header where it holds, and made where it does not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine import tracing

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADER = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        pytest.param(HEADER, HEADER, id="a traceparent is taken over"),
        pytest.param(f"{HEADER[:-2]}00", HEADER, id="one that was not sampled counts as sampled"),
        pytest.param(f"cc{HEADER[2:]}-later", HEADER, id="a later version is read by its first parts"),
        pytest.param("", "", id="none at all"),
        pytest.param(f"ff{HEADER[2:]}", "", id="the version that must not be"),
        pytest.param(HEADER.upper(), "", id="upper case"),
        pytest.param(f"00-{'0' * 32}-00f067aa0ba902b7-01", "", id="a trace id of zeros"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", "", id="a span id of zeros"),
        pytest.param(f"{HEADER}\n", "", id="a line break behind it"),
        pytest.param(f"{HEADER}-{'x' * 500}", "", id="longer than anybody needs"),
        pytest.param("postroom", "", id="something else"),
    ],
)
def test_a_header_is_taken_over_only_where_it_holds(header: str, taken: str) -> None:
    assert tracing.read(header) == taken


def test_work_without_a_cause_gets_an_id_of_its_own() -> None:
    assert tracing.current() == ""
    with tracing.span("poll", ""):
        first = tracing.current()
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", first)
    with tracing.span("poll", ""):
        assert tracing.id_of(tracing.current()) != tracing.id_of(first)
    assert tracing.current() == ""


async def test_the_id_stays_within_the_task_and_reaches_what_it_calls() -> None:
    async def work(parent: str) -> str:
        with tracing.span("execute", parent):
            await asyncio.sleep(0)
            with tracing.span("provider call"):
                return tracing.id_of(tracing.current())

    other = HEADER.replace("4bf9", "5bf9")
    first, second = await asyncio.gather(work(HEADER), work(other))
    assert (first, second) == (TRACE, tracing.id_of(other))


def test_spans_are_opened_where_somebody_takes_them() -> None:
    opened: list[tracing.Span] = []

    @contextmanager
    def opener(span: tracing.Span) -> Iterator[str]:
        opened.append(span)
        yield f"00-{TRACE}-{len(opened):016x}-01"

    tracing.send_to(opener)
    try:
        with tracing.span("execute", HEADER, rule="r"), tracing.span("provider call", operation="get"):
            assert tracing.current() == f"00-{TRACE}-{2:016x}-01"
    finally:
        tracing.send_to(None)
    assert [(span.name, span.parent, span.attributes) for span in opened] == [
        ("execute", HEADER, {"rule": "r"}),
        ("provider call", f"00-{TRACE}-{1:016x}-01", {"operation": "get"}),
    ]
