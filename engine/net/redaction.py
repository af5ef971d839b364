"""Keep secrets out of every text that leaves this process."""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "[hidden]"
MAX_TEXT = 200

_CREDENTIALS = re.compile(r"\b(Bearer|Basic)\s+[^\s\"',;]+", re.IGNORECASE)
_NAMED = re.compile(
    r"(access_token|refresh_token|client_secret|password|authorization)(['\"]?\s*[:=]\s*['\"]?)[^\s'\"&,;}]+",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Give `text` on one line, at most 200 characters, without the secrets and what looks like one."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    # Cut early with room to spare: the patterns need not see a whole foreign page.
    text = _CONTROL.sub(" ", text[: 10 * MAX_TEXT])
    text = _CREDENTIALS.sub(rf"\1 {HIDDEN}", text)
    text = _NAMED.sub(rf"\1\2{HIDDEN}", text).strip()
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
