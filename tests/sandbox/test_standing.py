"""What mailboxes that are not in use answer."""

from __future__ import annotations

import pytest

from engine.sandbox.control import STATUSES
from tests.sandbox.driving import ANN, Driver, encoded, mail


async def test_a_mailbox_that_can_only_be_read_refuses_changes(driver: Driver) -> None:
    id_ = await driver.deliver(mail())
    await driver.control("mailboxes", {"mailbox": ANN, "status": "readOnly"})
    assert (await driver.get("/profile"))["status"] == "readOnly"
    for path in ("/messages", f"/messages/{id_}", "/history?startHistoryId=1000", "/settings/vacation"):
        assert (await driver.call("GET", path)).status_code == 200
    for path, body in (
        (f"/messages/{id_}/trash", None),
        ("/messages/send", {"raw": encoded(mail())}),
        ("/labels", {"name": "orders", "parentId": ""}),
    ):
        response = await driver.call("POST", path, json=body)
        assert (response.status_code, response.json()["code"]) == (403, 403)
    assert await driver.labels(id_) == {"INBOX", "UNREAD"}


@pytest.mark.parametrize("status", sorted(STATUSES - {"active", "readOnly"}))
async def test_a_mailbox_that_is_not_in_use_tells_its_profile_alone(driver: Driver, status: str) -> None:
    await driver.control("mailboxes", {"mailbox": ANN, "status": status})
    assert (await driver.get("/profile"))["status"] == status
    for path in ("/messages", "/labels", "/history?startHistoryId=1000"):
        response = await driver.call("GET", path)
        assert response.status_code == 403
        assert status in response.json()["message"]


async def test_a_mailbox_can_be_taken_into_use_again(driver: Driver) -> None:
    for status in ("suspended", "active"):
        await driver.control("mailboxes", {"mailbox": ANN, "status": status})
    assert (await driver.call("GET", "/messages")).status_code == 200
