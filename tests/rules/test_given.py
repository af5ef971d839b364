"""What tests of rules can say of the mailbox, of the time and of what the server found."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from engine.rules.home import Home, Homes
from engine.rules.testing import Checked, examine

RULE = """rules:
  - id: r
    mailboxes: [box@x.example]
    when: %s
    then: [{archive: true}]
    tests:
      - name: the case
        %s
        expect: {%s}
"""
OFFICE = "{received: {between: 08:00-18:00}}"
PASSED = "{auth: {dmarc: pass}}"
FIXTURE = (
    "Received: from y by mx.x.example; Sun, 1 Mar 2026 17:30:00 +0000\n"
    "Authentication-Results: mx.x.example; dmarc=pass\n"
    "Date: Sat, 28 Feb 2026 12:00:00 +0000\nSubject: x\n\nx\n"
)


def checked(when: str, given: str, expect: str = "matched: true", homes: Homes | None = None) -> Checked:
    sources = {"r.yaml": RULE % (when, given, expect), "f.eml": FIXTURE}
    return examine(sources, None, homes or Homes())


@pytest.mark.parametrize(
    ("when", "given", "wanted"),
    [
        pytest.param(OFFICE, "given: {date: 2026-03-02T17:30}", "true", id="UTC by default"),
        pytest.param(
            OFFICE,
            "given: {date: 2026-03-02T17:30Z, timezone: Europe/Berlin}",
            "false",
            id="a zone of its own",
        ),
        pytest.param(
            OFFICE,
            "given: {date: 2026-03-02T17:30, timezone: Asia/Tokyo}",
            "true",
            id="in which dates are read",
        ),
        pytest.param(OFFICE, "given: {fixture: f.eml}", "true", id="a fixture came when its server says"),
        pytest.param(OFFICE, "given: {fixture: f.eml, timezone: Europe/Berlin}", "false", id="where it came"),
        pytest.param(OFFICE, "now: 2026-03-02T20:00", "false", id="a message came just now"),
        pytest.param(
            "{received: {newer_than: 1h}}", "fixture: f.eml", "true", id="a fixture is judged at once"
        ),
        pytest.param(
            "{received: {older_than: 3d}}",
            "fixture: f.eml\n        now: 2026-03-05T12:00",
            "true",
            id="or at a given time",
        ),
        pytest.param(PASSED, "given: {auth: {dmarc: pass, spf: fail}}", "true", id="results"),
        pytest.param(PASSED, "given: {auth: {dmarc: fail}}", "false", id="other results"),
        pytest.param(
            PASSED, "given: {fixture: f.eml, authserv_id: MX.x.example}", "true", id="a fixture's own results"
        ),
        pytest.param(PASSED, "fixture: f.eml", "false", id="of a server that nobody named"),
        pytest.param(
            "{attachment: {sha256: %s}}" % ("ab" * 32),
            "given: {attachments: [{name: a, sha256: %s}]}" % ("AB" * 32),
            "true",
            id="a digest",
        ),
    ],
)
def test_a_test_supplies_what_its_rule_reads(when: str, given: str, wanted: str) -> None:
    assert checked(when, given, f"matched: {wanted}").errors == ()


def test_the_configuration_holds_where_a_test_says_nothing() -> None:
    tokyo = Homes({"box@x.example": Home(ZoneInfo("Asia/Tokyo"), frozenset({"mx.x.example"}))})
    assert checked(OFFICE, "given: {date: 2026-03-02T17:30Z}", "matched: false", tokyo).errors == ()
    assert checked(PASSED, "fixture: f.eml", "matched: true", tokyo).errors == ()
    assert checked(PASSED, "given: {auth: {dmarc: pass}}", "matched: true", tokyo).errors == ()


SEALED = "given: {headers: {X-Zoom-Encryption: s=Server}, body: x}"


def test_what_cannot_be_judged_can_be_expected() -> None:
    assert checked("{body: {contains: x}}", SEALED, "undecided: true").errors == ()
    (error,) = checked("{body: {contains: x}}", SEALED).errors
    assert "could not be judged: body: body cannot be read: encrypted" in str(error)
    (error,) = checked("{body: {contains: x}}", "given: {body: x}", "undecided: true").errors
    assert "undecided: wanted True, got False" in str(error)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param("{auth: pass}", "must be a map such as {spf: pass", id="no map"),
        pytest.param("{auth: {dmark: pass}}", "unknown method 'dmark'; did you mean 'dmarc'?", id="a method"),
        pytest.param(
            "{auth: {dkim: passed}}", "unknown result 'passed'; did you mean 'pass'?", id="a result"
        ),
        pytest.param("{timezone: Berlin}", "did you mean 'Europe/Berlin'?", id="a zone"),
        pytest.param("{fixture: f.eml, auth: {spf: pass}}", "a fixture brings its own 'auth'", id="both"),
    ],
)
def test_a_mistake_is_named(given: str, said: str) -> None:
    (error,) = checked(OFFICE, f"given: {given}").errors
    assert said in str(error)
    assert error.place.line == 8
