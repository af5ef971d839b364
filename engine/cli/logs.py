"""Logs on standard error, as text or as one JSON object a line, each with the trace of its cause."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from engine.settings import log_format, log_level
from engine.tracing import current, id_of

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s%(cause)s"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the trace where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace := trace_of(record):
            entry["trace"] = trace
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """One line of text; the trace stands at its end."""

    def format(self, record: logging.LogRecord) -> str:
        trace = trace_of(record)
        record.cause = f" [{trace}]" if trace else ""
        return super().format(record)


def trace_of(record: logging.LogRecord) -> str:
    """The one id of what the line speaks of: its own, else that of the work at hand."""
    own: str = getattr(record, "trace", "")
    return own or id_of(current())


def start_logs() -> None:
    """Send our logs to standard error; other libraries speak from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format() == "json" else TextFormatter(TEXT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("postroom", "engine"):
        logging.getLogger(name).setLevel(log_level().upper())
