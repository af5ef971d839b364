"""A month among machines that answer everything: nobody is flooded, and no loop lives on."""

from __future__ import annotations

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.rules.bound import bounds
from engine.settings import load_settings
from engine.wiring import Office, open_office
from prove.clockwork import Clockwork, Sent
from prove.correspondents import BY_DOMAIN, HOUR_MS, MACHINES, of_a_day
from prove.proof import Proof, Sizes, table

CARELESS = Path(__file__).parent / "careless"
"""Rules that answer, tell and pass on everything."""
OURS = ("support@ours.example", "sales@ours.example")
DAY_MS = 24 * HOUR_MS
EXCHANGES = 3
"""What no loop outlives."""
EVERY_RUN = 1_000_000
FIGURES = re.compile(r"\S*\d\S*|\S+@\S+")


@dataclass(frozen=True)
class Most:
    """What one address got within 24 hours at most."""

    address: str
    mails: int
    bound: float


async def prove(sizes: Sizes, folder: Path) -> Proof:
    """Let days go by, and hold what everybody got against the bound that `check` prints."""
    config = _configure(folder)
    async with open_office(load_settings(str(config))) as office:
        world = Clockwork(office, random.Random(sizes.days))
        try:
            await world.start()
            for _ in range(sizes.days):
                for said in of_a_day(OURS, sizes.people, world.chance):
                    world.expect(said)
                await world.run(world.clock.now + DAY_MS)
        finally:
            await world.aclose()
        held = await _held(office)
        most = await _most(office, world.sent)
    assert all(one.mails <= one.bound for one in most), [one for one in most if one.mails > one.bound]
    beyond = {who: count for who, count in world.longest.items() if count > EXCHANGES}
    assert not beyond, f"loops lived on for so many exchanges: {beyond}"
    return Proof(_facts(sizes, world, most), [_by_correspondent(world, most), _reasons(held)])


def _facts(sizes: Sizes, world: Clockwork, most: list[Most]) -> list[str]:
    fullest = max(most, key=lambda one: one.mails / one.bound)
    return [
        f"{sizes.days} simulated days, {len(OURS)} mailboxes whose rules answer and pass on everything, "
        f"{len(MACHINES)} machines that answer all mail and say so in no header, "
        f"and {sizes.people} people a day and mailbox",
        f"{world.delivered:,} mails came in, and {len(world.sent):,} automatic ones left to "
        f"{len(most)} addresses",
        "within any 24 hours, no address got more than the bound that `check` prints for these rules; "
        f"nearest came {fullest.address} with {fullest.mails} of {fullest.bound:.0f}",
        f"no machine and we answered each other more than {max(world.longest.values())} times in a row",
    ]


def _by_correspondent(world: Clockwork, most: list[Most]) -> str:
    rows: list[list[object]] = []
    for domain, answering in BY_DOMAIN.items():
        got = [one for one in most if one.address.endswith(f"@{domain}")]
        told = (answering.__doc__ or "").strip().split("\n")[0]
        counts = (max((one.mails for one in got), default=0), max((one.bound for one in got), default=0))
        rows.append([domain, told, counts[0], f"{counts[1]:.0f}", world.longest.get(domain, 0)])
    return table(["who", "does", "most in 24 h", "bound", "exchanges"], rows)


def _reasons(held: Counter[str]) -> str:
    return table(["held", "because"], [[f"{count:,}", why] for why, count in held.most_common()])


def _configure(folder: Path) -> Path:
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text("sandbox", encoding="utf-8")
    account = {"provider": "zoom", "account_id": "A", "client_id": "C", "client_secret": f"file:{secret}"}
    config = {
        "version": 1,
        "data": str(folder / "data"),
        "rules": [str(CARELESS / "rules")],
        "templates": str(CARELESS / "templates"),
        "accounts": {"sandbox": account},
        "mailboxes": {name: {"account": "sandbox"} for name in OURS},
        "outbound": {"allow": ["quick.example"]},
    }
    path = folder / "postroom.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


async def _most(office: Office, sent: Iterable[Sent]) -> list[Most]:
    """What each address got, and the bound that `check` prints for it."""
    book, budgets = office.keeper.current(), office.executing.budgets
    assert book is not None
    printed = {bound.name: bound.by_rules for bound in bounds(book.rules, budgets, OURS)}
    times: dict[str, list[int]] = defaultdict(list)
    for one in sent:
        times[one.to].append(one.at)
    return [Most(to, _together(at), printed[budgets.of(to).name]) for to, at in sorted(times.items())]


def _together(times: list[int]) -> int:
    """How many of them lie within 24 hours at most; `times` are in order."""
    first, most = 0, 0
    for last, at in enumerate(times):
        while at - times[first] > DAY_MS:
            first += 1
        most = max(most, last - first + 1)
    return most


async def _held(office: Office) -> Counter[str]:
    """Steps that were held, by the reason in the journal; one without a reason is none."""
    reasons: Counter[str] = Counter()
    for recorded in await office.journal.get_all(await office.journal.newest(EVERY_RUN)):
        assert recorded.state == "done", f"{recorded.run.rule}: {recorded.why}"
        for receipt in recorded.receipts.values():
            if receipt["outcome"] == "held":
                assert receipt["why"], recorded.run.id
                reasons[FIGURES.sub("…", receipt["why"])] += 1
    return reasons
