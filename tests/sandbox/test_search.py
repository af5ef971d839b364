"""Search lines over a mailbox."""

from __future__ import annotations

import pytest

from engine.sandbox import listing
from tests.sandbox.driving import Driver, mail

PDF = (
    "--b\r\nContent-Type: application/pdf\r\n"
    "Content-Disposition: attachment; filename=order.pdf\r\n\r\nx\r\n--b--\r\n"
)


async def fill(driver: Driver) -> dict[str, str]:
    mixed = {"Content_Type": "multipart/mixed; boundary=b"}
    return {
        await driver.deliver(raw, labels=labels): name
        for name, raw, labels in (
            ("plain", mail("Order 7", "The quick fox.\r\n", message_id="<1@x>"), "INBOX,UNREAD"),
            ("read", mail("Hello", sender="bob@other.example", message_id="<2@x>"), "INBOX,orders/open"),
            ("pdf", mail("Invoice", PDF, message_id="<3@x>", **mixed), "INBOX,STARRED"),
            ("large", mail("Big", "x" * 3000, message_id="<4@x>"), "STARRED"),
            ("spam", mail("Win", message_id="<5@x>"), "SPAM"),
            ("trash", mail("Old", message_id="<6@x>"), "TRASH"),
        )
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", {"plain", "read", "pdf", "large"}),
        ("from:bob@other.example", {"read"}),
        ("from:other.example OR fox", {"read", "plain"}),
        ("fox", {"plain"}),
        ("subject:order", {"plain"}),
        ("is:unread", {"plain"}),
        ("-is:unread in:inbox", {"read", "pdf"}),
        ("label:orders/open", {"read"}),
        ("label:Orders-Open", {"read"}),
        ("{label:starred label:orders-open}", {"read", "pdf", "large"}),
        ("label:starred in:inbox", {"pdf"}),
        ("label:nowhere", set()),
        ("has:attachment", {"pdf"}),
        ("filename:order.pdf", {"pdf"}),
        ("larger:2K", {"large"}),
        ("smaller:2K is:starred", {"pdf"}),
        ("rfc822msgid:<2@x>", {"read"}),
        ("rfc822msgid:2@x", {"read"}),
        ("rfc822msgid:5@x", set()),
        ("rfc822msgid:5@x in:anywhere", {"spam"}),
        ("in:trash", {"trash"}),
        ("in:anywhere", {"plain", "read", "pdf", "large", "spam", "trash"}),
        ("after:2001-01-01T00:00:00Z", {"plain", "read", "pdf", "large"}),
        ("before:2001-01-01", set()),
        ("after:2001-01-01 before:2002-01-01", set()),
    ],
)
async def test_a_line_finds(driver: Driver, line: str, expected: set[str]) -> None:
    names = await fill(driver)
    found = (await driver.get("/messages", q=line))["messages"]
    assert {names[entry["id"]] for entry in found} == expected


async def test_spam_and_trash_are_found_when_included(driver: Driver) -> None:
    names = await fill(driver)
    found = (await driver.get("/messages", q="rfc822msgid:6@x", includeSpamTrash="true"))["messages"]
    assert [names[entry["id"]] for entry in found] == ["trash"]


async def test_a_search_goes_on_where_it_stopped(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "SEARCHED", 3)
    wanted = [await driver.deliver(mail("needle" if n % 4 == 0 else "hay")) for n in range(12)][::4]
    found, token, pages = [], "", 0
    while True:
        page = await driver.get("/messages", q="subject:needle", pageToken=token)
        found += [entry["id"] for entry in page["messages"]]
        token, pages = page.get("nextPageToken", ""), pages + 1
        if not token:
            break
    assert found == wanted[::-1]
    assert pages == 4
