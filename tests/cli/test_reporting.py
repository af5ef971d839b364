"""What a process tells the others while it works, when Redis is away, and when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from engine import metrics
from engine.cli.reporting import Reporter, reporting
from engine.errors import SettingsError
from engine.metrics import DECIDED
from engine.settings import load_settings, telemetry_endpoint
from engine.store.figures import Figures
from engine.wiring import Office
from tests.shop import BROKEN, Shop, make_shop
from tests.waiting import wait_for

SERIES = (DECIDED.name, "a@x.example")


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    metrics.take()
    yield
    metrics.take()


@pytest.fixture
def shop(redis: Redis, redis_url: str, tmp_path: Path) -> Shop:
    return make_shop(tmp_path, f"redis: {{url: '{redis_url}'}}")


async def test_a_process_is_seen_while_it_works_and_leaves_its_figures_behind(shop: Shop) -> None:
    async with shop.office() as office:
        await office.keeper.reload()
        figures = Figures(office.base)
        async with reporting(office, "worker"):
            (process,) = await wait_for(lambda: figures.processes(office.clock()))
            assert (process.kind, process.refused) == ("worker", "")
            book = office.keeper.current()
            assert book
            assert process.rules == book.digest
            metrics.DECIDED.add(SERIES[1])
        assert await figures.processes(office.clock()) == []
        assert await figures.totals() == {SERIES: 1}


async def test_rules_that_are_refused_are_told(shop: Shop) -> None:
    async with shop.office() as office:
        await office.keeper.reload()
        shop.write_rules(BROKEN)
        for _ in range(2):
            await office.keeper.reload()
        await Reporter(office, "worker").write()
        (process,) = await Figures(office.base).processes(office.clock())
        assert "unknown key 'wenn'" in process.refused
        shop.write_rules("version: 1\nrules: []\n")
        for _ in range(2):
            await office.keeper.reload()
        assert office.keeper.refused == ""


async def test_what_redis_does_not_take_is_written_later(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise RedisConnectionError("away")

    async with shop.office() as office:
        reporter = Reporter(office, "web")
        metrics.DECIDED.add(SERIES[1], by=2)
        with monkeypatch.context() as broken:
            broken.setattr(Figures, "add", away)
            with pytest.raises(RedisConnectionError):
                await reporter.write()
        metrics.DECIDED.add(SERIES[1])
        for _ in range(2):
            await reporter.write()
        assert await Figures(office.base).totals() == {SERIES: 3}


async def test_what_redis_took_without_an_answer_counts_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Figures.add

    async def unheard(*words: Any) -> None:
        await add(*words)
        raise RedisConnectionError("the answer is lost")

    async with shop.office() as office:
        reporter = Reporter(office, "web")
        metrics.DECIDED.add(SERIES[1], by=2)
        with monkeypatch.context() as broken:
            broken.setattr(Figures, "add", unheard)
            with pytest.raises(RedisConnectionError):
                await reporter.write()
        metrics.DECIDED.add(SERIES[1])
        await reporter.leave()
        assert await Figures(office.base).totals() == {SERIES: 3}


async def test_a_process_at_rest_costs_redis_a_command_every_five_seconds(shop: Shop) -> None:
    async with shop.office() as office:
        reporter = Reporter(office, "web")
        await reporter.write()
        before = (await office.base.redis.info("stats"))["total_commands_processed"]
        for _ in range(4):
            await reporter.write()
        after = (await office.base.redis.info("stats"))["total_commands_processed"]
        assert after - before == 1  # INFO itself.


async def test_web_is_ready_once_rules_were_put_in_force(shop: Shop) -> None:
    async with shop.office() as office:
        (problem,) = await office.unready()
        assert "no rules have been put in force yet" in problem
        await office.keeper.reload()
        assert await office.unready() == []


async def test_web_is_not_ready_while_redis_may_lose_what_it_acknowledged(shop: Shop, redis: Redis) -> None:
    async with shop.office() as office:
        await office.keeper.reload()
        await redis.config_set("appendfsync", "everysec")
        try:
            assert await office.unready() == ["Redis has appendfsync everysec: set it to always"]
            # Where somebody else answers for that, it is no problem of ours.
            text = shop.config.read_text().replace("redis: {", "redis: {durability: external, ")
            shop.config.write_text(text)
            async with shop.office() as trusting:
                assert await trusting.unready() == []
        finally:
            await redis.config_set("appendfsync", "always")
        assert await office.unready() == []


async def test_since_when_rules_are_in_force_outlasts_a_restart(shop: Shop) -> None:
    async def since(office: Office) -> int:
        return (await office.look()).in_force

    async with shop.office() as office:
        await office.keeper.reload()
        first = await since(office)
        assert 0 < first <= office.clock()
    async with shop.office() as office:
        await wait_for(lambda: office.clock() > first)
        await office.keeper.reload()
        assert await since(office) == first
        shop.write_rules("version: 1\nrules: []\n")
        for _ in range(2):
            await office.keeper.reload()
        assert await since(office) > first


def test_where_traces_go(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(str(shop.config))
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert telemetry_endpoint(settings) is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    assert telemetry_endpoint(settings) == "http://collector:4318"
    text = shop.config.read_text()
    shop.config.write_text(f"{text}telemetry: {{endpoint: 'https://otel.example'}}\n")
    assert telemetry_endpoint(load_settings(str(shop.config))) == "https://otel.example"
    shop.config.write_text(f"{text}telemetry: {{endpoint: 'collector:4318'}}\n")
    with pytest.raises(SettingsError, match="must begin with http"):
        load_settings(str(shop.config))
