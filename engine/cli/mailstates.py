"""What `check` says of the mailboxes themselves, as their last read profiles have it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from redis.exceptions import RedisError

from engine.errors import Place, PostroomError, RuleError
from engine.flow.clock import now_ms
from engine.flow.ports import ACTIVE, Period, Profile
from engine.rules.actions.reply import Reply
from engine.rules.ruleset import RuleSet
from engine.settings import Settings
from engine.wiring import open_office


def read_profiles(settings: Settings) -> Mapping[str, Profile] | None:
    """The profiles of configured mailboxes; None when there is no Redis that could know them."""
    if settings.redis.url is None and not Path(settings.data).is_dir():
        return None

    async def read() -> Mapping[str, Profile]:
        async with open_office(settings) as office:
            return await office.mailboxes.profiles()

    try:
        return asyncio.run(read())
    except (PostroomError, RedisError, OSError):
        return None


def state_warnings(
    settings: Settings, ruleset: RuleSet, profiles: Mapping[str, Profile]
) -> Iterator[RuleError]:
    """Name mailboxes that are not in use, and those whose own vacation reply keeps our answers back."""
    for mailbox in settings.mailboxes:
        profile = profiles.get(mailbox)
        if profile is None:
            continue
        place = Place(settings.file, path=f"mailboxes.{mailbox}")
        if not profile.active:
            text = f"the service says that it is {profile.status}, not {ACTIVE}: it is paused until it is"
            yield RuleError(text, place)
        answering = [
            rule.id for rule in ruleset.rules if rule.acts and rule.covers(mailbox) and _answers(rule.then)
        ]
        if answering and profile.is_away(now_ms()):
            yield RuleError(
                f"its own vacation reply is on{_until(profile.vacation)}: until then no answer of ours goes"
                f" out beside it (rules {', '.join(answering)})",
                place,
            )


def _answers(then: tuple[object, ...]) -> bool:
    """Whether something of it is held while the mailbox answers by itself."""
    replies = [action for action in then if isinstance(action, Reply)]
    return any(reply.mode != "draft" and "vacation" not in reply.off for reply in replies)


def _until(period: Period | None) -> str:
    if period is None or not period.end:
        return ""
    return f" until {datetime.fromtimestamp(period.end / 1000, UTC):%Y-%m-%d %H:%M} UTC"
