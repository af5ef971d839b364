"""Sample mail, written by us and as varied as real mail: what the demo delivers."""

from __future__ import annotations

from engine.sandbox.samples import (
    automatic,
    billing,
    notices,
    sales,
    structures,
    support,
    suspicious,
    threads,
    unusual,
)
from engine.sandbox.samples.wire import Sample

_MODULES = (support, threads, billing, notices, automatic, sales, suspicious, unusual, structures)


def sample_messages() -> list[Sample]:
    """Give every sample as (name, raw message); the same bytes in the same order each time."""
    return [sample for module in _MODULES for sample in module.messages()]
