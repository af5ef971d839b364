"""Labels: renamed, moved, coloured, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from engine.sandbox.labels import DEEPEST
from tests.sandbox.driving import Driver, mail

COLOUR = {"textColor": "#000000", "backgroundColor": "#cccccc"}


async def make(driver: Driver, name: str, parent: str = "", **shape: Any) -> str:
    return str((await driver.post("/labels", {"name": name, "parentId": parent, **shape}))["id"])


async def change(driver: Driver, id_: str, method: str = "PATCH", **body: Any) -> tuple[int, dict[str, Any]]:
    response = await driver.call(method, f"/labels/{id_}", json=body)
    return response.status_code, response.json()


@pytest.mark.parametrize(
    ("method", "left"),
    [
        pytest.param("PATCH", ("labelHide", "hide", COLOUR), id="a patch keeps what it does not name"),
        pytest.param("PUT", ("labelShow", "show", None), id="a put replaces all"),
    ],
)
async def test_a_label_is_renamed(driver: Driver, method: str, left: tuple[Any, ...]) -> None:
    shape: dict[str, Any] = {
        "labelListVisibility": "labelHide",
        "messageListVisibility": "hide",
        "color": COLOUR,
    }
    id_ = await make(driver, "orders", **shape)
    start = await driver.cursor()
    status, answer = await change(driver, id_, method, name="sales", parentId="")
    shown = await driver.get(f"/labels/{id_}")
    assert (status, answer["name"], shown["name"]) == (200, "sales", "sales")
    assert (shown["labelListVisibility"], shown["messageListVisibility"], shown.get("color")) == left
    (record,) = await driver.history(start)
    assert record["settingsUpdated"] == [{"type": "userLabels", "id": id_}]


@pytest.mark.parametrize("key", ["parentId", "parentld"])
async def test_a_put_takes_the_parent_in_either_spelling(driver: Driver, key: str) -> None:
    above, id_ = await make(driver, "above"), await make(driver, "below")
    status, answer = await change(driver, id_, "PUT", name="below", **{key: above})
    assert (status, answer["parentId"], answer["labelLevel"]) == (200, above, 1)


@pytest.mark.parametrize("key", ["messageListVisibility", "messageListVisibilitystring"])
async def test_visibility_is_taken_in_either_spelling(driver: Driver, key: str) -> None:
    id_ = await make(driver, "orders")
    _, answer = await change(driver, id_, name="orders", parentId="", **{key: "hide"})
    assert answer["messageListVisibility"] == "hide"


async def test_a_change_that_changes_nothing_leaves_no_record(driver: Driver) -> None:
    id_ = await make(driver, "orders")
    start = await driver.cursor()
    assert (await change(driver, id_, name="orders", parentId=""))[0] == 200
    assert await driver.history(start) == []


async def test_a_label_moves_with_what_lies_below_it(driver: Driver) -> None:
    top, other = await make(driver, "top"), await make(driver, "other")
    below = await make(driver, "below", top)
    await driver.deliver(mail(), labels="top/below")
    await change(driver, top, name="top", parentId=other)
    assert (await driver.get(f"/labels/{below}"))["labelLevel"] == 2
    state = await driver.look("state", mailbox="ann@acme.example")
    assert state["messages"][0]["labels"] == ["other/top/below"]


async def test_a_label_cannot_lie_below_itself(driver: Driver) -> None:
    top = await make(driver, "top")
    below = await make(driver, "below", top)
    for parent in (top, below):
        assert (await change(driver, top, name="top", parentId=parent))[0] == 400


async def test_a_moved_tree_nests_only_so_deep(driver: Driver) -> None:
    chain = [await make(driver, "0")]
    for n in range(1, DEEPEST - 1):
        chain.append(await make(driver, str(n), chain[-1]))
    tree = await make(driver, "tree")
    await make(driver, "leaf", tree)
    assert (await change(driver, tree, name="tree", parentId=chain[-1]))[0] == 400
    assert (await change(driver, tree, name="tree", parentId=chain[-2]))[0] == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_name_that_is_taken_is_refused(driver: Driver, method: str) -> None:
    await make(driver, "orders")
    id_ = await make(driver, "sales")
    assert (await change(driver, id_, method, name="orders", parentId=""))[0] == 409
    assert (await change(driver, id_, method, name="inbox", parentId=""))[0] == 409
    assert (await change(driver, id_, method, name="Sales", parentId=""))[0] == 200


@pytest.mark.parametrize(
    ("method", "id_", "body", "status"),
    [
        pytest.param("PATCH", "Label_9", {"name": "a", "parentId": ""}, 404, id="a label that is not there"),
        pytest.param("PUT", "Label_9", {"name": "a", "parentId": ""}, 404, id="none to replace"),
        pytest.param("DELETE", "Label_9", None, 404, id="none to delete"),
        pytest.param("PATCH", "INBOX", {"name": "a", "parentId": ""}, 400, id="a label of the system"),
        pytest.param("DELETE", "INBOX", None, 400, id="a label of the system to delete"),
        pytest.param("PATCH", "Label_1", {"name": "a"}, 400, id="a patch without a parent"),
        pytest.param("PATCH", "Label_1", {"parentId": ""}, 400, id="a patch without a name"),
        pytest.param("PUT", "Label_1", {"name": "a"}, 400, id="a put without a parent"),
        pytest.param("PUT", "Label_1", {"name": "a", "parentId": "Label_9"}, 400, id="an unknown parent"),
        pytest.param(
            "PUT",
            "Label_1",
            {"name": "a", "parentId": "", "color": {"textColor": "#000000", "backgroundColor": "#123456"}},
            400,
            id="a colour beyond the palette",
        ),
    ],
)
async def test_a_wrong_change_is_refused(
    driver: Driver, method: str, id_: str, body: dict[str, Any] | None, status: int
) -> None:
    await make(driver, "orders")
    start = await driver.cursor()
    response = await driver.call(method, f"/labels/{id_}", json=body)
    assert response.status_code == status
    assert await driver.cursor() == start


async def test_a_deleted_label_is_taken_off_every_message(driver: Driver) -> None:
    id_ = await make(driver, "orders")
    ids = [await driver.deliver(mail(), labels="INBOX,orders") for _ in range(2)]
    start = await driver.cursor()
    assert (await driver.call("DELETE", f"/labels/{id_}")).status_code == 204
    assert [await driver.labels(message) for message in ids] == [{"INBOX"}] * 2
    first, second, last = await driver.history(start)
    assert [record["labelsRemoved"][0]["message"]["id"] for record in (first, second)] == ids
    assert last["settingsDeleted"] == [{"type": "userLabels", "id": id_}]
    assert (await driver.call("GET", f"/labels/{id_}")).status_code == 404


async def test_labels_below_a_deleted_one_go_before_it(driver: Driver) -> None:
    top = await make(driver, "top")
    below = await make(driver, "below", top)
    lowest = await make(driver, "lowest", below)
    start = await driver.cursor()
    await driver.call("DELETE", f"/labels/{top}")
    gone = [record["settingsDeleted"][0]["id"] for record in await driver.history(start)]
    assert gone == [lowest, below, top]
    assert await make(driver, "top") not in (top, below, lowest)
