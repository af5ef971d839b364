"""The bench measures: each figure once, as small as can be. What it says of speed is not held to anything."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import (
    backtest,
    calls,
    hooks,
    judging,
    latency,
    nodered,
    parsing,
    pigeonhole,
    receipts,
    rendering,
    rest,
    sieve_filter,
    throughput,
    timers,
    transport,
    workers,
)
from bench import matching as looking_up
from bench.__main__ import bench
from bench.closures import RULES as BY_HAND
from bench.closures import matching
from bench.expected import RULES, TEMPLATES, bench_rules, expect, judge_all
from bench.figure import Figure, Section, as_json, as_page
from bench.mail import Mail, find_mail
from engine.flow.rulebook import Sources
from engine.rules.loader import read_sources
from engine.sandbox.samples import sample_messages
from engine.sources import check_sources
from engine.templating.folder import read_folder

MAILBOX = "bench@ours.example"
FEW = Mail("a few samples", tuple(raw for _, raw in sample_messages()[:20]))

Measure = Callable[[Mail, Path], Awaitable[Section]]


@pytest.mark.e2e
@pytest.mark.parametrize(
    "measure",
    [
        pytest.param(partial(throughput.measure, rounds=1), id="messages beside a bare loop"),
        pytest.param(partial(latency.measure, samples=3), id="a webhook's way beside a bare handler"),
        pytest.param(partial(rest.measure, seconds=0.3), id="commands at rest beside a bare worker"),
        pytest.param(partial(transport.measure, calls=50), id="a call on each transport"),
        pytest.param(partial(workers.measure, messages=100, rounds=1), id="two workers beside one"),
        pytest.param(
            partial(receipts.measure, rounds=1, mailboxes=40), id="webhooks taken beside a job for each"
        ),
        pytest.param(
            partial(hooks.measure, rounds=1, calls=60, samples=3), id="calls of a hook beside bare handlers"
        ),
        pytest.param(partial(backtest.measure, messages=500), id="a backtest beside a plain loop"),
    ],
)
async def test_real_processes_are_measured(measure: Measure, tmp_path: Path) -> None:
    section = await measure(FEW, tmp_path)
    assert section.figures
    assert all(figure.ours > 0 for figure in section.figures)


@pytest.mark.parametrize(
    "measure",
    [
        pytest.param(judging.measure, id="judging"),
        pytest.param(parsing.measure, id="parsing"),
        pytest.param(partial(rendering.measure, rounds=1, seconds=0.01), id="rendering"),
        pytest.param(partial(timers.measure, few=10, many=2_000), id="timers"),
    ],
)
async def test_pure_parts_are_measured(measure: Measure, tmp_path: Path) -> None:
    assert all(figure.ratio > 0 for figure in (await measure(FEW, tmp_path)).figures)


async def test_looking_rules_up_finds_what_the_plain_loop_finds(tmp_path: Path) -> None:
    section = await looking_up.measure(FEW, tmp_path, sizes=(10, 50))
    assert len(section.figures) == 4
    assert sum(note.endswith(" 0 differ") for note in section.notes) == 4


@pytest.mark.skipif(bool(sieve_filter.missing()), reason="Dovecot Pigeonhole is missing")
async def test_pigeonhole_files_every_sample_as_our_rules_do(tmp_path: Path) -> None:
    section = await pigeonhole.measure(FEW, tmp_path, sizes=(10, 200), alone=(300,), rounds=1)
    assert all(figure.ours > 0 for figure in section.figures)
    assert sum(" 0 of 10 messages differ" in note for note in section.notes) == 4


async def test_without_pigeonhole_the_comparison_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    section = await pigeonhole.measure(FEW, tmp_path)
    assert not section.figures
    assert "sieve-filter" in section.notes[0]


@pytest.mark.e2e
async def test_every_event_gets_through_a_thousand_conditions(tmp_path: Path) -> None:
    assert await nodered.ours(tmp_path, events=100, warm=10) > 0


async def test_without_npm_the_comparison_with_node_red_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    section = await nodered.measure(FEW, tmp_path)
    assert not section.figures
    assert "npm" in section.notes[0]


@pytest.mark.e2e
async def test_mail_loaded_at_once_takes_no_call_beyond_the_floor(tmp_path: Path) -> None:
    at_once, *others = (await calls.measure(FEW, tmp_path)).figures
    assert at_once.ours == at_once.peer
    assert all(figure.ours > 0 for figure in others)


def test_the_rules_of_the_bench_are_sound() -> None:
    assert check_sources(Sources(read_sources(RULES), read_folder(TEMPLATES))) == []


def test_rules_and_functions_by_hand_agree_on_every_sample() -> None:
    raws = [raw for _, raw in sample_messages()]
    for judged in judge_all(raws, MAILBOX):
        assert judged.message is not None
        assert [match.rule for match in judged.evaluation.matches] == matching(judged.message)


def test_every_rule_has_its_function_by_hand_in_the_same_order() -> None:
    assert [rule.id for rule in bench_rules().rules] == list(BY_HAND)


def test_smaller_batches_never_need_fewer_calls() -> None:
    whole, single = expect(FEW.raws, MAILBOX), expect(FEW.raws, MAILBOX, batch=1)
    assert whole.floor["label"] <= single.floor["label"]
    assert (whole.sends, whole.drafts) == (single.sends, single.drafts)


def test_mail_is_repeated_with_other_ids_when_there_is_too_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTROOM_CORPUS", str(tmp_path / "none"))
    count = len(sample_messages())
    mail = find_mail(2 * count)
    assert "our own samples" in mail.source
    assert mail.raws[:count] == tuple(raw for _, raw in sample_messages())
    assert len(mail.raws) == 2 * count
    assert mail.raws[count] != mail.raws[0]


def test_the_page_shows_each_figure_as_a_ratio() -> None:
    section = Section("Speed", (Figure("ours", 30, 20, "a second", "theirs"),), ("by far",))
    page = as_page([section], "some mail")
    assert "= 1.50" in page
    assert "theirs 20.0" in page
    assert "by far" in page
    assert as_json([section], "some mail")["sections"][0]["figures"][0]["ratio"] == 1.5


def test_the_command_prints_json_for_machines() -> None:
    shown = CliRunner().invoke(bench, ["parsing", "--size", "5", "--json"])
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["sections"][0]["figures"]
