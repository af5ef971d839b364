"""The control endpoints, and loading of archives."""

from __future__ import annotations

import mailbox
import re
import time
import zipfile
from pathlib import Path

import pytest

from engine.cli.sandbox import sandbox as command
from engine.sandbox.control import CONTROLS
from engine.sandbox.faults import PRESETS, Fault
from engine.sandbox.loading import date_of
from tests.sandbox.driving import ANN, BOB, Driver, drive, encoded, mail


async def test_a_delivery_bears_the_labels_asked_for(driver: Driver) -> None:
    id_ = await driver.deliver(mail(), labels="SPAM,orders/open")
    (entry,) = (await driver.look("state", mailbox=ANN))["messages"]
    assert entry == {"id": id_, "threadId": id_, "labels": ["SPAM", "orders/open"], "messageId": ""}


@pytest.mark.parametrize(
    ("imported", "kind"),
    [("0", "messagesAdded"), ("1", "messagesImported"), ("new", "messagesImportedNew")],
)
async def test_a_delivery_can_be_an_import(driver: Driver, imported: str, kind: str) -> None:
    start = await driver.cursor()
    await driver.deliver(mail(), imported=imported)
    assert kind in (await driver.history(start))[0]


async def test_a_delivery_tells_its_history_id(driver: Driver) -> None:
    response = await driver.http.post("/_sandbox/deliver", params={"mailbox": ANN}, content=mail())
    assert response.json()["historyId"] == await driver.cursor()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("deliver", 404, id="a delivery to nobody"),
        pytest.param("deliver?mailbox=nobody@x", 404, id="a delivery to a stranger"),
        pytest.param(f"deliver?mailbox={ANN}&imported=2", 400, id="an unknown kind of import"),
        pytest.param("load", 404, id="a load into nothing"),
        pytest.param("mailboxes", 400, id="a mailbox without a name"),
        pytest.param("expire-history", 404, id="an expiry of nothing"),
        pytest.param("faults", 400, id="faults without JSON"),
        pytest.param("nothing", 404, id="an unknown control"),
    ],
)
async def test_a_wrong_control_call_is_refused(driver: Driver, path: str, status: int) -> None:
    assert (await driver.http.post(f"/_sandbox/{path}")).status_code == status


async def test_a_mailbox_is_added_and_its_status_set(driver: Driver) -> None:
    await driver.control("mailboxes", {"mailbox": "New@acme.example"})
    await driver.control("mailboxes", {"mailbox": "new@acme.example", "status": "suspended"})
    assert (await driver.get("/profile", "new@acme.example"))["status"] == "suspended"
    wrong = await driver.http.post("/_sandbox/mailboxes", json={"mailbox": ANN, "status": "lost"})
    assert wrong.status_code == 400


async def test_a_reset_begins_anew(driver: Driver) -> None:
    await driver.deliver(mail())
    await driver.post("/messages/send", {"raw": encoded(mail(to="out@else.example"))})
    await driver.control("mailboxes", {"mailbox": "new@acme.example"})
    await driver.control("reset")
    assert (await driver.look("state", mailbox=ANN))["messages"] == []
    assert (await driver.look("outbox"))["messages"] == []
    assert (await driver.look("calls"))["operations"] == {}
    assert (await driver.call("GET", "/profile")).status_code == 401
    assert (await driver.http.get("/_sandbox/state?mailbox=new@acme.example")).status_code == 404


async def test_calls_are_counted(driver: Driver) -> None:
    await driver.get("/messages")
    await driver.call("GET", "/messages?maxResults=x")
    calls = await driver.look("calls")
    assert (calls["operations"], calls["rates"]) == ({"list_emails": 2}, {"MEDIUM": 2})


async def test_an_archive_is_delivered(driver: Driver, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for n in range(120):
            archive.writestr(f"{n:03}.eml", mail(f"{n}", Date="Fri, 20 Mar 2020 10:00:00 +0000"))
    start = await driver.cursor(BOB)
    answer = await driver.control("load", {"mailbox": BOB, "path": str(tmp_path / "a.zip")})
    assert answer == {"loaded": 120, "errors": []}
    records = await driver.history(start, BOB, maxResults=500)
    assert [set(record) for record in records] == [{"id", "messagesAdded"}] * 120
    newest = (await driver.get("/messages", BOB, maxResults=1))["messages"][0]["id"]
    shown = await driver.get(f"/messages/{newest}", BOB, format="metadata", metadataHeaders="Subject")
    assert shown["payload"]["headers"] == [{"name": "Subject", "value": "119"}]
    assert abs(int(shown["internalDate"]) / 1000 - time.time()) < 600


async def test_an_imported_archive_keeps_its_dates(driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail(Date="Fri, 20 Mar 2020 10:00:00 +0000"))
    body = {"mailbox": ANN, "path": str(tmp_path), "imported": True}
    assert (await driver.control("load", body))["loaded"] == 1
    (entry,) = (await driver.get("/messages", q="before:2020-03-21 after:2020-03-19"))["messages"]
    assert (await driver.get(f"/messages/{entry['id']}"))["internalDate"] == "1584698400000"


async def test_a_maildirs_flags_are_labels(driver: Driver, tmp_path: Path) -> None:
    folder = mailbox.Maildir(tmp_path / "mail")
    for flags in ("S", "FS", "T", ""):
        message = mailbox.MaildirMessage(mail(flags))
        message.set_flags(flags)
        message.set_subdir("cur")
        folder.add(message)
    await driver.control("load", {"mailbox": ANN, "path": str(tmp_path / "mail")})
    labels = [entry["labels"] for entry in (await driver.look("state", mailbox=ANN))["messages"]]
    assert sorted(labels) == [["INBOX"], ["INBOX", "STARRED"], ["INBOX", "UNREAD"], ["TRASH", "UNREAD"]]


async def test_a_path_that_is_not_there_is_refused(driver: Driver, tmp_path: Path) -> None:
    body = {"mailbox": ANN, "path": str(tmp_path / "none")}
    response = await driver.http.post("/_sandbox/load", json=body)
    assert (response.status_code, str(tmp_path) in response.text) == (400, True)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Fri, 20 Mar 2020 10:00:00 +0000", 1584698400000),
        ("20 Mar 2020 10:00:00", 1584698400000),
        ("Fri, 20 Mar 1920 10:00:00 +0000", 0),
        ("yesterday", None),
        ("Fri, 20 Mar 99999 10:00:00 +9999", None),
        ("", None),
    ],
)
def test_a_date_is_read_or_not(date: str, expected: int | None) -> None:
    assert date_of(mail(Date=date)) == expected


async def test_a_database_file_is_continued(tmp_path: Path) -> None:
    path = str(tmp_path / "sandbox.db")
    first = drive(database=path)
    id_ = await first.deliver(mail())
    cursor = await first.cursor()
    first.close()
    again = drive(database=path)
    try:
        assert await again.labels(id_) == {"INBOX", "UNREAD"}
        assert await again.cursor() == cursor
    finally:
        again.close()


@pytest.mark.corpus
async def test_the_whole_corpus_loads(driver: Driver, corpus: Path) -> None:
    loaded = 0
    for archive in _archives(corpus):
        answer = await driver.control("load", {"mailbox": ANN, "path": str(archive)})
        assert answer["errors"] == []
        loaded += answer["loaded"]
    assert loaded == (await driver.get("/profile"))["messagesTotal"] > 2_000


def _archives(corpus: Path) -> list[Path]:
    return sorted(corpus.glob("*/messages.zip"))


DOCUMENT = Path(__file__).parents[2] / "docs" / "sandbox.md"


def cells(title: str, table: int = 0) -> list[str]:
    """The code in the first column of a section's tables."""
    section = DOCUMENT.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [block for block in section.split("\n\n") if block.startswith("| ")][table].splitlines()
    return [code for row in rows for code in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_the_document_names_every_endpoint_and_no_other() -> None:
    assert cells("Control") == [f"{method} {name}" for method, name in CONTROLS]


def test_the_document_names_every_option_and_no_other() -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    assert set(cells("Running it")) >= options
    assert {cell for cell in cells("Running it") if cell.startswith("--")} == options


def test_the_document_names_every_fault_and_no_other() -> None:
    assert set(cells("Faults")) == set(PRESETS)
    assert set(cells("Faults", 1)) == set(Fault.model_fields) - {"operation", "times", "kind"}
