"""What a call brings along, or a summary gathered, and nobody can fetch again: kept until it is sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.mail.bodies import File


@dataclass(frozen=True, slots=True)
class Content:
    """A payload, as JSON text, files, and a template's inputs as plain values."""

    payload: str = field(default="", repr=False)
    files: tuple[File, ...] = field(default=(), repr=False)
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)


NOTHING_ALONG = Content()


def write_files(files: Sequence[File]) -> str:
    """Write files down as JSON, "" where there are none."""
    if not files:
        return ""
    return json.dumps([[one.name, one.type, base64.b64encode(one.content).decode()] for one in files])


def read_files(text: str) -> tuple[File, ...]:
    """Read what `write_files` wrote."""
    listed = json.loads(text) if text else []
    return tuple(File(name, kind, base64.b64decode(content)) for name, kind, content in listed)
