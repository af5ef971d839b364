"""What Prometheus reads."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from engine.flow.silence import Alarm, Kind, Watched
from engine.metrics import CALLS, DECISIONS, EVENTS
from engine.store.board import Lane, Pause, Snapshot
from engine.store.budget_left import Left
from engine.store.figures import Process
from engine.store.halt import Halt
from engine.web.metrics import render
from tests.web.conftest import NOTHING, Site

BOX = "support@acme.example"
NOW = NOTHING.now
WATCHED = Watched(BOX, "acme", 60_000, True, polled=NOW - 5_000, moved=NOW - 9_000)
WORKER = Process("p", "worker", "h", 1, "0.1.0", NOW, NOW, "d1", refused="r.yaml:1:1 ...")
BUSY = replace(
    NOTHING,
    lanes=(Lane(WATCHED, NOW - 10_000, 3, 1, NOW - 2_500, 2, Pause(NOW, NOW, "the secret is refused")),),
    totals={
        (EVENTS.name, BOX, "message.received"): 7,
        (DECISIONS.name, 'odd"rule\\', "matched"): 2,
        (CALLS.name, "messages.send", "MEDIUM", "2xx"): 3,
        ("postroom_of_another_version_total", "x"): 1,
        (EVENTS.name, "with fewer labels"): 1,
    },
    alarms=(Alarm(Kind.QUIET, BOX, "..."),),
    budgets=(Left("acme", "HEAVY", 20.0, 5, 30_000, 29_000, 1.5), Left("acme", "LIGHT", 40.0, 9, 0, 0, 0.0)),
    processes=(WORKER, replace(WORKER, id="q", seen=NOW - 60_000)),
    halt=Halt(NOW, "a replica was promoted"),
    digest="d1",
    jobs=4,
    jobs_since=NOW - 1_500,
    open=5,
    dead=6,
    memory=1_000,
    memory_limit=2_000,
)


def samples(snapshot: Snapshot) -> dict[tuple[str, ...], float]:
    """(name, label values in the order of their names) -> value."""
    text = render(snapshot, "")[0].decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def known() -> set[str]:
    """The name of every figure."""
    families = text_string_to_metric_families(render(BUSY, "")[0].decode())
    return {family.name + "_total" * (family.type == "counter") for family in families}


def test_every_figure_is_there() -> None:
    found = samples(BUSY)
    assert found["postroom_events_total", "message.received", BOX] == 7
    assert found["postroom_decisions_total", "matched", 'odd"rule\\'] == 2
    assert found["postroom_provider_calls_total", "messages.send", "MEDIUM", "2xx"] == 3
    assert found["postroom_lag_seconds", BOX] == 2.5
    assert found["postroom_queued_events", BOX] == 3
    assert found["postroom_waiting_events", BOX] == 1
    assert found["postroom_label_groups", BOX] == 2
    assert found["postroom_paused", BOX] == 1
    assert found["postroom_last_read_seconds", BOX] == 5
    assert found["postroom_silence_alarm", BOX, "quiet"] == 1
    assert found["postroom_budget_left_calls", "acme", "HEAVY"] == 5
    assert found["postroom_budget_today_left_calls", "acme", "HEAVY"] == 29_000
    assert ("postroom_budget_today_left_calls", "acme", "LIGHT") not in found
    assert found["postroom_budget_paused_seconds", "acme", "HEAVY"] == 1.5
    assert found["postroom_queue_jobs",] == 4
    assert found["postroom_queue_age_seconds",] == 1.5
    assert (found["postroom_runs_open",], found["postroom_runs_dead",]) == (5, 6)
    assert (found["postroom_halted",], found["postroom_rules_in_force",]) == (1, 1)
    assert (found["postroom_processes", "worker"], found["postroom_processes", "web"]) == (1, 0)
    assert found["postroom_rules_refused",] == 1
    assert (found["postroom_redis_memory_bytes",], found["postroom_redis_memory_limit_bytes",]) == (
        1000,
        2000,
    )


def test_what_other_versions_counted_otherwise_is_left_out() -> None:
    names = [name for name in samples(BUSY) if name[0].startswith("postroom_events") or "another" in name[0]]
    assert names == [("postroom_events_total", "message.received", BOX)]


def test_nothing_says_why_a_mailbox_is_paused_or_rules_are_refused() -> None:
    text = render(BUSY, "")[0]
    assert b"secret is refused" not in text
    assert b"r.yaml" not in text


def test_a_postroom_in_which_nothing_has_happened_has_figures_as_well() -> None:
    found = samples(NOTHING)
    assert found["postroom_runs_dead",] == 0
    assert found["postroom_processes", "worker"] == 0


async def test_it_is_served_in_the_format_that_is_asked_for(site: Site) -> None:
    site.snapshot = BUSY
    plain = await site.client.get("/metrics")
    assert (plain.status_code, plain.headers["content-type"].partition(";")[0]) == (200, "text/plain")
    modern = await site.client.get(
        "/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"}
    )
    assert modern.headers["content-type"].startswith("application/openmetrics-text")
    names = {family.name for family in parse_openmetrics(modern.text)}  # type: ignore[no-untyped-call]
    assert {"postroom_events", "postroom_lag_seconds"} <= names


@pytest.mark.parametrize("accept", ["application/openmetrics-text;version=new", "text/plain;version=1.x"])
def test_a_format_that_nobody_knows_is_answered_in_the_plain_one(accept: str) -> None:
    assert render(BUSY, accept)[1].startswith("text/plain; version=0.0.4")


async def test_without_redis_there_are_no_figures(site: Site) -> None:
    site.down = True
    answer = await site.client.get("/metrics")
    assert (answer.status_code, answer.json()) == (503, {"error": "Redis does not answer: ConnectionError"})


def test_the_documents_name_every_figure_and_no_other() -> None:
    text = Path(__file__).parent.parent.parent.joinpath("docs", "operations.md").read_text("utf-8")
    table = text.partition("### Health and figures")[2].partition("###")[0]
    named = {
        name for line in table.splitlines() for name in re.findall(r"`(postroom_\w+)`", line.split(" | ")[0])
    }
    assert named == known()


def rules() -> list[dict[str, str]]:
    text = Path(__file__).parent.parent.parent.joinpath("deploy", "prometheus-rules.yaml").read_text("utf-8")
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_figures_that_exist(rule: dict[str, str]) -> None:
    asked = set(re.findall(r"postroom_\w+", rule["expr"]))
    assert asked
    assert asked <= known()
    assert {"summary", "description"} <= set(rule["annotations"])
