"""Runs taken back: exactly as it was, and nothing of what others did since."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import LeaseLost, RateLimited, Rejected, Unavailable
from engine.flow.approvals import Answer, Decision, Standing
from engine.flow.giving_up import BY_DRAFT
from engine.flow.undoing import BUSY, Restored, undo, undoable
from engine.flow.undoings import Undoing
from engine.services.folders import LocalFolders
from engine.store.approvals import RedisApprovals
from engine.store.brake import pause_sends, resume_sends
from engine.store.drafts import RedisDrafts
from engine.store.summaries import RedisSummaries
from engine.store.suppression import RedisSuppressions
from engine.store.undoing import RedisUndoings
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

FILE = "{when: {label: INBOX}, then: [label: {add: [Orders], remove: [INBOX]}]}"
AGAIN = FILE.replace("INBOX}", "Orders}")
MARK = "{when: {label: Orders}, then: [label: {add: [Seen], remove: [UNREAD]}]}"


def undoing(world: World) -> Undoing:
    folders, summaries = LocalFolders(world.folders), RedisSummaries(world.base)
    store = RedisUndoings(world.base)
    beside = folders, summaries, RedisDrafts(world.base), RedisSuppressions(world.base)
    return Undoing(store, lambda _: world.provider, *beside, world.clock, "ann@desk")


async def undone(world: World, *rules: str, acts: bool = True) -> list[Restored]:
    """Undo all runs, or those of some rules."""
    chosen = [one for one in await world.runs() if not rules or one.run.rule in rules]
    chosen = [one for one in chosen if not undoable(one)]
    found = [one async for one in undo(undoing(world), chosen, acts=acts)]
    return sorted(found, key=lambda one: one.key)


async def decided(world: World, *rules: str, keys: str = "12") -> None:
    """Messages that some rules have acted upon."""
    await world.rules(*rules)
    for key in keys:
        world.provider.deliver(key, mail(f"m{key}"))
    await world.read_and_drain()
    await world.execute_all()
    world.provider.changes.clear()


async def test_labels_are_as_they_were_and_equal_changes_share_a_call(world: World) -> None:
    await decided(world, FILE)
    before = await undone(world, acts=False)
    assert world.provider.changes == []
    assert await undone(world) == before
    assert [(one.key, one.change.add, one.change.remove, one.left) for one in before] == [
        ("1", ("INBOX",), ("Orders",), ()),
        ("2", ("INBOX",), ("Orders",), ()),
    ]
    ((keys, add, remove),) = world.provider.changes
    assert (sorted(keys), add, remove) == (["1", "2"], ("INBOX",), ("Orders",))
    assert {world.provider.labels(key) for key in "12"} == {frozenset({"INBOX", "UNREAD"})}


async def test_an_undone_run_says_so_and_is_not_undone_again(world: World) -> None:
    await decided(world, FILE)
    await undone(world)
    for one in await world.runs():
        assert one.undone
        assert (one.undone.by, one.undone.at, one.undone.left) == ("ann@desk", world.clock(), ())
        assert undoable(one) == "it is undone already"
    world.provider.relabel("1", ["Orders"])
    assert await undone(world) == []
    assert world.provider.labels("1") == {"INBOX", "UNREAD", "Orders"}


async def test_what_undoing_changes_is_no_news(world: World) -> None:
    heard = "{event: label.removed, when: {size: {gte: 0}}, then: [label: Heard]}"
    await decided(world, FILE, heard)
    await undone(world)
    await world.read_and_drain()
    assert {one.run.rule for one in await world.runs()} == {"r1"}
    assert await world.base.redis.hgetall(world.base.key("footsteps", BOX)) == {}


GONE = "the message is gone"
Person = Callable[[World], None]


def person(add: str = "", remove: str = "") -> Person:
    return lambda world: world.provider.relabel("1", add.split(), remove.split())


@pytest.mark.parametrize(
    ("does", "labels", "said"),
    [
        pytest.param(person("Mine"), {"Mine", "INBOX", "UNREAD"}, [], id="another label stays"),
        pytest.param(
            person("", "Orders"), {"INBOX", "UNREAD"}, ["already Orders"], id="one that is gone stays so"
        ),
        pytest.param(
            person("INBOX", ""), {"INBOX", "UNREAD"}, ["already INBOX"], id="one that is back already stays"
        ),
        pytest.param(
            person("TRASH", ""),
            {"TRASH", "Orders", "UNREAD"},
            ["a person has put it into the trash"],
            id="what lies in the trash is left",
        ),
        pytest.param(
            person("SPAM", ""),
            {"SPAM", "Orders", "UNREAD"},
            ["a person has put it into the spam"],
            id="what somebody calls spam is left",
        ),
        pytest.param(lambda world: world.provider.delete_message("1"), None, [GONE], id="and what is gone"),
    ],
)
async def test_what_a_person_changed_is_left_and_named(
    world: World, does: Person, labels: set[str] | None, said: list[str]
) -> None:
    await decided(world, FILE)
    does(world)
    first, second = await undone(world)
    assert [*(f"already {label}" for label in first.change.already), *first.left] == said
    assert (world.provider.labels("1") if labels else None) == labels
    assert (second.left, sorted(world.provider.labels("2"))) == ((), ["INBOX", "UNREAD"])
    assert all(one.undone for one in await world.runs())


@pytest.mark.parametrize(
    ("rules", "chosen", "labels", "kept"),
    [
        pytest.param((FILE, MARK), ("r1", "r2"), {"INBOX", "UNREAD"}, [], id="all rules of a batch"),
        pytest.param((FILE, MARK), ("r1",), {"INBOX", "Seen"}, [], id="the earlier one alone"),
        pytest.param((FILE, MARK), ("r2",), {"Orders", "UNREAD"}, [], id="the later one alone"),
        pytest.param(
            (FILE, AGAIN),
            ("r1",),
            {"Orders", "UNREAD"},
            ["'INBOX': ", "'Orders': "],
            id="what a later rule wants as well stays",
        ),
        pytest.param(
            (FILE, "{when: {label: Orders}, then: [label: {remove: [Orders]}]}"),
            ("r1",),
            {"UNREAD", "INBOX"},
            ["'Orders': "],
            id="what a later rule took off stays off",
        ),
        pytest.param(
            (FILE, "{when: {label: Orders}, then: [label: {remove: [Orders], add: [INBOX]}]}"),
            ("r2",),
            {"UNREAD", "Orders"},
            [],
            id="what came to nothing comes to what the earlier rule wanted",
        ),
    ],
)
async def test_the_latest_rule_that_is_not_undone_wins(
    world: World, rules: tuple[str, ...], chosen: tuple[str, ...], labels: set[str], kept: list[str]
) -> None:
    await decided(world, *rules, keys="1")
    (only,) = await undone(world, *chosen)
    assert world.provider.labels("1") == labels
    assert list(only.left) == [f"{label}the rule r2 has set or removed it since" for label in kept]


async def test_later_runs_of_other_events_win_too(world: World) -> None:
    again = "{event: label.added, when: {label: Go}, then: [label: Orders]}"
    await decided(world, FILE, again, keys="1")
    world.provider.relabel("1", ["Go"])
    await world.read_and_drain()
    (only,) = await undone(world, "r1")
    assert world.provider.labels("1") == {"INBOX", "UNREAD", "Go", "Orders"}
    assert only.left == ("'Orders': the rule r2 has set or removed it since",)
    await undone(world, "r2")
    assert world.provider.labels("1") == {"INBOX", "UNREAD", "Go", "Orders"}


async def test_a_thread_is_put_back_message_by_message(world: World) -> None:
    await world.rules("{when: {subject: last}, then: [archive: {scope: thread}]}")
    world.provider.threads = {"1": "t", "2": "t", "3": "t"}
    world.provider.deliver("1", mail("first"), ["INBOX", "Done"])
    world.provider.deliver("2", mail("second"), ["Done"])
    world.provider.deliver("3", mail("last"))
    await world.read_and_drain()
    await world.execute_all()
    world.provider.relabel("1", ["TRASH"])
    told = await undone(world)
    assert [(one.key, one.change.add, one.left) for one in told] == [
        ("1", (), ("a person has put it into the trash",)),
        ("2", (), ()),
        ("3", ("INBOX",), ()),
    ]
    (run,) = await world.runs()
    assert run.undone
    assert run.undone.left == ("1: a person has put it into the trash",)


async def test_a_thread_that_is_still_to_be_changed_counts_as_later(world: World) -> None:
    await world.rules(FILE, "{when: {subject: last}, then: [label: {add: Orders, scope: thread}]}")
    world.provider.threads = {"1": "t", "2": "t"}
    world.provider.deliver("1", mail("first"))
    world.provider.deliver("2", mail("last"))
    await world.read_and_drain()
    first, second = await undone(world, "r1")
    assert first.left == second.left == ("'Orders': the rule r2 has set or removed it since",)
    assert world.provider.labels("1") == {"INBOX", "UNREAD", "Orders"}


async def dies(world: World, where: str) -> None:
    """Undo, with an end that comes there."""
    store = RedisUndoings(world.base)

    async def ends(*_: object) -> None:
        raise KeyboardInterrupt

    setattr(store, where, ends)
    chosen = [one for one in await world.runs() if not undoable(one)]
    with pytest.raises(KeyboardInterrupt):
        async for _ in undo(replace(undoing(world), store=store), chosen, acts=True):
            pass


@pytest.mark.parametrize("where", ["tread", "mark"])
async def test_an_end_midway_is_carried_on_by_doing_it_again(world: World, where: str) -> None:
    await decided(world, FILE)
    await dies(world, where)
    assert not any(one.undone for one in await world.runs())
    await undone(world)
    assert {world.provider.labels(key) for key in "12"} == {frozenset({"INBOX", "UNREAD"})}
    assert all(one.undone for one in await world.runs())


async def test_footsteps_of_a_call_that_never_came_pass_away(world: World) -> None:
    await decided(world, FILE, keys="1")
    world.provider.failures["change_labels"] = [KeyError("the process died")]
    with pytest.raises(KeyError):
        await undone(world)
    noted = (await world.base.redis.hgetall(world.base.key("footsteps", BOX))).values()
    assert world.clock() < max(map(int, noted)) <= world.clock() + 90_000


@pytest.mark.parametrize(
    ("error", "left"),
    [
        pytest.param(Unavailable("down"), [], id="a service that fails is asked again"),
        pytest.param(RateLimited("wait", until=0), [], id="one that is busy as well"),
        pytest.param(Rejected("no"), ["1"], id="a message that is refused is named and not marked"),
    ],
)
async def test_what_the_service_says(
    world: World, error: Exception, left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.flow.listing.FIRST_PAUSE_S", 0.001)
    await decided(world, FILE)
    if isinstance(error, Rejected):
        world.provider.poison = frozenset({"1"})
    else:
        world.provider.failures["change_labels"] = [error]
    told = await undone(world)
    assert [one.key for one in told if one.failed] == left
    assert [one.run.key for one in await world.runs() if not one.undone] == left
    assert world.provider.labels("2") == {"INBOX", "UNREAD"}


async def test_the_lane_is_free_while_the_service_keeps_us_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await decided(world, FILE, keys="1")
    waited: list[object] = []

    async def waits(_error: object, _longest_s: float) -> None:
        waited.append(await world.base.redis.exists(world.base.key("lease", BOX)))

    monkeypatch.setattr("engine.flow.listing.wait_for", waits)
    world.provider.failures["change_labels"] = [RateLimited("wait", until=time.time() + 60)]
    await undone(world)
    assert waited == [0]
    assert world.provider.labels("1") == {"INBOX", "UNREAD"}


async def test_a_lease_that_is_lost_is_taken_again(world: World) -> None:
    await decided(world, FILE, keys="1")

    async def taken_over() -> None:
        await world.base.redis.delete(world.base.key("lease", BOX))

    world.provider.meanwhile["fetch"] = taken_over
    await undone(world)
    assert world.provider.labels("1") == {"INBOX", "UNREAD"}
    assert (await world.run()).undone


async def test_a_mark_under_a_lost_lease_writes_nothing(world: World) -> None:
    await decided(world, FILE, keys="1")
    store = RedisUndoings(world.base)
    async with store.lease(BOX) as lease:
        assert lease
        await world.base.redis.delete(world.base.key("lease", BOX))
        with pytest.raises(LeaseLost):
            await store.tread(BOX, lease, ["1|+A"], 1, 1)
    assert await world.base.redis.hlen(world.base.key("footsteps", BOX)) == 2


CHANGED = "somebody has changed it since"
SAVE = "{when: {label: INBOX}, then: [save: {what: message, folder: box, name: mail.eml}]}"
SAVE_TOO = SAVE.replace("when: {label: INBOX}", "event: label.added, when: {label: Go}")


@pytest.mark.parametrize(
    ("change", "left"),
    [
        pytest.param(lambda path: None, "", id="a file that is the same is removed"),
        pytest.param(lambda path: path.write_text("mine"), CHANGED, id="one that is not, stays"),
        pytest.param(lambda path: path.unlink(), "it is gone already", id="one that is gone, too"),
    ],
)
async def test_files_are_removed_if_they_are_still_the_same(
    world: World, tmp_path: Path, change: Callable[[Path], object], left: str
) -> None:
    world.folders["box"] = tmp_path
    await decided(world, SAVE, keys="1")
    path = tmp_path / "mail.eml"
    change(path)
    (looked,) = await undone(world, acts=False)
    assert path.exists() == (not left or "changed" in left)
    (only,) = await undone(world)
    assert [one.left for one in only.others] == [one.left for one in looked.others] == [left]
    assert path.exists() == ("changed" in left)


async def test_a_file_that_a_later_run_found_there_stays(world: World, tmp_path: Path) -> None:
    world.folders["box"] = tmp_path
    await decided(world, SAVE, SAVE_TOO, keys="1")
    world.provider.relabel("1", ["Go"])
    await world.read_and_drain()
    await world.execute_all()
    (only,) = await undone(world, "r1")
    assert [one.left for one in only.others] == ["a later run counts on it"]
    assert (tmp_path / "mail.eml").exists()


NOTHING = "it changed nothing that can be taken back"
BOTH = "{when: {label: INBOX}, then: [label: A, reply: hi]}"
SHADOW = "{state: shadow, when: {label: INBOX}, then: [label: A]}"


@pytest.mark.parametrize(
    ("rule", "executed", "why"),
    [
        pytest.param("{when: {label: INBOX}, then: [reply: hi]}", True, NOTHING, id="a reply alone"),
        pytest.param("{when: {label: INBOX}, then: [label: INBOX]}", True, NOTHING, id="no change"),
        pytest.param(SHADOW, True, "it did nothing: its rule was in shadow", id="in shadow"),
        pytest.param(BOTH, False, "it is still under way", id="under way"),
        pytest.param(BOTH, True, "", id="a label beside a reply is"),
    ],
)
async def test_some_runs_are_not_undone(world: World, rule: str, executed: bool, why: str) -> None:
    await world.rules(rule)
    world.provider.deliver("1", mail("m1"))
    await world.read_and_drain()
    if executed:
        await world.execute_all()
    assert undoable(await world.run()) == why


DRAFT = "{id: d, when: {label: INBOX}, then: [draft: hi]}"
NOTE = "{id: d, when: {label: INBOX}, then: [draft: {template: hi, to: desk@x.example}]}"


@pytest.mark.parametrize("rule", [pytest.param(DRAFT, id="in a thread"), pytest.param(NOTE, id="to others")])
@pytest.mark.parametrize(
    ("edit", "left"),
    [
        pytest.param(None, "", id="as it was written it is deleted"),
        pytest.param((b"Hello.", b"Dear Ann."), "somebody has edited it, or may have", id="edited it stays"),
        pytest.param((b"", b""), "it was sent or deleted already", id="it may be gone"),
    ],
)
async def test_a_draft_is_deleted_unless_a_person_wrote_in_it(
    world: World, rule: str, edit: tuple[bytes, bytes] | None, left: str
) -> None:
    await decided(world, rule, keys="1")
    raw = world.provider.lying["draft-1"]
    if edit == (b"", b""):
        del world.provider.lying["draft-1"]
    elif edit:
        world.provider.lying["draft-1"] = raw.replace(*edit)
    (looked,) = await undone(world, acts=False)
    (only,) = await undone(world)
    assert [one.left for one in only.others] == [one.left for one in looked.others] == [left]
    assert list(world.provider.lying) == (["draft-1"] if "edited" in left else [])
    assert undoable(await world.run()) == "it is undone already"


async def test_a_draft_that_a_newer_message_updated_goes_with_the_newer_run(world: World) -> None:
    world.provider.threads = {"1": "t", "2": "t"}
    await decided(world, DRAFT, keys="1")
    world.provider.deliver("2", mail("m2"))
    await world.read_and_drain()
    await world.execute_all()
    first, second = await world.runs()
    (only,) = [one async for one in undo(undoing(world), [first], acts=True)]
    assert [one.left for one in only.others] == ["a newer message has updated it, or is about to"]
    (only,) = [one async for one in undo(undoing(world), [second], acts=True)]
    assert ([one.left for one in only.others], world.provider.lying) == ([""], {})
    world.provider.deliver("3", mail("m3"))
    await world.read_and_drain()
    await world.execute_all()
    assert len(world.provider.lying) == 1


LATER = "{when: {label: INBOX}, then: [label: A, {reply: {template: hi, after: 2h}}]}"


async def test_what_waits_for_its_time_is_given_up(world: World) -> None:
    await decided(world, LATER, keys="1")
    assert (await world.run()).state == "open"
    (looked,) = await undone(world, acts=False)
    assert (await world.run()).state == "open"
    (only,) = await undone(world)
    assert [one.kind for one in only.others] == [one.kind for one in looked.others]
    assert (only.change.remove, looked.change.remove) == (("A",), ("A",))
    recorded = await world.run()
    assert (recorded.state, recorded.receipts[1]["outcome"], bool(recorded.undone)) == (
        "done",
        "skipped",
        True,
    )
    world.clock.forward(3 * 3_600_000)
    assert await world.execute(recorded.run.id) is None
    assert world.provider.sent == []
    assert world.provider.labels("1") == {"INBOX", "UNREAD"}


async def test_what_waits_while_sends_are_paused_is_given_up(world: World) -> None:
    await pause_sends(world.base, "ann@desk", "wrong template", world.clock())
    await decided(world, "{when: {label: INBOX}, then: [label: A, reply: hi, label: B]}", keys="1")
    (looked,) = await undone(world, acts=False)
    (only,) = await undone(world)
    assert only == looked
    kinds = [one.kind for one in only.others]
    assert (kinds, only.change.remove) == (["message that waits while sends are paused"], ("A",))
    await resume_sends(world.base, "ann@desk", world.clock())
    await world.execute_all()
    recorded = await world.run()
    assert (recorded.state, recorded.receipts[1]["outcome"], bool(recorded.undone)) == (
        "done",
        "skipped",
        True,
    )
    assert world.provider.sent == []
    assert world.provider.labels("1") == {"INBOX", "UNREAD"}


async def test_what_goes_on_meanwhile_is_not_given_up(world: World) -> None:
    await pause_sends(world.base, "ann@desk", "", world.clock())
    await decided(world, "{when: {label: INBOX}, then: [label: A, reply: hi]}", keys="1")
    chosen = await world.runs()
    await resume_sends(world.base, "ann@desk", world.clock())
    await world.execute(chosen[0].run.id)
    (only,) = [one async for one in undo(undoing(world), chosen, acts=True)]
    assert (only.others, only.change.remove, len(world.provider.sent)) == ((), ("A",), 1)


ASKING = "{when: {label: INBOX}, then: [label: A, {reply: {template: hi, mode: approve}}, label: B]}"


async def test_what_waits_for_approval_is_rejected(world: World) -> None:
    await decided(world, ASKING, keys="1")
    approvals = RedisApprovals(world.base)
    (looked,) = await undone(world, acts=False)
    assert len(await approvals.waiting()) == 1
    (only,) = await undone(world)
    assert only == looked
    assert ([one.kind for one in only.others], only.change.remove) == (
        ["message that waits for approval"],
        ("A",),
    )
    recorded = await world.run()
    receipt = recorded.receipts[1]
    assert (receipt["approval"], receipt["by"], receipt["reason"]) == (
        "rejected",
        "ann@desk",
        "the run was undone",
    )
    assert (recorded.state, recorded.receipts[2]["outcome"], bool(recorded.undone)) == (
        "done",
        "skipped",
        True,
    )
    assert await approvals.waiting() == []
    answer = await approvals.decide(recorded.run.id, Decision(Standing.APPROVED, "bob"), world.clock())
    assert (answer, await world.execute(recorded.run.id), world.provider.sent) == (Answer.GONE, None, [])


async def test_what_was_approved_meanwhile_and_not_begun_is_rejected_too(world: World) -> None:
    await decided(world, ASKING, keys="1")
    chosen = await world.runs()
    run = chosen[0].run.id
    await RedisApprovals(world.base).decide(run, Decision(Standing.APPROVED, "bob"), world.clock())
    assert [one async for one in undo(undoing(world), chosen, acts=True)]
    await world.execute_all()
    assert ((await world.run()).receipts[1]["approval"], world.provider.sent) == ("rejected", [])


async def test_what_was_approved_and_sent_meanwhile_is_not_called_rejected(world: World) -> None:
    await decided(world, ASKING, keys="1")
    chosen = await world.runs()
    run = chosen[0].run.id
    await RedisApprovals(world.base).decide(run, Decision(Standing.APPROVED, "bob"), world.clock())
    await world.execute(run)
    (only,) = [one async for one in undo(undoing(world), chosen, acts=True)]
    assert (only.others, only.change.remove, len(world.provider.sent)) == ((), ("A", "B"), 1)


async def test_a_draft_that_waits_for_a_person_says_what_to_do(world: World) -> None:
    await decided(world, ASKING.replace("approve}", "approve, in: draft}"), keys="1")
    assert undoable(await world.run()) == BY_DRAFT


@pytest.mark.parametrize("field", ["claim", "unknown", "doubt"])
async def test_a_step_that_is_tried_or_may_have_been_is_not_given_up(world: World, field: str) -> None:
    await decided(world, LATER, keys="1")
    recorded = await world.run()
    await world.base.redis.hset(world.base.key("run", recorded.run.id), field, "1")
    (only,) = await undone(world)
    assert only.failed == BUSY
    assert ((await world.run()).undone, "A" in world.provider.labels("1")) == (None, True)


async def test_a_dead_run_that_was_undone_is_not_done_again(world: World) -> None:
    world.provider.failures["send"] = [Rejected("no")]
    await decided(world, "{when: {label: INBOX}, then: [{label: Orders}, {reply: hi}]}", keys="1")
    (run,) = await world.runs()
    assert run.state == "dead"
    await undone(world)
    assert not await world.journal.reopen(run.run.id, world.clock())
    assert await world.journal.newest(9, dead=True) == []
    assert (await world.run()).state == "done"


async def test_a_change_that_an_earlier_run_put_off_counts_as_later(world: World) -> None:
    later = "{id: later, when: {label: INBOX}, then: [label: {add: Kept, after: 7d}]}"
    sooner = "{id: sooner, event: message.unanswered, after: 5d, when: {label: INBOX}, then: [label: Kept]}"
    await decided(world, later, sooner, keys="1")
    for days in (5, 2):
        world.clock.forward(days * 86_400_000 + 2_000)
        await world.waking.timers(world.clock())
        await world.drain()
        await world.execute_all()
    (one,) = await undone(world, "sooner")
    assert one.change.left == ("'Kept': the rule later has set or removed it since",)
    assert "Kept" in world.provider.labels("1")
