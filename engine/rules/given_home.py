"""What a test says of the mailbox in which it takes place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from engine.mail.auth import METHODS, RESULTS
from engine.rules.findings import unknown
from engine.rules.home import Home

SOME_SERVER = "mx.test.example"
"""The receiving server of a test, where neither the test nor the configuration names one."""


def _results(value: Any) -> Any:
    if not isinstance(value, dict) or not value:
        raise ValueError("must be a map such as {spf: pass, dkim: none, dmarc: fail}")
    for method, result in value.items():
        if method not in METHODS:
            raise ValueError(unknown("method", method, METHODS))
        if result not in RESULTS:
            raise ValueError(unknown("result", str(result), RESULTS))
    return value


GivenAuth = Annotated[
    dict[str, str],
    BeforeValidator(_results),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {method: {"enum": sorted(RESULTS)} for method in METHODS},
            "additionalProperties": False,
            "minProperties": 1,
        }
    ),
]
"""A result for each method."""


def local(moment: datetime, home: Home) -> datetime:
    """Read a time that names no zone in the mailbox's."""
    return moment if moment.tzinfo else moment.replace(tzinfo=home.zone)


def auth_field(results: Mapping[str, str], home: Home) -> tuple[str, str]:
    """Write results as the receiving server would (RFC 8601, section 2.2)."""
    said = "; ".join(f"{method}={result}" for method, result in results.items())
    return "Authentication-Results", f"{min(home.authserv_ids)}; {said}"
