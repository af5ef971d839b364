"""Every operation of the OpenAPI file, driven over HTTP and held to the OpenAPI file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.sandbox.operations import ANSWERS, operations
from tests.sandbox.driving import ANN, BOB, Driver, drive, encoded, mail

LABEL = {"name": "orders", "parentId": ""}
FILTER = {"criteria": {"from": "zoe@partner.example"}, "action": {"addLabelIds": ["STARRED"]}}
DELEGATE = {"delegateEmail": "carl@acme.example"}
VACATION = {"enableAutoReply": True, "responseSubject": "Away:", "startTime": "1704268800000"}
DRAFT = {"message": {"raw": encoded(mail())}}
STARS = {"addLabelIds": ["STARRED"]}

DRIVEN: dict[str, tuple[str, Any]] = {
    "get_mailbox_profile": ("/profile", None),
    "list_mailbox_history": ("/history?startHistoryId=1000", None),
    "list_labels_in_mailbox": ("/labels", None),
    "get_label_in_mailbox": ("/labels/INBOX", None),
    "create_label_in_mailbox": ("/labels", LABEL),
    "update_label_in_mailbox": ("/labels/{label}", {"name": "sales", "parentld": ""}),
    "patch_label_in_mailbox": ("/labels/{label}", {"name": "sales", "parentId": ""}),
    "delete_label_from_mailbox": ("/labels/{label}", None),
    "list_emails": ("/messages", None),
    "create_email": ("/messages", {"raw": encoded(mail()), "labelIds": ["IMPORTANT"]}),
    "get_email": ("/messages/{message}", None),
    "get_email_attachment": ("/messages/{message}/attachments/{message}_0", None),
    "send_email": ("/messages/send", {"raw": encoded(mail())}),
    "update_email": ("/messages/{message}/modify", STARS),
    "batch_modify_emails": ("/messages/batchModify", STARS | {"ids": ["{message}"]}),
    "batch_delete_emails": ("/messages/batchDelete", {"ids": ["{message}"]}),
    "trash_email": ("/messages/{message}/trash", None),
    "untrash_email": ("/messages/{message}/untrash", None),
    "delete_email": ("/messages/{message}", None),
    "list_email_threads": ("/threads", None),
    "get_email_thread": ("/threads/{message}", None),
    "update_email_thread": ("/threads/{message}/modify", STARS),
    "trash_email_thread": ("/threads/{message}/trash", None),
    "untrash_email_thread": ("/threads/{message}/untrash", None),
    "delete_email_thread": ("/threads/{message}", None),
    "list_draft_emails": ("/drafts", None),
    "create_draft_email": ("/drafts", DRAFT),
    "get_draft_email": ("/drafts/{draft}", None),
    "update_draft_email": ("/drafts/{draft}", DRAFT),
    "send_draft_email": ("/drafts/send", {"id": "{draft}"}),
    "delete_draft_email": ("/drafts/{draft}", None),
    "list_email_filters": ("/settings/filters", None),
    "create_email_filter": ("/settings/filters", FILTER),
    "get_email_filter": ("/settings/filters/{filter}", None),
    "delete_email_filter": ("/settings/filters/{filter}", None),
    "list_mailbox_delegates": ("/settings/delegates", None),
    "grant_mailbox_delegate": ("/settings/delegates", DELEGATE),
    "get_mailbox_delegate": ("/settings/delegates/bob@acme.example", None),
    "revoke_mailbox_delegate": ("/settings/delegates/bob@acme.example", None),
    "get_mail_vacation_response_setting": ("/settings/vacation", None),
    "update_mailbox_vacation_response_setting": ("/settings/vacation", VACATION),
}
"""Every operation, as it is called well: its path and its body."""

METHODS = {operation.id: operation.method for operation in operations()}


async def perform(driver: Driver, operation: str, **headers: str) -> int:
    """Call an operation in a mailbox that holds one of everything."""
    ids = {
        "message": await driver.deliver(mail()),
        "draft": (await driver.post("/drafts", DRAFT))["id"],
        "label": (await driver.post("/labels", {"name": "mine", "parentId": ""}))["id"],
        "filter": (await driver.post("/settings/filters", FILTER))["id"],
    }
    await driver.post("/settings/delegates", {"delegateEmail": BOB})
    path, body = DRIVEN[operation]
    text = json.dumps(body)
    for name, id_ in ids.items():
        path, text = (part.replace(f"{{{name}}}", id_) for part in (path, text))
    content = {"json": json.loads(text)} if body else {}
    return (await driver.call(METHODS[operation], path, headers=headers, **content)).status_code


def test_every_operation_is_driven() -> None:
    assert set(DRIVEN) == set(ANSWERS) == set(METHODS)
    assert len(DRIVEN) == 41


@pytest.mark.parametrize("operation", DRIVEN)
async def test_an_operation_answers_as_its_schema_says(driver: Driver, operation: str) -> None:
    assert await perform(driver, operation) in (200, 204)


@pytest.mark.parametrize("operation", DRIVEN)
async def test_an_operation_refuses_a_bad_token(driver: Driver, operation: str) -> None:
    assert await perform(driver, operation, authorization="Bearer nonsense") == 401


@pytest.mark.parametrize("operation", DRIVEN)
async def test_an_operation_knows_its_rate_class(operation: str) -> None:
    driver = drive(limits=True)
    try:
        declared = next(found.rate_class for found in operations() if found.id == operation)
        await perform(driver, operation)
        assert (await driver.look("calls"))["rates"][declared] >= 1
        assert (await driver.look("calls"))["operations"][operation] >= 1
    finally:
        driver.close()


@pytest.mark.parametrize("operation", DRIVEN)
async def test_an_operation_knows_no_mailbox_that_is_not_hosted(driver: Driver, operation: str) -> None:
    path, body = DRIVEN[operation]
    response = await driver.call(METHODS[operation], path, "nobody@acme.example", json=body)
    assert (response.status_code, response.json()["code"]) == (404, 1001)


async def test_me_is_refused_to_a_server_to_server_token(driver: Driver) -> None:
    response = await driver.call("GET", "/messages", "me")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "email")


async def test_a_mailbox_is_found_in_any_case(driver: Driver) -> None:
    assert (await driver.get("/profile", ANN.upper()))["emailAddress"] == ANN


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        pytest.param("POST", "/messages", {"content": b"{"}, id="broken JSON"),
        pytest.param("POST", "/messages", {"content": b"[" * 100_000}, id="JSON nested without end"),
        pytest.param("POST", "/messages", {"json": ["raw"]}, id="JSON that is no object"),
        pytest.param(
            "POST",
            "/labels",
            {"content": b'{"name": "\\ud800", "parentId": ""}'},
            id="half a character in an escape",
        ),
        pytest.param(
            "POST",
            "/labels",
            {"content": b'{"name": "\xed\xa0\x80", "parentId": ""}'},
            id="half a character in bytes",
        ),
        pytest.param("POST", "/messages", {"json": {}}, id="an insert without raw"),
        pytest.param("POST", "/messages", {"json": {"raw": 7}}, id="raw that is a number"),
        pytest.param("POST", "/messages", {"json": {"raw": "a!b"}}, id="raw that is not base64url"),
        pytest.param("POST", "/messages", {"json": {"raw": "", "labelIds": "INBOX"}}, id="labels as text"),
        pytest.param("POST", "/messages", {"json": {"raw": "", "labelIds": ["X"]}}, id="an unknown label"),
        pytest.param(
            "POST", "/messages?deleted=maybe", {"json": {"raw": ""}}, id="deleted that is no boolean"
        ),
        pytest.param("POST", "/messages/send", {"json": {"raw": ""}}, id="a send to nobody"),
        pytest.param(
            "POST",
            "/messages/send",
            {"json": {"raw": encoded(mail()), "sendTime": "soon"}},
            id="sendTime as words",
        ),
        pytest.param(
            "POST",
            "/messages/send",
            {"json": {"raw": encoded(mail()), "labelIds": ["SENT"]}},
            id="a send as SENT",
        ),
        pytest.param(
            "POST", "/messages/batchModify", {"json": {"ids": []}}, id="a batch that changes nothing"
        ),
        pytest.param(
            "POST",
            "/messages/batchModify",
            {"json": {"ids": [], "addLabelIds": ["STARRED"]}},
            id="a batch of nothing",
        ),
        pytest.param(
            "POST",
            "/messages/batchModify",
            {"json": {"ids": [str(n) for n in range(1001)], "addLabelIds": ["STARRED"]}},
            id="a batch of more than a thousand",
        ),
        pytest.param(
            "POST",
            "/messages/batchModify",
            {"json": {"ids": ["x"], "addLabelIds": ["STARRED"]}},
            id="a batch with an unknown message",
        ),
        pytest.param("POST", "/messages/x/modify", {"json": {}}, id="a change of nothing"),
        pytest.param(
            "POST", "/messages/x/modify", {"json": {"addLabelIds": ["DRAFT"]}}, id="a move to DRAFT"
        ),
        pytest.param(
            "POST",
            "/messages/x/modify",
            {"json": {"addLabelIds": ["INBOX"], "removeLabelIds": ["INBOX"]}},
            id="a label both added and removed",
        ),
        pytest.param("GET", "/messages?maxResults=0", {}, id="an empty page"),
        pytest.param("GET", "/messages?maxResults=501", {}, id="a page that is too long"),
        pytest.param("GET", "/messages?maxResults=%C2%B2", {}, id="a page length in superscript"),
        pytest.param("GET", "/messages?pageToken=%FF", {}, id="a page token that is no text"),
        pytest.param("GET", "/messages?pageToken=eA", {}, id="a page token of somebody else"),
        pytest.param("GET", "/messages?labelIds=INBOX,Nope", {}, id="a listing by an unknown label"),
        pytest.param("GET", "/messages?includeSpamTrash=2", {}, id="includeSpamTrash that is no boolean"),
        pytest.param("GET", "/messages?q=%28", {}, id="a search line with an open bracket"),
        pytest.param("GET", "/history", {}, id="a history without a start"),
        pytest.param("GET", "/history?startHistoryId=1000&historyTypes=x", {}, id="an unknown history type"),
        pytest.param("GET", "/history?startHistoryId=1000&labelId=x", {}, id="a history of an unknown label"),
        pytest.param("GET", "/labels?format=fat", {}, id="an unknown format of labels"),
        pytest.param("POST", "/labels", {"json": {"name": "", "parentId": ""}}, id="a label without a name"),
        pytest.param("POST", "/labels", {"json": {"name": "a"}}, id="a label without a parentId"),
        pytest.param(
            "POST", "/labels", {"json": {"name": "a", "parentId": "Label_9"}}, id="an unknown parent"
        ),
        pytest.param(
            "POST", "/labels", {"json": {"name": "a", "parentId": "INBOX"}}, id="a system label as parent"
        ),
        pytest.param(
            "POST",
            "/labels",
            {"json": {"name": "a", "parentId": "", "color": {"textColor": "#000000"}}},
            id="one colour of two",
        ),
        pytest.param(
            "POST",
            "/labels",
            {"json": {"name": "a", "parentId": "", "labelListVisibility": "never"}},
            id="an unknown visibility",
        ),
        pytest.param("POST", "/drafts", {"json": {"message": "text"}}, id="a draft that is text"),
        pytest.param("POST", "/drafts/send", {"json": {}}, id="a send of no draft"),
        pytest.param("POST", "/messages/batchDelete", {"json": {"ids": []}}, id="a deletion of nothing"),
        pytest.param(
            "POST", "/messages/batchDelete", {"json": {"ids": ["x"]}}, id="a deletion of an unknown message"
        ),
        pytest.param("GET", "/threads?maxResults=x", {}, id="a page of threads of no length"),
        pytest.param("GET", "/threads?pageToken=eA", {}, id="a page token that is no thread's"),
        pytest.param("GET", "/threads?includeSpamTrash=yes", {}, id="threads of a maybe"),
        pytest.param("GET", "/drafts?q=%28", {}, id="a search of drafts with an open bracket"),
    ],
)
async def test_a_wrong_call_is_refused(
    driver: Driver, method: str, path: str, options: dict[str, Any]
) -> None:
    before = await driver.cursor()
    response = await driver.call(method, path, **options)
    assert response.status_code == 400, response.text
    assert await driver.cursor() == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/messages/x", id="a message"),
        pytest.param("DELETE", "/messages/x", id="a message to delete"),
        pytest.param("POST", "/messages/x/trash", id="a message to trash"),
        pytest.param("POST", "/messages/x/untrash", id="a message to untrash"),
        pytest.param("GET", "/messages/x/attachments/y", id="an attachment"),
        pytest.param("GET", "/drafts/x", id="a draft"),
        pytest.param("DELETE", "/drafts/x", id="a draft to delete"),
        pytest.param("GET", "/labels/x", id="a label"),
        pytest.param("PUT", "/drafts/x", id="a draft to replace"),
        pytest.param("GET", "/threads/x", id="a thread"),
        pytest.param("DELETE", "/threads/x", id="a thread to delete"),
        pytest.param("POST", "/threads/x/trash", id="a thread to trash"),
        pytest.param("POST", "/threads/x/untrash", id="a thread to untrash"),
        pytest.param("GET", "/settings/filters/x", id="a filter"),
        pytest.param("DELETE", "/settings/filters/x", id="a filter to delete"),
        pytest.param("GET", "/settings/delegates/x", id="a delegate"),
        pytest.param("DELETE", "/settings/delegates/x", id="a delegate to revoke"),
        pytest.param("GET", "/nothing/at/all", id="a path"),
    ],
)
async def test_what_is_not_there_is_not_found(driver: Driver, method: str, path: str) -> None:
    response = await driver.call(method, path)
    assert (response.status_code, response.json()["code"]) == (404, 404)


async def test_the_messages_of_another_mailbox_are_not_found(driver: Driver) -> None:
    theirs = await driver.deliver(mail(), "bob@acme.example")
    assert (await driver.call("GET", f"/messages/{theirs}")).status_code == 404
