"""Bounces of our own mail: believed where they name a mail of ours and somebody whom it went to.

Anybody can write a report. Only who got a mail of ours knows its Message-ID, and by it those of its run's
other steps, and of a summary that it began. So none has our own addresses suppressed, nor those that an
answer to all took from a message, nor whom a rule writes to beside an answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from engine.errors import ConditionError, MessageGone
from engine.flow.executing import NotYetError, Receipt, Work
from engine.flow.holding import NO_PROFILES, Profiles, our_addresses
from engine.flow.inverse import suppressed_back
from engine.flow.outgoing import OWN_ID, address_digest, written_for
from engine.flow.sift import may_be_bounce
from engine.flow.stores import Settled
from engine.flow.suppression import SOFT_LIMIT, Bounced, Sent, Suppressed
from engine.flow.writers import refers_to_ours
from engine.mail.address import Address
from engine.mail.automated import automated
from engine.mail.dsn import Report, Told, read_report
from engine.mail.events import Event
from engine.mail.message import Message
from engine.mail.mime import parse
from engine.mail.needs import Need
from engine.mail.verdict import Verdict
from engine.rules.effects import Suppress
from engine.rules.evaluation import Match
from engine.rules.reach import Recipients
from engine.rules.ruleset import RuleSet

BOUNCE_RULE = "(bounces)"
"""Stands for the rule in runs that read a bounce; no rule is called so."""
_OURS = re.compile(f"<{OWN_ID}>")
_REWRITTEN = 10
"""Of so many addresses of a report is it asked what they were made of."""
_COMES_TO = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to")


def bounce_match(
    rules: RuleSet, event: Event, message: Message, profiles: Profiles = NO_PROFILES
) -> tuple[Match, ...]:
    """Give the reading of a bounce as the match of a rule, so that the journal sees it as any other.

    `profiles` tell addresses of ours, beside those that the configuration names.
    """
    try:
        found = (
            may_be_bounce(event, rules)
            and "bounce" in automated(message.headers)
            and (_comes_to(message, rules.homes.reach.recipients, profiles) or refers_to_ours(message))
        )
    except ConditionError:
        return ()
    return (Match(BOUNCE_RULE, ({"suppress": {}},), (Suppress(),)),) if found else ()


def _comes_to(message: Message, ours: Recipients | None, profiles: Profiles) -> bool:
    """Say whether a report may be for us: it goes to whom the mail came from (RFC 3464, section 2).

    Reports for others come through lists and forwards; to read each would cost a call.
    """
    fields = [message.addresses(name) for name in _COMES_TO]
    named = [one for found in fields for one in found if one.local and one.domain]
    if ours is None or not named:
        return True
    own = our_addresses((), profiles)  # Only now: there may be a thousand mailboxes.
    if any(ours.include(one.address) or one.normal in own or one.untagged in own for one in named):
        return True
    return any(ours.include(text) or text in own for one in named[:_REWRITTEN] for text in _rewritten(one))


def _rewritten(address: Address) -> Iterator[str]:
    """What a server that passes mail on may have made an address of, as `SRS0=xx=yy=acme.example=desk`."""
    for one, other in pairwise(address.normal.rpartition("@")[0].split("=", 8)):
        yield f"{other}@{one}"
        yield f"{one}@{other}"


async def read_bounce(work: Work) -> Receipt:
    """Suppress whom a bounce says is gone, and count those whose mail came back for now.

    Raises NotYetError while the mail that came back is still being sent.
    """
    raw = await work.provider.raw(work.run.mailbox, work.run.key)
    report = read_report(parse(raw))
    sent = await _sent(work, report)
    if sent is None:
        return _ignored("it names no mail of ours, or one that is forgotten")
    went_to = await _recipients(work, sent)
    if sent.to_all and len(went_to) > 1:
        return _ignored("everybody whom that answer went to may have written it")
    if sent.beside_answer:
        return _ignored("whoever was answered when that mail was sent may have written it")
    ours = work.executing.budgets.ours
    theirs = [address for address in report.addresses if address_digest(address) in went_to]
    named = {one: told for one in theirs if not ours.include(one) and (told := report.about(one))}
    if report.complains and not report.addresses and len(went_to) == 1:
        named = await _alone(work, sent, went_to[0])
    if not named:
        return _ignored("it names nobody whom that mail went to, but for who is ours")
    return await _remember(work, named)


async def _sent(work: Work, report: Report) -> Sent | None:
    """The step whose mail came back."""
    for found in filter(None, map(_OURS.fullmatch, report.ids)):
        sent = await work.executing.suppressions.sent(found[1], int(found[2]))
        if sent and sent.receipt is None and sent.tried:
            raise NotYetError("the mail that came back is still being sent")
        if sent and sent.receipt and sent.receipt["outcome"] == "done":
            return sent
    return None


async def _recipients(work: Work, sent: Sent) -> list[str]:
    """Digests of whom it went to; where the receipt does not tell, as after a look-up, the mail does."""
    receipt = sent.receipt or {}
    if "to" in receipt:
        return list(json.loads(receipt["to"]))
    return [address_digest(one.normal) for one in await _copied(work, sent)]


async def _alone(work: Work, sent: Sent, went_to: str) -> dict[str, Told]:
    """Who complains of mail that went to one person alone, where the report hides who it was."""
    ours = work.executing.budgets.ours
    found = [one.normal for one in await _copied(work, sent) if address_digest(one.normal) == went_to]
    return {one: Told(frozenset({one}), Verdict.COMPLAINT, "") for one in found if not ours.include(one)}


async def _copied(work: Work, sent: Sent) -> tuple[Address, ...]:
    """Whom our own copy of the mail is to; nobody where it is not to be had."""
    receipt = sent.receipt or {}
    if "id" not in receipt or sent.mailbox != work.run.mailbox:
        return ()
    try:
        mail = await work.provider.fetch(sent.mailbox, receipt["id"], frozenset({Need.HEADERS}))
    except MessageGone:
        return ()
    return written_for(mail.headers)


async def _remember(work: Work, named: Mapping[str, Told]) -> Receipt:
    executing, now = work.executing, work.executing.clock()
    counts = await executing.suppressions.soft(list(named), now)
    suppressed, soft = {}, []
    for address, told in named.items():
        if told.verdict is Verdict.COMPLAINT:
            suppressed[address] = _suppressed(work, now, "mail to it was reported as spam", "")
        elif told.verdict is Verdict.HARD:
            suppressed[address] = _suppressed(work, now, "mail to it came back for good", told.status)
        elif told.verdict is Verdict.SOFT and counts[address] + 1 >= SOFT_LIMIT:
            why = f"mail to it came back {SOFT_LIMIT} times in 7 days"
            suppressed[address] = _suppressed(work, now, why, told.status)
        elif told.verdict is Verdict.SOFT:
            soft.append(address)
    if not suppressed and not soft:
        return _ignored("it tells of nothing that came back")
    receipt = {"outcome": "done", "suppressed": str(len(suppressed)), "counted": str(len(soft))}
    receipt |= suppressed_back(len(suppressed)) if suppressed else {}
    settled = Settled(work.run.id, work.step, receipt)
    await executing.suppressions.settle(settled, Bounced(suppressed, tuple(soft)), now, work.claim)
    return receipt


def _suppressed(work: Work, now: int, why: str, status: str) -> Suppressed:
    return Suppressed(since=now, why=f"{why} ({status})" if status else why, status=status, run=work.run.id)


def _ignored(why: str) -> Receipt:
    return {"outcome": "skipped", "why": why}
