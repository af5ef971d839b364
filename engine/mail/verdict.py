"""Whether mail came back for good: status codes (RFC 3463), reply codes (RFC 5321) and what servers write."""

from __future__ import annotations

import re
from enum import IntEnum

NEARBY = 600
"""Characters behind an address that speak of it, in a report for people."""
MAX_WORDS = 4_000

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.@])([45])\d\d(?=[ -])")
_RECIPIENT = re.compile(r"^[ \t]{0,40}(?:to |rcpt to)?:?[ \t]{0,40}<?([^\s<>@]{1,64}@[^\s<>:,]{1,255})", re.M)
"""A line of a report that begins with whom it is about."""
_WHOM = r"(?:user|recipient|address|mailbox|account)"
_GONE = re.compile(
    rf"(?:unknown|invalid|bad) {_WHOM}|{_WHOM} (?:is )?"
    r"(?:unknown|not found|not exist|disabled|inactive|invalid|no longer)"
    rf"|no such (?:person|{_WHOM})|no mailbox here"
    r"|do(?:es)?(?:n.t| not) (?:exist|have an? [^ ]{1,80} account)"
    r"|was(?:n.t| not) found at|unrouteable|host (?:unknown|not found)|domain (?:not found|does not exist)"
)
_LATE = re.compile(
    r"delayed|temporar(?:y|ily)|has not (?:yet )?been delivered|(?:still|will) (?:be |being )?re-?tr(?:y|ied)"
    r"|will keep trying|try(?:ing)? again|do not need to resend"
)
_PERMANENT = {
    "1": re.compile(r"(?!0*[578]$)\d+"),  # Addresses; 5 is a good one, 7 and 8 speak of the sender's.
    "2": re.compile(
        "0*1"
    ),  # A mailbox that is disabled; one that is full, or takes only small mail, may change.
    "4": re.compile("0*(?:1|4|310)"),  # Exchange's word for an unknown recipient; no such domain.
}


class Verdict(IntEnum):
    """What a report comes to for one recipient."""

    NONE = 0
    """Delivered, passed on, or still on its way."""
    SOFT = 1
    """Given up, for a reason that may go away, or that lies in the mail."""
    HARD = 2
    """Nobody is there."""
    COMPLAINT = 3
    """It came, and was reported as spam."""


def verdict(action: str, status: str, words: str) -> tuple[Verdict, str]:
    """Judge what is told of a recipient, `words` folded; give the verdict and the status that says most.

    Many servers say no more than `5.0.0` and leave what they mean to the words behind it.
    """
    words = words[:MAX_WORDS]
    codes = [code for text in (status, words) for code in _STATUS.findall(text)]
    code = next((one for one in codes if int(one[2])), codes[0] if codes else None)
    told = ".".join(code) if code else ""
    if not _is_given_up(action, code, words):
        return Verdict.NONE, told
    if code and _is_permanent(*code):
        return Verdict.HARD, told
    vague = code is None or (code[0] == "5" and not int(code[2]))
    return (Verdict.HARD if vague and _GONE.search(words) else Verdict.SOFT), told


def words_of(text: str, at: int) -> str:
    """What a report for people says of an address that stands at `at`.

    That is what follows it, up to the next recipient's line; of a report on one recipient, all of it.
    """
    following = _RECIPIENT.search(text, at + 1)
    nearby = text[at : min(at + NEARBY, following.start() if following else len(text))]
    if any(pattern.search(nearby) for pattern in (_STATUS, _REPLY, _GONE)):
        return nearby
    alone = len({found[1] for found in _RECIPIENT.finditer(text[:MAX_WORDS])}) < 2
    return text[:MAX_WORDS] if alone else nearby


def _is_given_up(action: str, code: tuple[str, str, str] | None, words: str) -> bool:
    if action:
        return action.startswith("failed") and (code is None or code[0] != "2")
    if code:
        return code[0] == "5"
    reply = _REPLY.search(words)
    return reply[1] == "5" if reply else not _LATE.search(words)


def _is_permanent(kind: str, subject: str, detail: str) -> bool:
    about = _PERMANENT.get(str(int(subject)))
    return kind == "5" and about is not None and bool(about.fullmatch(detail))
