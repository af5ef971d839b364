"""The vacation responder: its settings, and whom it answers."""

from __future__ import annotations

import time
from typing import Any

import pytest

from engine.mail.headers import Headers, parse_headers
from engine.sandbox.sanitizing import sanitized
from tests.sandbox.driving import ANN, BOB, Driver, decoded, encoded, mail

ON = {"enableAutoReply": True, "responseSubject": "Away:", "responseBodyPlainText": "Back <soon>."}
DAY = 86_400
NOON = int(time.time())


@pytest.fixture
def away(driver: Driver) -> Driver:
    """A sandbox whose clock stands still."""
    driver.sandbox.store.clock = lambda: float(NOON)
    return driver


async def put(driver: Driver, mailbox: str = ANN, **settings: Any) -> dict[str, Any]:
    response = await driver.call("PUT", "/settings/vacation", mailbox, json=ON | settings)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def replies(driver: Driver) -> list[str]:
    """Whom the responder has answered outside."""
    return [left["to"][0] for left in (await driver.look("outbox"))["messages"]]


def later(driver: Driver, seconds: float) -> None:
    driver.sandbox.store.clock = lambda: NOON + seconds


async def test_a_new_mailbox_answers_nobody(driver: Driver) -> None:
    settings = await driver.get("/settings/vacation")
    assert settings == {
        "enableAutoReply": False,
        "enableAlwaysRespond": False,
        "restrictToContacts": False,
        "restrictToDomain": False,
        "responseSubject": "",
        "responseBodyPlainText": "",
        "responseBodyHtml": "",
    }


async def test_settings_are_kept_and_shown_with_both_forms_of_time(driver: Driver) -> None:
    start = await driver.cursor()
    wanted: dict[str, Any] = {
        "enableAlwaysRespond": True,
        "restrictToContacts": True,
        "restrictToDomain": True,
        "startTime": "1704268800000",
        "endTimeISO": "2024-01-12T07:59:59.000Z",
    }
    answer = await put(driver, **wanted)
    assert answer == await driver.get("/settings/vacation")
    assert answer.items() >= (ON | wanted).items()
    assert answer["startTimeISO"] == "2024-01-03T08:00:00.000Z"
    assert answer["endTime"] == "1705046399000"
    await put(driver, **wanted)
    (record,) = await driver.history(start)
    assert record["settingsUpdated"] == [{"type": "vacation"}]


async def test_a_put_replaces_all(driver: Driver) -> None:
    await put(driver, startTime="1704268800000", restrictToDomain=True)
    answer = await put(driver)
    assert "startTime" not in answer
    assert answer["restrictToDomain"] is False


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"enableAutoReply": "yes"}, id="a switch that is no boolean"),
        pytest.param({"enableAutoReply": True}, id="a responder with nothing to say"),
        pytest.param({"enableAutoReply": True, "responseSubject": " "}, id="a blank subject"),
        pytest.param({"enableAutoReply": False, "responseSubject": 7}, id="a subject that is no text"),
        pytest.param(ON | {"responseBodyPlainText": "x" * 100_001}, id="a text too long"),
        pytest.param(ON | {"startTime": "soon"}, id="a time as words"),
        pytest.param(ON | {"startTime": 5}, id="a time as a number"),
        pytest.param(ON | {"startTime": "9" * 15}, id="a time beyond all"),
        pytest.param(ON | {"startTimeISO": "tomorrow"}, id="an ISO time as words"),
        pytest.param(ON | {"startTimeISO": "0001-01-01T00:00:00+14:00"}, id="a time before all"),
        pytest.param(ON | {"startTimeISO": "1969-01-01"}, id="a time before 1970"),
        pytest.param(ON | {"startTime": "2000", "endTime": "2000"}, id="an end that does not follow"),
        pytest.param(ON | {"restrictToDomain": 1}, id="a restriction as a number"),
    ],
)
async def test_wrong_settings_are_refused(driver: Driver, body: dict[str, Any]) -> None:
    start = await driver.cursor()
    assert (await driver.call("PUT", "/settings/vacation", json=body)).status_code == 400
    assert await driver.cursor() == start


async def test_an_answer_is_a_proper_automatic_reply(away: Driver) -> None:
    await put(away)
    await away.deliver(mail("Lunch?", message_id="<1@x>"))
    (left,) = (await away.look("outbox"))["messages"]
    headers: Headers = parse_headers(decoded(left["raw"]))
    assert (left["to"], left["from"], left["id"]) == (["zoe@partner.example"], ANN, "")
    assert headers.text("Subject") == "Away: Lunch?"
    assert headers.text("Auto-Submitted") == "auto-replied"
    assert headers.text("In-Reply-To") == headers.text("References") == "<1@x>"
    assert b"Back &lt;soon&gt;." in decoded(left["raw"])
    assert len((await away.look("state", mailbox=ANN))["messages"]) == 1


async def test_html_wins_over_plain_text_and_is_cleaned(away: Driver) -> None:
    answer = await put(away, responseBodyHtml="<p onclick=x>Ciao<script>x</script></p>", responseSubject="")
    assert answer["responseBodyHtml"] == "<p>Ciao</p>"
    await away.deliver(mail("Lunch?"))
    (left,) = (await away.look("outbox"))["messages"]
    raw = decoded(left["raw"])
    assert b"Ciao" in raw
    assert b"Back" not in raw
    assert parse_headers(raw).text("Subject") == "Auto: Lunch?"


async def test_a_correspondent_is_answered_once_in_four_days(away: Driver) -> None:
    await put(away)
    for seconds in (0, 1, 4 * DAY - 1, 4 * DAY, 4 * DAY + 1, 8 * DAY - 1, 8 * DAY):
        later(away, seconds)
        await away.deliver(mail())
    ats = [left["at"] // 1000 - NOON for left in (await away.look("outbox"))["messages"]]
    assert ats == [0, 4 * DAY, 8 * DAY]


async def test_correspondents_are_told_apart_but_not_by_case_or_name(away: Driver) -> None:
    await put(away)
    for sender in ("a@x.example", "A B <A@X.example>", "b@x.example", "a@x.example"):
        await away.deliver(mail(sender=sender))
    assert await replies(away) == ["a@x.example", "b@x.example"]


async def test_everybody_is_answered_always_when_told_to(away: Driver) -> None:
    await put(away, enableAlwaysRespond=True)
    for _ in range(3):
        await away.deliver(mail())
    assert len(await replies(away)) == 3
    await put(away)
    await away.deliver(mail())
    assert len(await replies(away)) == 3


@pytest.mark.parametrize(
    ("settings", "answered"),
    [
        pytest.param({"startTime": str(NOON * 1000)}, True, id="from the start on"),
        pytest.param({"startTime": str(NOON * 1000 + 1)}, False, id="before the start"),
        pytest.param({"endTime": str(NOON * 1000)}, False, id="at the end"),
        pytest.param({"endTime": str(NOON * 1000 + 1)}, True, id="before the end"),
        pytest.param({"enableAutoReply": False}, False, id="switched off"),
    ],
)
async def test_it_answers_in_its_time(away: Driver, settings: dict[str, Any], answered: bool) -> None:
    await put(away, **settings)
    await away.deliver(mail())
    assert bool(await replies(away)) is answered


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(mail(Auto_Submitted="auto-replied"), id="an automatic answer"),
        pytest.param(mail(Auto_Submitted="auto-generated"), id="a notification"),
        pytest.param(mail(List_Id="<l.x.example>"), id="a list"),
        pytest.param(mail(Precedence="bulk"), id="bulk mail"),
        pytest.param(mail(Return_Path="<>"), id="a null sender"),
        pytest.param(mail(sender="MAILER-DAEMON@x.example"), id="a bounce"),
        pytest.param(mail(sender="no-reply@x.example"), id="an address that nobody reads"),
        pytest.param(mail(sender=ANN), id="itself"),
        pytest.param(mail(sender="anna@acme.example"), id="its alias"),
        pytest.param(mail(to="team@acme.example"), id="mail to a group"),
        pytest.param(mail(to="x@else.example"), id="mail that does not name it"),
        pytest.param(mail(sender="nobody"), id="a sender without an address"),
        pytest.param(b"To: ann@acme.example\r\n\r\n", id="no sender at all"),
        pytest.param(b"", id="no message at all"),
    ],
)
async def test_it_keeps_silent_towards(away: Driver, raw: bytes) -> None:
    profile = {"mailbox": ANN, "aliases": ["anna@acme.example"], "groupEmails": ["team@acme.example"]}
    await away.control("mailboxes", profile)
    await put(away)
    await away.deliver(raw)
    assert await replies(away) == []
    assert len((await away.look("state", mailbox=ANN))["messages"]) == 1


async def test_mail_to_an_alias_is_answered(away: Driver) -> None:
    await away.control("mailboxes", {"mailbox": ANN, "aliases": ["anna@acme.example"]})
    await put(away)
    await away.deliver(mail(to="Anna <ANNA@acme.example>"))
    assert await replies(away) == ["zoe@partner.example"]


async def test_the_return_path_is_answered(away: Driver) -> None:
    await put(away)
    await away.deliver(mail(Return_Path="<zoe.back@partner.example>"))
    assert await replies(away) == ["zoe.back@partner.example"]


@pytest.mark.parametrize("params", [{"labels": "SPAM"}, {"imported": "new"}, {"imported": "1"}])
async def test_spam_and_imports_are_not_answered(away: Driver, params: dict[str, str]) -> None:
    await put(away)
    await away.deliver(mail(), **params)
    assert await replies(away) == []


async def test_two_who_are_away_do_not_answer_each_other_for_ever(away: Driver) -> None:
    for mailbox in (ANN, BOB):
        await put(away, mailbox, enableAlwaysRespond=True)
    await away.post("/messages/send", {"raw": encoded(mail(sender=ANN, to=BOB))})
    counts = [len((await away.look("state", mailbox=box))["messages"]) for box in (ANN, BOB)]
    assert counts == [2, 1]


async def test_outsiders_are_not_answered_when_restricted_to_the_domain(away: Driver) -> None:
    await put(away, restrictToDomain=True)
    await away.deliver(mail())
    await away.deliver(mail(sender="carl@acme.example"))
    assert await replies(away) == ["carl@acme.example"]


async def test_strangers_are_not_answered_when_restricted_to_contacts(away: Driver) -> None:
    await put(away, restrictToContacts=True)
    await away.post("/messages/send", {"raw": encoded(mail(to="known@x.example", sender=ANN))})
    await away.deliver(mail(sender="stranger@x.example"))
    await away.deliver(mail(sender="known@x.example"))
    await away.deliver(mail(sender=BOB))
    assert await replies(away) == ["known@x.example", "known@x.example"]
    assert len((await away.look("state", mailbox=BOB))["messages"]) == 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("a < b & c", "a &lt; b &amp; c", id="plain text"),
        pytest.param("<B>x</B><br/>", "<b>x</b><br>", id="plain elements"),
        pytest.param("<font size=7>x</font>", "x", id="an element that goes"),
        pytest.param("<style>p{}</style><p>x", "<p>x", id="an element with what it holds"),
        pytest.param('<a href="javascript:x">y</a>', "<a>y</a>", id="a script in a link"),
        pytest.param(
            '<a href="https://x.example/?a&amp;b" onclick=z>y</a>',
            '<a href="https://x.example/?a&amp;b">y</a>',
            id="a link",
        ),
        pytest.param("<scr<script>ipt>x", "ipt&gt;x", id="tags within tags"),
        pytest.param("&lt;script&gt;", "&lt;script&gt;", id="what is escaped stays so"),
    ],
)
def test_html_is_cleaned(source: str, expected: str) -> None:
    assert sanitized(source) == expected
