"""Provider calls per 1,000 messages beside the floor: what anybody has to call who does the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from bench.expected import Work, expect
from bench.figure import Figure, Section
from bench.mail import Mail
from bench.site import Site, site

AT_ONCE, SINGLY = "at-once@ours.example", "singly@ours.example"
ONE_BY_ONE = 10
"""One of so many messages is delivered by itself, when all is quiet."""

PURPOSES = {
    "list_mailbox_history": "history",
    "get_email": "get",
    "update_email": "label",
    "batch_modify_emails": "label",
    "send_email": "send",
    "create_draft_email": "draft",
}
CONSTANTS = (
    "token",
    "get_mailbox_profile",
    "get_mail_vacation_response_setting",
    "list_labels_in_mailbox",
    "create_label_in_mailbox",
)
"""Calls that do not grow with the mail."""


async def measure(mail: Mail, folder: Path) -> Section:
    """Load all at once and ring once; then deliver some one by one, with webhooks."""
    raws, some = mail.raws, mail.raws[::ONE_BY_ONE]
    async with site(folder, [AT_ONCE, SINGLY]) as place:
        done, echo = await _at_once(place, raws)
        single = await _one_by_one(place, some)
        constants = {name: (await place.calls())[name] for name in CONSTANTS}
    work, alone = expect(raws, AT_ONCE), expect(some, SINGLY, batch=1)
    floor = alone.floor | {"history": len(some) + _own_changes(alone)}
    deaf = alone.floor | {"history": len(some)}
    return Section(
        "Provider calls per 1,000 messages",
        (
            _figure("loaded at once", done, work.floor, work),
            _figure("then our own changes read back", echo, {"history": work.echo}, work),
            _figure("one by one, by webhooks", single, floor, alone),
            _figure("the same, if ours did not ring", single, deaf, alone),
        ),
        (
            f"at once, ours of floor: {_compared(done, work.floor)}",
            f"one by one, ours of floor ({len(some)} messages): {_compared(single, floor)}",
            "one by one, each webhook takes a page: one for each message and one for each change of ours,"
            " since a webhook does not say whose change it was",
            f"constants, apart: {', '.join(f'{count} {name}' for name, count in constants.items())}",
        ),
    )


async def _at_once(place: Site, raws: tuple[bytes, ...]) -> tuple[Counter[str], Counter[str]]:
    await place.load(AT_ONCE, raws)
    start = await place.calls()
    await place.ring(AT_ONCE)
    await place.quiet(AT_ONCE, len(raws))
    done = await place.calls()
    await place.ring(AT_ONCE)
    await place.quiet(AT_ONCE, len(raws))
    return by_purpose(done - start), by_purpose(await place.calls() - done)


async def _one_by_one(place: Site, raws: tuple[bytes, ...]) -> Counter[str]:
    start = await place.calls()
    await place.stage.control("POST", "subscribe", json={"url": place.hook, "secret": place.secret})
    for count, raw in enumerate(raws, 1):
        await place.stage.deliver(SINGLY, raw)
        await place.quiet(SINGLY, count)
    return by_purpose(await place.calls() - start)


def by_purpose(calls: Counter[str]) -> Counter[str]:
    """Sum operations by what they are for, without the constants; others keep their name."""
    summed: Counter[str] = Counter()
    for operation, count in calls.items():
        if operation not in CONSTANTS:
            summed[PURPOSES.get(operation, operation)] += count
    return summed


def _own_changes(work: Work) -> int:
    """How often we change something that the service rings for."""
    return len(work.groups) + len(work.sends) + len(work.drafts)


def _figure(name: str, done: Mapping[str, int], floor: Mapping[str, int], work: Work) -> Figure:
    scale = 1000 / work.messages
    return Figure(name, sum(done.values()) * scale, sum(floor.values()) * scale, "calls", "floor")


def _compared(done: Mapping[str, int], floor: Mapping[str, int]) -> str:
    names = dict.fromkeys([*floor, *done])
    return ", ".join(f"{name} {done.get(name, 0)} of {floor.get(name, 0)}" for name in names)
