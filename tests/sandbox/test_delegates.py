"""Delegates, as both mailboxes see them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.driving import ANN, BOB, Driver

OUTSIDER = "carl@else.example"


async def test_a_delegate_is_granted_shown_and_revoked(driver: Driver) -> None:
    made = await driver.post("/settings/delegates", {"delegateEmail": BOB, "delegateAccess": "dlgauthor"})
    assert (made["delegateAccess"], made["verificationStatus"]) == ("dlgauthor", "accepted")
    assert await driver.get(f"/settings/delegates/{BOB}") == made
    assert (await driver.get("/settings/delegates"))["delegates"] == [made]
    assert (await driver.call("DELETE", f"/settings/delegates/{BOB}")).status_code == 204
    assert (await driver.get("/settings/delegates"))["delegates"] == []
    assert (await driver.call("GET", f"/settings/delegates/{BOB}")).status_code == 404


async def test_an_editor_is_made_unless_told_otherwise_and_an_outsider_has_yet_to_accept(
    driver: Driver,
) -> None:
    made = await driver.post("/settings/delegates", {"delegateEmail": OUTSIDER})
    assert (made["delegateAccess"], made["verificationStatus"]) == ("dlgeditor", "pending")


async def test_every_change_stands_in_both_histories(driver: Driver) -> None:
    ours, theirs = await driver.cursor(), await driver.cursor(BOB)
    for access in ("dlgeditor", "dlgeditor", "dlgreviewer"):
        await driver.post("/settings/delegates", {"delegateEmail": BOB, "delegateAccess": access})
    await driver.call("DELETE", f"/settings/delegates/{BOB}")
    here, there = await driver.history(ours), await driver.history(theirs, BOB)
    changes = ("Added", "Updated", "Deleted")
    assert [record[f"delegates{change}"] for record, change in zip(here, changes, strict=True)] == [[BOB]] * 3
    assert [record[f"delegators{change}"] for record, change in zip(there, changes, strict=True)] == [
        [ANN]
    ] * 3


async def test_delegates_are_narrowed_in_history(driver: Driver) -> None:
    start = await driver.cursor()
    await driver.post("/settings/delegates", {"delegateEmail": OUTSIDER})
    assert await driver.history(start, historyTypes="delegateDeleted") == []
    assert await driver.history(start, excludeHistoryTypes="delegateAdded") == []
    assert len(await driver.history(start, historyTypes="delegateAdded")) == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="nobody"),
        pytest.param({"delegateEmail": 7}, id="a number"),
        pytest.param({"delegateEmail": "carl"}, id="no address"),
        pytest.param({"delegateEmail": ANN}, id="the mailbox itself"),
        pytest.param({"delegateEmail": BOB, "delegateAccess": "owner"}, id="an unknown level"),
    ],
)
async def test_a_wrong_grant_is_refused(driver: Driver, body: dict[str, Any]) -> None:
    assert (await driver.call("POST", "/settings/delegates", json=body)).status_code == 400
