"""The main job over real processes and HTTP: undisturbed, and killed at every await."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from engine.sandbox.samples import sample_messages
from engine.store.connection import connect
from tests.e2e.crashing import points, visited
from tests.e2e.playing import QUICK, compare, deliver, play, settled, staged_play

pytestmark = pytest.mark.e2e

COUNT = int(os.environ.get("POSTROOM_E2E_MESSAGES", "150"))
"""How many messages; the proof over the outside corpus takes 2000."""
FIRST, FEW = 40, 10
PATIENCE_S = 120 + COUNT / 4


@pytest.fixture(scope="session")
def mail(request: pytest.FixtureRequest) -> list[bytes]:
    """The messages that ship with us; beyond their number, the outside corpus."""
    ours = [raw for _, raw in sample_messages()]
    if len(ours) >= COUNT:
        return ours[:COUNT]
    corpus: Path = request.getfixturevalue("corpus")
    found = []
    for archive in sorted(corpus.glob("*/messages.zip")):
        with zipfile.ZipFile(archive) as members:
            found += [members.read(name) for name in members.namelist()]
    return found[:: max(1, len(found) // COUNT)][:COUNT]


async def test_every_message_is_dealt_with_as_the_oracle_says(tmp_path: Path, mail: list[bytes]) -> None:
    async with staged_play(play(), tmp_path) as (stage, office):
        outcome = await deliver(stage, office, mail)
        await settled(stage, office, outcome, PATIENCE_S)
        await compare(stage, office, outcome)


async def test_the_same_on_a_redis_of_somebody_else(
    tmp_path: Path, mail: list[bytes], external_redis_url: str
) -> None:
    elsewhere = play(redis_url=external_redis_url)
    async with connect(external_redis_url) as redis:
        await redis.flushdb()
    async with staged_play(elsewhere, tmp_path) as (stage, office):
        outcome = await deliver(stage, office, mail[:60])
        await settled(stage, office, outcome, PATIENCE_S)
        await compare(stage, office, outcome)


@pytest.mark.parametrize("places", ["runs", "lanes"])
async def test_the_same_when_workers_die_at_every_await_once(
    tmp_path: Path, mail: list[bytes], places: str
) -> None:
    log = tmp_path / "deaths.log"
    dying = play(QUICK, workers=2, worker=("-m", "tests.e2e.crashing", places, str(log)))
    async with staged_play(dying, tmp_path) as (stage, office):
        outcome = await deliver(stage, office, mail[:FIRST])
        await settled(stage, office, outcome, PATIENCE_S)
        for start in range(FIRST, len(mail), FEW):
            if points(places) <= visited(log):
                break
            await deliver(stage, office, mail[start : start + FEW], outcome)
            await settled(stage, office, outcome, PATIENCE_S)
        await compare(stage, office, outcome)
    print(f"\n{places}: died at {len(visited(log))} points")
    assert points(places) == visited(log)
