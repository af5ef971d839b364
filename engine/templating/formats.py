"""Filters that write dates, numbers and money as people of a language and a place do (Unicode CLDR)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates, numbers
from babel.core import Locale
from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from engine.templating.inputs import as_date
from engine.templating.limits import BUDGET, LimitError
from engine.templating.locales import locale_of

FORMATS = "#formats"
"""Where a context keeps its Formats: no name that a template can write."""
WIDTHS = frozenset({"short", "medium", "long", "full"})
MAX_PATTERN = 60
STEPS = 20
"""What writing one date or number costs: some 20 microseconds."""
MAX_DIGITS = 10
DATE_CODES = frozenset("aAbBdmYyHIMSpjZz%")
ENGLISH = Locale("en")


@dataclass(frozen=True, slots=True)
class Formats:
    """The language and the time zone of a rendering; None leaves times in the zone that they came with."""

    locale: Locale = ENGLISH
    zone: tzinfo | None = None


def _date(formats: Formats, value: Any, form: str = "%Y-%m-%d %H:%M", **chosen: str) -> str:
    """Write a day: by strftime's codes, by a width (`long`), or by a pattern of CLDR (`d MMMM y`)."""
    if "%" in form:
        return _coded(_in_zone(formats, value, chosen), form)
    return _written(formats, value, form, chosen, dates.format_date, dates.format_datetime)


def _datetime(formats: Formats, value: Any, form: str = "medium", **chosen: str) -> str:
    return _written(formats, value, form, chosen, dates.format_datetime, dates.format_datetime)


def _time(formats: Formats, value: Any, form: str = "short", **chosen: str) -> str:
    if value and not isinstance(_moment(value), datetime):
        raise LimitError("asks for the time of a day alone")
    return _written(formats, value, form, chosen, dates.format_time, dates.format_datetime)


def _written(
    formats: Formats,
    value: Any,
    form: str,
    chosen: dict[str, str],
    by_width: Callable[..., str],
    by_pattern: Callable[..., str],
) -> str:
    if len(form) > MAX_PATTERN:
        raise LimitError(f"uses a date pattern of more than {MAX_PATTERN} characters")
    moment = _in_zone(formats, value, chosen)
    if moment is None:
        return ""
    locale = _locale(formats, chosen)
    write = by_width if form in WIDTHS else by_pattern
    return write(moment, form, locale=locale)


def _in_zone(formats: Formats, value: Any, chosen: dict[str, str]) -> date | None:
    """Take a moment to the zone asked for, else to the rendering's; a day alone has none."""
    if isinstance(value, Undefined):
        str(value)  # strict: raises and names what is missing
    if not value:
        return None
    moment = _moment(value)
    zone = _zone(chosen["zone"]) if "zone" in chosen else formats.zone
    if not isinstance(moment, datetime) or zone is None:
        return moment
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone)


def _moment(value: Any) -> date:
    """Take a moment, or the text of one such as JSON brings (ISO 8601)."""
    try:
        return as_date(value)
    except ValueError:
        raise LimitError("writes something as a date that is none") from None


def _coded(value: date | None, form: str) -> str:
    """Write by strftime's codes; glibc's field widths (`%9999d`) are not let through."""
    codes = form.replace("%%", "").split("%")[1:]
    if any(code[:1] not in DATE_CODES for code in codes):
        raise LimitError("uses a date code that is not known")
    return value.strftime(form) if value else ""


def _money(formats: Formats, value: Any, currency: str, **chosen: str) -> str:
    """Write an amount in a currency by its three letters (ISO 4217)."""
    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise LimitError("names a currency by other than three capital letters, such as EUR")
    return numbers.format_currency(_amount(value), currency, locale=_locale(formats, chosen))


def _number(formats: Formats, value: Any, digits: int | None = None, **chosen: str) -> str:
    amount = _amount(value)
    if digits is None:
        return numbers.format_decimal(amount, locale=_locale(formats, chosen))
    places = "0" * min(max(digits, 0), MAX_DIGITS)
    pattern = "#,##0" + (f".{places}" if places else "")
    return numbers.format_decimal(amount, format=pattern, locale=_locale(formats, chosen))


def _percent(formats: Formats, value: Any, **chosen: str) -> str:
    return numbers.format_percent(_amount(value), locale=_locale(formats, chosen))


def _amount(value: Any) -> Decimal:
    """A number, or a text of one such as a capture brings: never through a float, which would round money."""
    if isinstance(value, Undefined):
        str(value)
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if not text or len(text) > 30 or not text.lstrip("+-").replace(".", "", 1).isdecimal():
        raise LimitError("writes something as a number that is none")
    return Decimal(text)


def _locale(formats: Formats, chosen: dict[str, str]) -> Locale:
    if "locale" not in chosen:
        return formats.locale
    found = locale_of(str(chosen["locale"])[:30])
    if found is None:
        raise LimitError("names a language that is not known")
    return found


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name[:60])
    except (LookupError, ValueError, OSError):
        raise LimitError("names a time zone that is not known; write it as in Europe/Berlin") from None


def _formatting(function: Callable[..., str]) -> Callable[..., str]:
    @pass_context
    def filtered(context: Context, *args: Any, **kwargs: Any) -> str:
        if not kwargs.keys() <= {"zone", "locale", "form", "digits", "currency"}:
            raise LimitError("takes `zone` and `locale` only")
        context.parent[BUDGET].spend(STEPS)
        return function(context.parent.get(FORMATS, Formats()), *args, **kwargs)

    return filtered


FORMATTING: dict[str, Callable[..., str]] = {
    "date": _formatting(_date),
    "datetime": _formatting(_datetime),
    "time": _formatting(_time),
    "money": _formatting(_money),
    "number": _formatting(_number),
    "percent": _formatting(_percent),
}
