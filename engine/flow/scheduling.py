"""Rules with a schedule: when their time has come, an event goes into the lane of each of their mailboxes.

There it is turned into one event for each message to be judged, in the commit that takes it away.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from engine.errand import in_background
from engine.flow.ports import Provider
from engine.flow.rulebook import Rulebook, Rulebooks
from engine.mail.events import Event, EventKind
from engine.rules.narrowing import narrow
from engine.rules.ruleset import Rule
from engine.rules.schedule import Schedule

log = logging.getLogger(__name__)

GRACE_MS = 3_600_000
"""What is missed while no worker is there is made up for so long, once; later it waits for the next time."""
MAX_PAGES = 20
"""Of a search, with up to some 500 messages each; what lies beyond waits for the next time."""
MINUTE_MS = 60_000

Place = tuple[str, str]
"""A kind of event and a mailbox."""


class Schedules(Protocol):
    """How far each schedule is with each mailbox: a text for each."""

    async def marks(self) -> Mapping[Place, str]: ...

    async def move(
        self, digest: str, place: Place, old: str, new: str, event: Event | None, now: int
    ) -> bool:
        """Put `new` in place of `old`, "" for none, and an event into the mailbox's lane, in one step.

        False where it is no longer `old`, or other rules than those of this digest are in force.
        """
        ...


@dataclass(frozen=True)
class Scheduling:
    """What seeing to schedules needs."""

    schedules: Schedules
    books: Rulebooks
    mailboxes: Iterable[str]


async def see_to_schedules(scheduling: Scheduling, now: int) -> None:
    """Set off what is due, take up new schedules from now on, and drop those that are gone."""
    book = scheduling.books.current()
    if book is None:
        return
    marks, wanted = await scheduling.schedules.marks(), set[Place]()
    for kind in book.rules.schedules:
        for mailbox in scheduling.mailboxes:
            if book.rules.listens(kind, mailbox):
                place = (kind.value, mailbox)
                wanted.add(place)
                await _see_to(scheduling.schedules, book, place, marks.get(place, ""), now)
    for place in marks.keys() - wanted:
        await scheduling.schedules.move(book.digest, place, marks[place], "", None, now)


async def _see_to(schedules: Schedules, book: Rulebook, place: Place, mark: str, now: int) -> None:
    kind, mailbox = EventKind(place[0]), place[1]
    schedule = book.rules.schedules[kind][0].schedule
    assert schedule is not None  # noqa: S101 - it is listed for having one
    home = book.rules.homes.of(mailbox).zone
    says = f"{schedule.cron} {schedule.timezone or home}"
    told, _, at = mark.rpartition("\n")
    if told != says or int(at) > now + GRACE_MS:  # In times to come, where a clock was wrong.
        await schedules.move(book.digest, place, mark, f"{says}\n{now}", None, now)
        return
    if due := schedule.latest(home, _made_up_for(int(at), now), _moment(now)):
        event = Event(kind, mailbox, 0, changed=(due.isoformat(),))
        fresh = f"{says}\n{int(due.timestamp() * 1000)}"
        await schedules.move(book.digest, place, mark, fresh, event, now)


def next_time(mark: str) -> int:
    """Say when a schedule comes again (epoch ms)."""
    says, _, at = mark.rpartition("\n")
    cron, _, zone = says.rpartition(" ")
    schedule = Schedule.model_validate({"cron": cron, "timezone": zone})
    return int(schedule.upcoming(UTC, _moment(int(at))).timestamp() * 1000)


async def found_by(provider: Provider, book: Rulebook, event: Event, now: int) -> tuple[Event, ...]:
    """Read one page of what a schedule looks for: an event for each message, and one for the next page."""
    kind, mailbox = event.kind, event.mailbox
    time, number, token = (*event.changed, "1", "")[:3]
    home = book.rules.homes.of(mailbox).zone
    rules = [rule for rule in book.rules.schedules.get(kind, ()) if rule.covers(mailbox)]
    if not rules or (not token and _is_overtaken(rules[0], time, home, now)):
        return ()
    with in_background():
        page = await provider.search(
            mailbox, narrow((rule.when for rule in rules), _moment(now), home), token
        )
    found = [Event(kind, mailbox, 0, key, changed=(time,)) for key in reversed(page.keys)]
    if page.next and int(number) < MAX_PAGES:
        found.append(Event(kind, mailbox, 0, changed=(time, str(int(number) + 1), page.next)))
    elif page.next:
        log.warning("%s of %s found more than %d pages; the rest is left", kind, mailbox, MAX_PAGES)
    return tuple(found)


def _is_overtaken(rule: Rule, time: str, home: tzinfo, now: int) -> bool:
    """Say whether a later time has come while a lane could not go on: of a backlog, the last is enough."""
    since = _made_up_for(int(datetime.fromisoformat(time).timestamp() * 1000), now)
    return rule.schedule is not None and bool(rule.schedule.latest(home, since, _moment(now)))


def _made_up_for(at: int, now: int) -> datetime:
    """Say behind which moment times count that nobody has seen to since `at`."""
    return _moment(max(at, now - now % MINUTE_MS - GRACE_MS))


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
