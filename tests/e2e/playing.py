"""Play mail through a staged Postroom and hold the mailboxes against the oracle."""

from __future__ import annotations

import asyncio
import contextlib
import re
from base64 import urlsafe_b64decode
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from redis.exceptions import RedisError

from engine.cli.audit import audit_mailbox
from engine.cli.progress import Progress, caught_up, measure
from engine.cli.stage import Play, Stage, staged
from engine.errors import ProviderError
from engine.mail.mime import from_raw
from engine.wiring import Office, open_office
from tests.e2e.oracle import Expected, expect
from tests.e2e.peer import calls, peer
from tests.waiting import wait_for

HERE = Path(__file__).parent
KEPT = "kept"
"""The folder, within that of the play, in which messages are saved."""
WEBHOOKS, POLLING = "webhooks@ours.example", "polling@ours.example"


ROUGH = {"timeout": "2s", "margin": "4s", "look_gap": "200ms"}
QUICK = {"timeout": "1s", "margin": "1s", "look_gap": "100ms"}
"""For workers that die and are never merely stopped: nothing of theirs is still on its way."""
EVERY_RUN = 1_000_000
IN_SERVICE_S = 120
"""A worker that dies a dozen times leaves a lease behind each time, which lapses after six seconds."""


def play(execute: Mapping[str, str] = ROUGH, **options: object) -> Play:
    """Two mailboxes: one with webhooks and no polling, the other with polling alone."""
    return Play(
        {WEBHOOKS: "off", POLLING: "1s"},
        HERE / "rules",
        HERE / "templates",
        silent=(POLLING,),
        limits=False,
        execute=execute,
        **options,  # type: ignore[arg-type]
    )


@contextlib.asynccontextmanager
async def staged_play(play: Play, folder: Path) -> AsyncIterator[tuple[Stage, Office]]:
    """Stage a play together with what lies beside mail: a folder, and a system that rules call."""
    (folder / KEPT).mkdir(exist_ok=True)
    async with peer(folder) as url:
        endpoint = {"url": url, "keyed": True, "private": True}
        more = {"folders": {"kept": KEPT}, "endpoints": {"peer": endpoint}, **play.more}
        async with staged(replace(play, more=more), folder) as stage, open_office(stage.settings) as office:
            yield stage, office


@dataclass
class Outcome:
    """What went in, in order, by mailbox."""

    delivered: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(map(len, self.delivered.values()))


async def deliver(
    stage: Stage,
    office: Office,
    mail: Sequence[bytes],
    outcome: Outcome | None = None,
    pace: Callable[[int], Awaitable[object]] | None = None,
) -> Outcome:
    """Deliver to both mailboxes in turn, once both are in service; `pace` is awaited before each message."""
    await wait_for(lambda: _in_service(office), seconds=IN_SERVICE_S, what="a cursor for both mailboxes")
    outcome = outcome or Outcome({WEBHOOKS: [], POLLING: []})
    for index, raw in enumerate(mail):
        if pace:
            await pace(index)
        mailbox = (WEBHOOKS, POLLING)[index % 2]
        outcome.delivered[mailbox].append((await stage.deliver(mailbox, raw), raw))
    return outcome


async def settled(stage: Stage, office: Office, outcome: Outcome, seconds: float) -> Progress:
    """Wait until everything is judged and nothing is under way."""

    async def quiet() -> Progress | None:
        try:
            if await left_to_do(office, outcome.count) or not await caught_up(office):
                return None
            progress = await measure(office, outcome.count, await stage.control("GET", "calls"))
        except (RedisError, OSError, ProviderError):
            return None
        return progress if progress.judged == outcome.count and progress.quiet else None

    found: Progress = await wait_for(quiet, seconds=seconds, every=0.2, what="a quiet mailbox")
    return found


async def left_to_do(office: Office, delivered: int) -> int:
    """What is not judged yet, waits or is under way; cheap to ask, however much is in the journal."""
    redis, key = office.base.redis, office.base.key
    async with redis.pipeline(transaction=False) as pipe:
        pipe.zcard(key("due"))
        for mailbox in office.settings.mailboxes:
            pipe.xlen(key("events", mailbox))
            pipe.hlen(key("waiting", mailbox))
            pipe.llen(key("groups", mailbox))
            pipe.hlen(key("judged", mailbox))
        due, *figures = await pipe.execute()
    judged = sum(figures[3::4])
    return int(due + sum(figures) - 2 * judged + delivered)


@dataclass
class Compared:
    """Figures of a comparison that found no difference."""

    messages: int = 0
    sends: int = 0
    drafts: int = 0
    swapped: int = 0
    """Sends that answer another message of the same correspondent than the first."""
    saved: int = 0
    told: int = 0
    """Messages that another system was told of."""
    gathered: int = 0
    summaries: int = 0
    """How many messages were gathered, and told of by how many."""
    bells: int = 0
    """How often a webhook told of the mailbox with webhooks; of the other, none did."""
    audit: Counter[str] = field(default_factory=Counter)
    persons: Counter[str] = field(default_factory=Counter)
    """What only a person can settle: runs by the reason that the journal has."""


async def compare(
    stage: Stage, office: Office, outcome: Outcome, *, in_order: bool = True, forgetful: bool = False
) -> Compared:
    """Labels as the oracle says; each send and draft once; every message accounted for.

    Only what the journal has put before a person may be missing, and it is counted. A message that could not
    be read at first is decided behind later ones: where that happens (`in_order` False), a correspondent
    who is answered once may have his answer to another of his messages.
    """
    compared = Compared()
    dead = await _dead(office)
    compared.persons = await dead_runs(office)
    kept = {path.name: path.read_bytes() for path in (stage.folder / KEPT).iterdir()}
    compared.bells = await _bells(office, outcome, forgetful)
    told = calls(stage.folder)
    _agree("told twice", {key: under for key, under in told.items() if len(under) > 1})
    outbox = (await stage.control("GET", "outbox"))["messages"]
    for mailbox, delivered in outcome.delivered.items():
        expected = expect(mailbox, delivered)
        state = (await stage.control("GET", "state", params={"mailbox": mailbox}))["messages"]
        _agree("labels", differing_labels(expected, state))
        threads = {str(one["id"]): str(one["threadId"]) for one in state}
        drafts = [
            (threads.get(expected.drafts.get(one["messageId"], ""), one["threadId"]), one["messageId"])
            for one in state
            if "DRAFT" in one["labels"]
        ]
        _agree("drafts", wrong_drafts(drafts, _by_thread(expected, threads), dead, newest=not forgetful))
        own = [message for message in outbox if message["mailbox"] == mailbox]
        summaries = [read for one in own if (read := read_summary(one["raw"])) is not None]
        gathered = Counter(key for keys in summaries for key in keys)
        _agree("gathered too often", gathered - Counter(expected.gathered.keys()))
        left_out = {key: run for key, run in expected.gathered.items() if key not in gathered}
        _agree("gathered and not told", {key: run for key, run in left_out.items() if run not in dead})
        sent = [message["messageId"] for message in own if read_summary(message["raw"]) is None]
        instead = {} if in_order else expected.instead
        sends = Counter(instead.get(own_id, own_id) for own_id in sent)
        compared.swapped += sum(own_id in instead for own_id in sent)
        _agree("sends too many", sends - expected.sends)
        _agree("sends missing", _missing(expected.sends, sends, dead))
        saved = {key: raw for key, raw in kept.items() if key in expected.labels}
        _agree("saved", dict.fromkeys(saved.keys() ^ expected.saved.keys()))
        _agree("saved otherwise", {key: None for key, raw in saved.items() if raw != expected.saved[key]})
        _agree("told", dict.fromkeys(told.keys() & expected.labels.keys() ^ expected.told))
        report = await audit_mailbox(office, mailbox)
        assert report.accounted_for, f"unaccounted: {report.findings[:5]}"
        assert report.counts["pending"] == 0
        compared.messages += len(delivered)
        compared.sends += sends.total()
        compared.drafts += len(drafts)
        compared.saved += len(saved)
        compared.gathered += gathered.total()
        compared.summaries += len(summaries)
        compared.told += len(expected.told)
        compared.audit.update(report.counts)
    return compared


async def _bells(office: Office, outcome: Outcome, forgetful: bool) -> int:
    """Count webhooks that were taken; what is polled alone has none. Recovery rings for every mailbox."""
    rung = await office.base.redis.hgetall(office.base.key("wanted"))
    assert forgetful or POLLING not in rung, f"{POLLING} is polled alone, and was rung {rung[POLLING]} times"
    bells = int(rung.get(WEBHOOKS, 0))
    assert bells or not outcome.delivered.get(WEBHOOKS), "no webhook came"
    return bells


def _by_thread(expected: Expected, threads: Mapping[str, str]) -> dict[str, list[str]]:
    """By thread, the Message-IDs that its draft may have, the newest last."""
    found: dict[str, list[str]] = defaultdict(list)
    for own_id, key in expected.drafts.items():
        found[threads[key]].append(own_id)
    return found


def wrong_drafts(
    drafts: Iterable[tuple[str, str]],
    wanted: Mapping[str, Sequence[str]],
    dead: Mapping[str, str],
    *,
    newest: bool = True,
) -> dict[str, list[str]]:
    """By thread, the drafts of its messages where it should be one: for the newest message, or for any.

    The service puts a draft where its References lead, which is elsewhere where Message-IDs are not unique.

    After lost writes a draft counts as edited, and is left as it is, so that it need not be the `newest`.
    """
    lie: dict[str, list[str]] = {thread: [] for thread in wanted}
    for thread, own_id in drafts:
        lie.setdefault(thread, []).append(own_id)
    allowed = {thread: ids[-1:] if newest else ids for thread, ids in wanted.items()}
    return {
        thread: found
        for thread, found in lie.items()
        if (len(found) != 1 or found[0] not in allowed.get(thread, ()))
        and (found or not any(_run_of(own_id) in dead for own_id in wanted[thread]))
    }


def read_summary(raw: str) -> list[str] | None:
    """Give the keys that a summary tells of; None for any other mail."""
    mail = from_raw(urlsafe_b64decode(raw + "=="), key="sent")
    if not re.fullmatch(r"\d+ kept", mail.subject):
        return None
    return [line.removeprefix("- ").strip() for line in mail.text.splitlines() if line.startswith("- ")]


def differing_labels(
    expected: Expected, state: Sequence[Mapping[str, list[str]]]
) -> dict[str, tuple[list[str], list[str]]]:
    """Of each message that differs, the labels wanted and found."""
    found = {str(message["id"]): frozenset(message["labels"]) for message in state}
    return {
        key: (sorted(wanted), sorted(found[key]))
        for key, wanted in expected.labels.items()
        if found[key] != wanted
    }


def _agree(what: str, different: Mapping[str, object]) -> None:
    """Raise AssertionError that shows some of what differs."""
    assert not different, f"{what}: {len(different)}, such as {dict(list(different.items())[:5])}"


def _missing(expected: Counter[str], found: Counter[str], dead: Mapping[str, str]) -> dict[str, int]:
    """A Message-ID begins with the id of its run."""
    return {own: n for own, n in (expected - found).items() if _run_of(own) not in dead}


def _run_of(message_id: str) -> str:
    return message_id[1:].partition(".")[0]


async def dead_runs(office: Office) -> Counter[str]:
    """What only a person can settle, by rule and reason."""
    return Counter((await _dead(office)).values())


async def _dead(office: Office) -> dict[str, str]:
    """Why each dead run needs a person."""
    reasons = {}
    for run in await office.journal.newest(EVERY_RUN, dead=True):
        recorded = await office.journal.get(run)
        reasons[run] = f"{recorded.run.rule}: {recorded.why}" if recorded else "not in the journal"
    return reasons


async def _in_service(office: Office) -> bool:
    cursors = await asyncio.gather(*map(office.mailboxes.cursor, office.settings.mailboxes))
    return all(cursors)
