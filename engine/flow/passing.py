"""Bring one step before the gate: whom it is for, what it counts as, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from engine.flow.executing import AwaitingError, Work
from engine.flow.gate import Count, Passage
from engine.flow.guard import once_name
from engine.flow.rewriting import people as people_of
from engine.flow.rewriting import readdressed
from engine.flow.writers import known_as
from engine.mail.address import Address
from engine.rules.budgets import Budgets, Share, window_of
from engine.rules.effects import CallHttp, EmitEvent, SendMessage, Throttle

NEVER = "nothing is sent there: outbound.suppress"


@dataclass(frozen=True, slots=True)
class Passed:
    """What may be sent, and to whom not; `held` says why nothing may."""

    raw: bytes
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Recipients who get nothing, as written, each with the reason."""
    held: str = ""


@dataclass(frozen=True, slots=True)
class _People:
    """Whom a mail is to, and who gets a copy."""

    to: tuple[Address, ...]
    cc: tuple[Address, ...]

    @property
    def all(self) -> Mapping[str, Address]:
        """Each once, by its normal form."""
        return {one.normal: one for one in (*self.to, *self.cc)}

    def without(self, barred: Mapping[str, str]) -> _People:
        kept = (tuple(one for one in some if not _why(one, barred)) for some in (self.to, self.cc))
        return _People(*kept)


async def let_pass(work: Work, effect: SendMessage, raw: bytes, until: datetime | None = None) -> Passed:
    """Ask for a mail; recipients who may get nothing are left out, unless nobody is left whom it is to.

    `until` is when it leaves that the service keeps till then. Raises AwaitingError while sends are paused.
    """
    executing, never = work.executing, work.executing.budgets.never
    people = _People(*people_of(raw))
    barred = {name: NEVER for one in people.all.values() for name in _names(one) if never.include(name)}
    left_out: dict[str, str] = {}
    while True:
        left_out |= {one.address: why for one in people.all.values() if (why := _why(one, barred))}
        people = people.without(barred)
        if not people.to:
            return Passed(raw, held=told(left_out))
        verdict = await executing.gate.ask(_passage(work, effect, people, until), executing.clock())
        if verdict.paused:
            raise AwaitingError(await executing.gate.park(work.claim, verdict.paused, executing.clock()))
        if verdict.held or verdict.passed:
            return Passed(_addressed(raw, people, left_out), left_out, verdict.held)
        barred = dict(verdict.barred)


def _names(person: Address) -> tuple[str, ...]:
    """By what somebody may be suppressed: a fresh tag is no other person."""
    return tuple(dict.fromkeys((person.normal, person.untagged)))


def _why(person: Address, barred: Mapping[str, str]) -> str:
    return next((barred[name] for name in _names(person) if name in barred), "")


def _addressed(raw: bytes, people: _People, left_out: Mapping[str, str]) -> bytes:
    return readdressed(raw, people.to, people.cc) if left_out else raw


async def throttled(work: Work, effect: CallHttp | EmitEvent) -> str:
    """Count a step that is no send; say why it is held, "" if it may be done."""
    if effect.throttle is None:
        return ""
    counts = (_throttle(work, effect.throttle),)
    passage = Passage(_step(work), work.claim.deadline, counts)
    return (await work.executing.gate.ask(passage, work.executing.clock())).held


def told(left_out: Mapping[str, str]) -> str:
    """Say in one line who gets nothing and why."""
    return "; ".join(f"{address}: {why}" for address, why in left_out.items())


def _step(work: Work) -> str:
    return f"{work.run.id}.{work.step}"


def _passage(work: Work, effect: SendMessage, people: _People, until: datetime | None) -> Passage:
    counts = (
        *_recipients(work, effect, people),
        *_exchanges(work, effect, people),
        *_senders(work, effect),
        *_own_limits(work, effect, people),
    )
    kept_until = int(until.timestamp() * 1000) if until else 0
    addresses = tuple(dict.fromkeys(name for one in people.all.values() for name in _names(one)))
    return Passage(_step(work), max(work.claim.deadline, kept_until), counts, addresses, True, kept_until)


def _recipients(work: Work, effect: SendMessage, people: _People) -> Iterator[Count]:
    budgets = work.executing.budgets
    for normal, person in people.all.items():
        counted = _digest(_person(budgets, person))
        yield _budget(effect, f"recipient:{counted}", budgets.of(person.address), normal)


def _person(budgets: Budgets, address: Address) -> str:
    """Who is counted: any text behind a `+` reaches the same person, unless it has a budget of its own."""
    whole = address.untagged
    return whole if budgets.of(whole) == budgets.of(address.address) else address.normal


def _exchanges(work: Work, effect: SendMessage, people: _People) -> Iterator[Count]:
    """Count the event as one that leads from the message's author to each of these; all its mails count once.

    An answer counts for the author, or whom the author writes for, and for who gets it in the author's place.
    Where mail of theirs leads back to who wrote it, machines may be answering each other, and who has gone
    round too often already is led round by nobody else; who was led round is answered less often. Notices
    that nobody answers lead nowhere and are not held, however many there are; nor is what a person approved.
    """
    run, share = work.run, work.executing.budgets.share("exchanges")
    for normal, person in people.all.items() if run.writers else ():
        author, told = run.writers[0], known_as(person)
        answered = dict.fromkeys((run.behalf or author, told)) if told in run.writers else ()
        for by, to in [(one, one) for one in answered] or [(author, told)]:
            yield Count(f"led:{by}:{to}", share.name, share.windows, False, normal, run.event)
            back = "" if by == to else f"led:{to}:{by}"
            count = _budget(effect, f"round:{by}", share, normal)
            limits = count.limits and not effect.approval
            count = replace(count, limits=limits, member=run.event, given=back)
            yield from (count, replace(count, key=f"round:{to}", looks=True)) if back else (count,)
            yield replace(count, key=f"reached:{to}", limits=limits and not back)


def _senders(work: Work, effect: SendMessage) -> Iterator[Count]:
    run, budgets = work.run, work.executing.budgets
    yield _budget(effect, f"rule:{run.mailbox}:{run.rule}", budgets.share("rule"))
    yield _budget(effect, f"mailbox:{run.mailbox}", budgets.share("mailbox"))


def _budget(effect: SendMessage, key: str, share: Share, address: str = "") -> Count:
    return Count(key, share.name, share.windows, "budget" not in effect.off, address)


def _own_limits(work: Work, effect: SendMessage, people: _People) -> Iterator[Count]:
    """What the rule itself asks for: what was decided days apart may leave together."""
    if effect.throttle:
        yield _throttle(work, effect.throttle)
    if effect.once_per:
        name = once_name(work.run.mailbox, work.run.rule, effect.template, people.to[0])
        yield Count(f"once:{_digest(name)}", "once_per", (window_of(1, effect.once_per.seconds),))


def _throttle(work: Work, throttle: Throttle) -> Count:
    key = f"throttle:{work.run.rule}:{work.step}:{_digest(throttle.key)}"
    return Count(key, "its throttle", (window_of(throttle.at_most, throttle.seconds),))


def _digest(text: str) -> str:
    """Name what a message says without repeating it, in a bounded space."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
