"""A call costs the same in a small mailbox and in a large one, counted in SQLite's own steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from engine.sandbox.mailbox import add_message
from tests.sandbox.driving import ANN, Driver, drive, encoded, mail

SMALL, LARGE = 150, 1500
STEP = 10
"""SQLite is asked to tell of every tenth step."""

LISTINGS: dict[str, dict[str, Any]] = {
    "the first page": {},
    "one label": {"labelIds": "INBOX"},
    "labels of which one is rare": {"labelIds": ["INBOX", "STARRED"]},
    "trash and spam included": {"includeSpamTrash": "true"},
    "a Message-ID": {"q": "rfc822msgid:7@x", "includeSpamTrash": "true"},
    "a Message-ID under a label": {"q": "in:inbox rfc822msgid:7@x"},
    "a rare label in a search": {"q": "in:inbox is:starred"},
    "before the beginning": {"q": "before:2001-01-01"},
    "after the end": {"q": "after:2100-01-01"},
}


def filled(size: int) -> Driver:
    driver = drive(limits=False)
    store, box = driver.sandbox.store, driver.sandbox.store.mailbox(ANN)
    assert box is not None
    with store.transaction():
        for n in range(size):
            labels = {"INBOX", "UNREAD"} | ({"STARRED"} if n < 5 else set())
            add_message(store, box, mail(message_id=f"<{n}@x>"), labels)
    return driver


OPERATIONS: dict[str, tuple[str, str, Any]] = {
    "the profile": ("GET", "/profile", None),
    "labels with their counts": ("GET", "/labels", None),
    "one label": ("GET", "/labels/INBOX", None),
    "a message": ("GET", "/messages/{id}?format=full", None),
    "a change of labels": ("POST", "/messages/{id}/modify", {"addLabelIds": ["IMPORTANT"]}),
    "a batch of changes": ("POST", "/messages/batchModify", {"ids": ["{id}"], "removeLabelIds": ["UNREAD"]}),
    "an insert": ("POST", "/messages", {"raw": encoded(mail()), "labelIds": ["INBOX"]}),
    "a send": ("POST", "/messages/send", {"raw": encoded(mail(to="x@else.example"))}),
    "a draft": ("POST", "/drafts", {"message": {"raw": encoded(mail())}}),
    "a page of threads": ("GET", "/threads?maxResults=30", None),
    "a page of threads under a label": ("GET", "/threads?maxResults=30&labelIds=INBOX", None),
    "a thread": ("GET", "/threads/{id}", None),
    "a thread trashed": ("POST", "/threads/{id}/trash", None),
    "a deletion": ("DELETE", "/messages/{id}", None),
}


async def steps(driver: Driver, path: str, method: str = "GET", body: Any = None, **params: Any) -> int:
    """How many steps SQLite takes for one call, in units of STEP."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    driver.sandbox.store.db.set_progress_handler(count, STEP)
    response = await driver.call(method, path, json=body, params=params or None)
    driver.sandbox.store.db.set_progress_handler(None, 0)
    assert response.is_success, response.text
    return taken


async def middle(driver: Driver) -> str:
    """A message that lies in the midst of the mailbox."""
    listed = await driver.get("/messages", q="rfc822msgid:77@x", includeSpamTrash="true")
    return str(listed["messages"][0]["id"])


async def deep_page(driver: Driver) -> str:
    token = ""
    for _ in range(3):
        answer = await driver.get("/messages", pageToken=token, maxResults=30)
        token = answer["nextPageToken"]
    return str(token)


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[tuple[Driver, Driver]]:
    small, large = filled(SMALL), filled(LARGE)
    yield small, large
    small.close()
    large.close()


@pytest.mark.parametrize("name", LISTINGS)
async def test_a_page_of_messages_costs_the_same(mailboxes: tuple[Driver, Driver], name: str) -> None:
    small, large = [await steps(driver, "/messages", maxResults=30, **LISTINGS[name]) for driver in mailboxes]
    assert large <= small * 1.2 + 5


async def test_a_deep_page_costs_the_same(mailboxes: tuple[Driver, Driver]) -> None:
    first = await steps(mailboxes[1], "/messages", maxResults=30)
    deep = await steps(mailboxes[1], "/messages", maxResults=30, pageToken=await deep_page(mailboxes[1]))
    assert deep <= first * 1.2 + 5


async def test_a_page_of_history_costs_the_same(mailboxes: tuple[Driver, Driver]) -> None:
    small, large = [
        await steps(driver, "/history", startHistoryId="1000", maxResults=30) for driver in mailboxes
    ]
    assert large <= small * 1.2 + 5


@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_operation_costs_the_same(mailboxes: tuple[Driver, Driver], name: str) -> None:
    method, path, body = OPERATIONS[name]
    taken = []
    for driver in mailboxes:
        id_ = (await middle(driver)) if name != "a deletion" else await driver.deliver(mail())
        filled_in = json.loads(json.dumps(body).replace("{id}", id_))
        taken.append(await steps(driver, path.replace("{id}", id_), method, filled_in))
    assert taken[1] <= taken[0] * 1.2 + 5
