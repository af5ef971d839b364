"""The operations on the vacation responder. A PUT replaces all settings; fields left out are off or empty."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from engine.sandbox.call import Call
from engine.sandbox.failure import invalid
from engine.sandbox.representation import Json
from engine.sandbox.responder import vacation_of
from engine.sandbox.sanitizing import sanitized

LONGEST = 100_000
"""Characters of a response text."""
_FLAGS = ("enableAutoReply", "enableAlwaysRespond", "restrictToContacts", "restrictToDomain")
_TEXTS = ("responseSubject", "responseBodyPlainText", "responseBodyHtml")
_TIMES = ("startTime", "endTime")
_END_OF_TIME = 253_402_300_800_000
"""Epoch milliseconds of the year 10000."""


def get_mail_vacation_response_setting(call: Call) -> Json:
    return _shown(vacation_of(call.store, call.box))


def update_mailbox_vacation_response_setting(call: Call) -> Json:
    if "enableAutoReply" not in call.body:
        raise invalid("enableAutoReply", "enableAutoReply is required.")
    shape: Json = {name: call.truth(name) for name in _FLAGS} | {name: _text(call, name) for name in _TEXTS}
    shape["responseBodyHtml"] = sanitized(shape["responseBodyHtml"])
    if shape["enableAutoReply"] and not any(shape[name].strip() for name in _TEXTS):
        raise invalid("responseSubject", "A responder needs a subject or a body.")
    shape |= {name: str(at) for name in _TIMES if (at := _time(call, name)) is not None}
    if int(shape.get("startTime", 0)) >= int(shape.get("endTime", _END_OF_TIME)):
        raise invalid("endTime", "startTime precedes endTime.")
    if shape != vacation_of(call.store, call.box):
        call.store.db.execute(
            "INSERT OR REPLACE INTO vacations VALUES (?, ?)", (call.box.row, json.dumps(shape))
        )
        call.store.record(call.box, {"settingsUpdated": [{"type": "vacation"}]}, message=False)
    return _shown(shape)


def _text(call: Call, name: str) -> str:
    value = call.text(name, "")
    if len(value) > LONGEST:
        raise invalid(name, f"{name} has at most {LONGEST} characters.")
    return value


def _time(call: Call, name: str) -> int | None:
    """A time in epoch milliseconds; they win over the ISO form when both are given (presumed)."""
    if text := call.text(name, ""):
        if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) < _END_OF_TIME):
            raise invalid(name, f"{name} is a string of epoch milliseconds.")
        return int(text)
    text = call.text(f"{name}ISO", "")
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        milliseconds = round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise invalid(f"{name}ISO", f"{name}ISO is an ISO 8601 date and time.") from error
    if not 0 <= milliseconds < _END_OF_TIME:
        raise invalid(f"{name}ISO", f"{name}ISO lies after 1970.")
    return milliseconds


def _shown(shape: Json) -> Json:
    """Times are shown in both forms, and not at all when there are none."""
    shown: Json = dict.fromkeys(_FLAGS, False) | dict.fromkeys(_TEXTS, "") | shape
    for name in _TIMES:
        if name in shape:
            at = datetime.fromtimestamp(int(shape[name]) / 1000, UTC)
            shown[f"{name}ISO"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return shown
