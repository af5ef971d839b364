"""Whether a message is encrypted, and what then still can be read of it."""

from __future__ import annotations

import re

from engine.mail.headers import Headers
from engine.mail.params import media_type, parameters

ENCRYPTED = "encrypted"
"""The reason that stands beside what cannot be read."""
_SMIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_OPEN = frozenset({"signed-data", "compressed-data", "certs-only"})
"""What S/MIME wraps and anybody may unwrap."""

# What writers put in place of a subject that they protect (RFC 9788, section 3.2.1; Thunderbird,
# Enigmail, p≡p).
_NO_SUBJECT = re.compile(
    r"\s*(?:\[?(?:\.\.\.|…)\]?|\(?encrypted (?:message|subject|mail|email)\)?|subject unavailable"
    r"|p≡p)\s*",
    re.I,
)


def is_encrypted(headers: Headers) -> bool:
    """Read it off the header.

    PGP/MIME (RFC 1847, section 2.2), S/MIME (RFC 8551, section 3.3), Microsoft's rights management
    (MS-OXORMMS, section 2.1.3.1) and Zoom's own mark.
    """
    return headers.kept(_is_encrypted)


def _is_encrypted(headers: Headers) -> bool:
    if "x-zoom-encryption" in headers.names:
        return True
    declared = _declared(headers)
    lower = declared.lower()
    if "pkcs7" in lower or "encrypted" in lower:
        kind = media_type(declared)
        if kind in _SMIME:
            return _smime_type(declared) not in _OPEN
        if kind == "multipart/encrypted":
            return True
    return "content-class" in headers.names and headers.text("Content-Class").lower() == "rpmsg.message"


def is_signed(headers: Headers) -> bool:
    """Say whether the whole message is signed (RFC 1847, section 2.1; RFC 8551, section 3.5)."""
    declared = _declared(headers)
    kind = media_type(declared)
    return kind == "multipart/signed" or (kind in _SMIME and _smime_type(declared) == "signed-data")


def hides_text(headers: Headers) -> str:
    """Say why the text of a message cannot be read, "" if nothing in its header says so."""
    if is_encrypted(headers):
        return ENCRYPTED
    return "wrapped in S/MIME" if media_type(_declared(headers)) in _SMIME else ""


def hides_subject(headers: Headers) -> bool:
    """Say whether the subject of an encrypted message is encrypted as well: only a stand-in is there."""
    if not is_encrypted(headers):
        return False
    return "X-Zoom-Encryption" in headers or bool(_NO_SUBJECT.fullmatch(headers.text("Subject")[:100]))


def _declared(headers: Headers) -> str:
    return headers.first("Content-Type")


def _smime_type(declared: str) -> str:
    return parameters(declared).get("smime-type", "").lower()
