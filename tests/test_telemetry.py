"""Spans on their way to a receiver of OTLP over HTTP, here a small one of the test's own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `otel` is not installed")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from engine import tracing
from engine.cli.stage import free_port
from engine.telemetry import start_telemetry

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADER = f"00-{TRACE}-00f067aa0ba902b7-01"


class Receiver(ThreadingHTTPServer):
    """Takes what is exported."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.paths: list[str] = []
        self.requests: list[ExportTraceServiceRequest] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def spans(self) -> dict[str, Any]:
        """By name."""
        resources = (resource for request in self.requests for resource in request.resource_spans)
        return {
            span.name: span
            for resource in resources
            for scope in resource.scope_spans
            for span in scope.spans
        }


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        request = ExportTraceServiceRequest()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            import gzip

            body = gzip.decompress(body)
        request.ParseFromString(body)
        self.server.paths.append(self.path)
        self.server.requests.append(request)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        return None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


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
    spans = receiver.spans
    assert spans.keys() == {"webhook", "poll", "provider call"}
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE} == {tracing.id_of(ring)}
    assert spans["webhook"].parent_span_id.hex() == HEADER.split("-")[2]
    assert spans["poll"].parent_span_id == spans["webhook"].span_id
    assert spans["provider call"].parent_span_id == spans["poll"].span_id
    assert attributes(spans["webhook"]) == {"account": "acme"}


def test_what_nobody_caused_begins_a_trace_and_a_batch_names_its_other_causes(receiver: Receiver) -> None:
    with sending(receiver.url), tracing.span("drain", "", [HEADER, ""], events=2):
        own = tracing.current()
    span = receiver.spans["drain"]
    assert (span.trace_id.hex(), span.parent_span_id) == (tracing.id_of(own), b"")
    assert [link.trace_id.hex() for link in span.links] == [TRACE]


def test_a_failure_is_told_by_its_kind_and_never_by_its_words(receiver: Receiver) -> None:
    with sending(receiver.url), contextlib.suppress(ValueError), tracing.span("execute", HEADER):
        raise ValueError("Ann wrote: hello")
    span = receiver.spans["execute"]
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
