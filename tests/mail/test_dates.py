"""Dates of header fields and of search lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.dates import message_date, parse_date, parse_time
from engine.mail.headers import Headers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "Tue, 31 Mar 2026 09:00:00 +0200", datetime(2026, 3, 31, 7, tzinfo=UTC), id="as it should be"
        ),
        pytest.param("31 Mar 26 09:00 GMT", datetime(2026, 3, 31, 9, tzinfo=UTC), id="two digits for a year"),
        pytest.param("Tue, 31 Mar 2026 09:00:00", datetime(2026, 3, 31, 9, tzinfo=UTC), id="no zone"),
        pytest.param("Tue, 31 Mar 2026 09:00:00 +9999", None, id="a zone that is none"),
        pytest.param("Tue, 99 Mar 2026 09:00:00 +0000", None, id="a day that is none"),
        pytest.param("yesterday", None, id="words"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_reads_dates_of_mail(text: str, expected: datetime | None) -> None:
    assert parse_date(text) == expected
    assert message_date(Headers([("Date", text)])) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "2026/03/31", datetime(2026, 3, 31, tzinfo=timezone(timedelta(hours=1))), id="a day in its zone"
        ),
        pytest.param(
            "2026-03-31T09:00:00+02:00", datetime(2026, 3, 31, 7, tzinfo=UTC), id="a zone of its own"
        ),
        pytest.param("1774944000", datetime(2026, 3, 31, 8, tzinfo=UTC), id="epoch seconds"),
        pytest.param(
            "20260331", datetime(2026, 3, 31, tzinfo=timezone(timedelta(hours=1))), id="eight digits"
        ),
        pytest.param("2026/02/30", None, id="a day that is none"),
        pytest.param("9" * 5_000, None, id="more digits than Python reads"),
        pytest.param("0001-01-01T00:00:00+10:00", None, id="before the first day"),
        pytest.param("9/9/9/9", None, id="too many slashes"),
    ],
)
def test_reads_times_of_search_lines(text: str, expected: datetime | None) -> None:
    assert parse_time(text, timezone(timedelta(hours=1))) == expected


@given(st.text(max_size=40) | st.text("0123456789-/:T+Z ", max_size=30))
def test_never_raises_and_can_always_be_compared(text: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for date in (parse_date(text), parse_time(text)):
        assert date is None or (date < now) in (True, False)
        assert date is None or date.astimezone(UTC)
