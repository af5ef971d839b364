"""What a rule in shadow would have done, as a person reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from engine.cli.apply_text import counted, words
from engine.cli.words import many
from engine.flow.plan import Run
from engine.flow.promoting import Mail, Shadowed


def as_lines(rule: str, since: datetime, matches: Sequence[Shadowed], limit: int) -> Iterator[str]:
    """Counts first, then samples."""
    messages = len({(one.run.mailbox, one.run.key) for one in matches})
    times = f"{many(len(matches), 'time')} since {since:%Y-%m-%d %H:%M}"
    yield f"{rule} has matched {times}, {many(messages, 'message')}"
    yield from counted("what it would have done", _effects(matches))
    yield from _sends(matches)
    yield from counted("what live rules did with these messages", _beside(matches))
    samples = matches[-limit:] if limit else ()
    if samples:
        yield "for example"
    for one in samples:
        yield f"  {one.run.key}  would: {_told([one.run])}; live: {_told(one.beside, named=True)}"


def _effects(matches: Sequence[Shadowed]) -> Counter[str]:
    return Counter(word for one in matches for step in one.run.steps for word in words(step))


def _beside(matches: Sequence[Shadowed]) -> Counter[str]:
    found = Counter(rule for one in matches for rule in {run.rule for run in one.beside})
    if alone := sum(not one.beside for one in matches):
        found["no live rule"] = alone
    return found


def _mails(matches: Sequence[Shadowed]) -> list[Mail]:
    return [mail for one in matches for mail in one.mails]


def _sends(matches: Sequence[Shadowed]) -> Iterator[str]:
    mails, unread = _mails(matches), sum(one.unread for one in matches)
    if not mails and not unread:
        return
    sent = [mail for mail in mails if not mail.held]
    addresses = {address for mail in sent for address in mail.to}
    yield f"mails: {len(sent):,} would have gone to {many(len(addresses), 'address')}"
    yield from counted("  held", Counter(mail.held for mail in mails if mail.held))
    if unread:
        yield f"  of {unread:,} older ones nobody looked to whom"


def _told(runs: Sequence[Run], *, named: bool = False) -> str:
    told = [
        f"{run.rule + ': ' if named else ''}{', '.join(word for step in run.steps for word in words(step))}"
        for run in runs
    ]
    return "; ".join(told) or "nothing"


def as_dict(
    rule: str, matches: Sequence[Shadowed], place: str, limit: int, *, written: bool
) -> dict[str, Any]:
    """The same for machines."""
    sent = [mail for mail in _mails(matches) if not mail.held]
    return {
        "rule": rule,
        "matches": len(matches),
        "messages": len({(one.run.mailbox, one.run.key) for one in matches}),
        "effects": dict(sorted(_effects(matches).items())),
        "mails": len(sent),
        "addresses": len({address for mail in sent for address in mail.to}),
        "held": dict(sorted(Counter(mail.held for mail in _mails(matches) if mail.held).items())),
        "unread": sum(one.unread for one in matches),
        "beside": dict(sorted(_beside(matches).items())),
        "samples": [
            {"message": one.run.key, "would": _told([one.run]), "live": _told(one.beside, named=True)}
            for one in (matches[-limit:] if limit else ())
        ],
        "line": place,
        "written": written,
    }
