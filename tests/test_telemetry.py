"""Spans on their way to a receiver of OTLP over HTTP, here a small one of the test's own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from engine import tracing
from engine.cli.stage import free_port
from tests.otlp import Receiver, receiving

from engine.telemetry import start_telemetry  # isort: skip - behind what skips where it is not installed

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADER = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@contextlib.contextmanager
def sending(endpoint: str) -> Iterator[None]:
    stop = start_telemetry(endpoint, "worker")
    try:
        yield
    finally:
        stop()


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


def test_spans_of_one_cause_arrive_as_one_trace_each_below_its_own(receiver: Receiver) -> None:
    with sending(f"{receiver.url}/"), tracing.span("webhook", HEADER, account="acme"):
        ring = tracing.current()
        with tracing.span("poll", ring, mailbox="a@x.example"), tracing.span("provider call"):
            pass
    assert set(receiver.paths) == {"/v1/traces"}
    spans = receiver.by_name
    assert spans.keys() == {"webhook", "poll", "provider call"}
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE} == {tracing.id_of(ring)}
    assert spans["webhook"].parent_span_id.hex() == HEADER.split("-")[2]
    assert spans["poll"].parent_span_id == spans["webhook"].span_id
    assert spans["provider call"].parent_span_id == spans["poll"].span_id
    assert attributes(spans["webhook"]) == {"account": "acme"}


def test_what_nobody_caused_begins_a_trace_and_a_batch_names_its_other_causes(receiver: Receiver) -> None:
    with sending(receiver.url), tracing.span("drain", "", [HEADER, ""], events=2):
        own = tracing.current()
    span = receiver.by_name["drain"]
    assert (span.trace_id.hex(), span.parent_span_id) == (tracing.id_of(own), b"")
    assert [link.trace_id.hex() for link in span.links] == [TRACE]


def test_a_failure_is_told_by_its_kind_and_never_by_its_words(receiver: Receiver) -> None:
    with sending(receiver.url), contextlib.suppress(ValueError), tracing.span("execute", HEADER):
        raise ValueError("Ann wrote: hello")
    span = receiver.by_name["execute"]
    assert (span.status.code, span.status.message, list(span.events)) == (2, "ValueError", [])


def test_a_receiver_that_is_away_holds_nobody_up() -> None:
    stop = start_telemetry(f"http://127.0.0.1:{free_port()}", "worker")
    with tracing.span("execute", HEADER):
        pass
    ending = threading.Thread(target=stop)
    ending.start()
    ending.join(timeout=10)
    assert not ending.is_alive()


def test_nothing_of_opentelemetry_is_imported_where_no_endpoint_is_configured() -> None:
    program = (
        "import sys, engine.cli.serve; sys.exit(any(n.startswith('opentelemetry') for n in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
