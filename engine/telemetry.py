"""A way out for spans: OTLP over HTTP, by OpenTelemetry's SDK; imported only where there is an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from os import getpid
from socket import gethostname

from engine import __version__, tracing
from engine.errors import SettingsError

try:
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
except ImportError as error:
    raise SettingsError(
        f"a telemetry endpoint is configured, and {error.name} is not installed: "
        "install postroom[otel], or take the endpoint away"
    ) from None

LINKS = 32
"""At most so many further causes of one batch are named."""
EXPORT_WITHIN_S = 5
KINDS = {"webhook": trace.SpanKind.SERVER, "provider call": trace.SpanKind.CLIENT}


def start_telemetry(endpoint: str, process: str) -> Callable[[], None]:
    """Send spans to `{endpoint}/v1/traces` from now on. Returns what ends that, the last ones sent."""
    resource = Resource.create(
        {
            "service.name": "postroom",
            "service.version": __version__,
            "service.instance.id": f"{process}@{gethostname()}:{getpid()}",
        }
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_WITHIN_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracing.send_to(_opener(provider.get_tracer("postroom", __version__)))

    def stop() -> None:
        tracing.send_to(None)
        provider.shutdown()

    return stop


def _opener(tracer: trace.Tracer) -> tracing.Opener:
    @contextmanager
    def opened(work: tracing.Span) -> Iterator[str]:
        span = tracer.start_span(
            work.name,
            _following(work.parent),
            KINDS.get(work.name, trace.SpanKind.INTERNAL),
            work.attributes,
            _links(work.links),
        )
        try:
            yield _traceparent(span.get_span_context())
        except BaseException as error:
            # By its kind alone: what an error says may name more than traces should hold.
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            span.end()

    return opened


def _following(parent: str) -> Context:
    if not parent:
        return Context()
    return trace.set_span_in_context(trace.NonRecordingSpan(_context(parent)), Context())


def _links(causes: Sequence[str]) -> list[trace.Link]:
    return [trace.Link(_context(cause)) for cause in causes[:LINKS] if cause]


def _context(traceparent: str) -> trace.SpanContext:
    trace_id, span_id = (int(part, 16) for part in traceparent.split("-")[1:3])
    return trace.SpanContext(
        trace_id, span_id, is_remote=True, trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED)
    )


def _traceparent(context: trace.SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"
