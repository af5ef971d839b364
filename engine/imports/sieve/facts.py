"""Tests of Sieve that are no plain comparison of texts, as conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

from engine.imports.sieve.catalog import EXTENSIONS
from engine.imports.sieve.checked import Call
from engine.imports.sieve.cond import FALSE, TRUE, Cond, Const, all_of, any_of, leaf, negated
from engine.imports.sieve.expression import Untranslatable
from engine.imports.sieve.kinds import NUMERIC, Comparison, Kinds, one_or_many
from engine.imports.sieve.known import compare, matches_of
from engine.imports.sieve.values import Matched

_FIELD_NAME = re.compile(r"[!-9;-~]{1,200}", re.ASCII)
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
PROTON_THRESHOLD = "vnd.proton.spam-threshold"
SPAM = "SPAM"
OTHERS: Mapping[str, str] = {
    "virustest": "the mail service does not tell of viruses",
    "metadata": "mailboxes have no metadata here",
    "metadataexists": "mailboxes have no metadata here",
    "servermetadata": "the server has no metadata here",
    "servermetadataexists": "the server has no metadata here",
    "mailboxidexists": "labels are known by name alone",
    "valid_ext_list": "there are no external lists",
    "valid_notify_method": "there are no notifications to people",
    "notify_method_capability": "there are no notifications to people",
}


def header_condition(name: str) -> Callable[[Kinds], Cond]:
    """Make what asks a header field's texts; one that no message can have is never there."""
    if not _FIELD_NAME.fullmatch(name):
        return lambda _kinds: FALSE
    if name.lower() == "subject":
        return lambda kinds: leaf({"subject": kinds})
    return lambda kinds: leaf({"header": {"name": name, **kinds}})


def header_exists(name: str) -> Cond:
    return header_condition(name)({"exists": True})


def size(test: Call) -> Cond:
    limit = test.given[0]
    number = 0 if limit is None or not hasattr(limit, "value") else limit.value
    for unit, name in ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB")):
        if number and number % unit == 0:
            written = f"{number // unit}{name}"
            break
    else:
        written = f"{number}B"
    return leaf({"size": {"gt" if "over" in test.tags else "lt": written}})


def constant(test: Call) -> Cond:
    """Translate what does not look at the message. Raises Untranslatable."""
    if test.name == "size":
        return size(test)
    if test.name in ("mailboxexists", "specialuse_exists"):
        return TRUE  # a label is made when it is first put on
    if test.name == "ihave":
        return Const(all(name in EXTENSIONS for name in test.texts(0)))
    raise Untranslatable(OTHERS.get(test.name, "has no equivalent"))


def counted(names: Iterable[str], asked: Comparison) -> Cond:
    """Ask how often a header field is there, where that means whether. Raises Untranslatable."""
    fits = [any(_related(count, asked.relation, key) for key in asked.keys) for count in (0, 1, 2, 3, 10**6)]
    if all(fits) or not any(fits):
        return Const(fits[0])
    if len(set(fits[1:])) > 1:
        raise Untranslatable("how often a header field is there (':count') is not asked, only whether")
    there = any_of(header_exists(name) for name in names)
    return there if fits[1] else negated(there)


def _related(count: int, relation: str, key: str) -> bool:
    asked = Comparison("value", NUMERIC, (key,), relation)
    return compare(str(count), asked)


def environment(item: str, asked: Comparison, matched: Matched) -> tuple[Cond, Matched]:
    """Ask the server's surroundings: known is what Proton tells of its spam filter."""
    if item.lower() != PROTON_THRESHOLD:
        raise Untranslatable(f"'{item}' of the server's surroundings is not known")
    threshold = "10"
    if not compare(threshold, asked):
        return FALSE, matched
    return TRUE, matches_of(threshold, asked) or matched


def spam_score(asked: Comparison, highest: int) -> Cond:
    """Take the label SPAM for the highest score, and its absence for "not tested" (RFC 5235, section 2.1)."""
    if asked.match == "count":
        raise Untranslatable("':count' of a score")
    spam, other = compare(str(highest), asked), compare("0", asked)
    if spam == other:
        return Const(spam)
    labelled = leaf({"label": SPAM})
    return labelled if spam else negated(labelled)


def arrival(asked: Comparison, part: str, test: Call) -> Cond:
    """Ask when the message arrived, which is when the script would have run. Raises Untranslatable."""
    zone = _zone(test)
    part = part.lower()
    if part == "weekday":
        return _received(zone, weekday=[DAYS[day] for day in range(7) if compare(str(day), asked)], of=7)
    if part == "hour":
        hours = [hour for hour in range(24) if compare(f"{hour:02}", asked)]
        return _received(zone, between=[f"{hour:02}:00-{hour + 1:02}:00" for hour in hours], of=24)
    if part in ("date", "year", "iso8601"):
        return any_of(_in_span(asked, part, key, zone) for key in asked.keys)
    raise Untranslatable(f"the '{part}' of a time is not compared; year, date, weekday and hour are")


def _received(zone: Mapping[str, str], *, of: int, **members: list[str]) -> Cond:
    ((kind, values),) = members.items()
    if len(values) in (0, of):
        return Const(bool(values))
    return leaf({"received": {kind: one_or_many(values), **zone}})


_EDGES: Mapping[str, tuple[tuple[str, int], ...]] = {
    "ge": (("after", 0),),
    "gt": (("after", 1),),
    "lt": (("before", 0),),
    "le": (("before", 1),),
    "eq": (("after", 0), ("before", 1)),
}
"""By relation: which edges of the day or year bound the time; 1 is the end of it."""


def _in_span(asked: Comparison, part: str, key: str, zone: Mapping[str, str]) -> Cond:
    relation = "eq" if asked.match == "is" else asked.relation if asked.match == "value" else ""
    begin = _begin(part, key)
    if begin is None or relation not in (*_EDGES, "ne"):
        raise Untranslatable(f"'{key}' is no {part} to compare with by this")
    if relation == "ne":
        return negated(_in_span(Comparison("is", asked.comparator, ()), part, key, zone))
    bounds = {edge: (_after(part, begin) if late else begin).isoformat() for edge, late in _EDGES[relation]}
    return leaf({"received": {**bounds, **zone}})


def _begin(part: str, key: str) -> date | None:
    try:
        return date(int(key), 1, 1) if part == "year" else date.fromisoformat(key)
    except ValueError:
        return None


def _after(part: str, begin: date) -> date:
    return date(begin.year + 1, 1, 1) if part == "year" else begin + timedelta(days=1)


def _zone(test: Call) -> dict[str, str]:
    """Give the time zone of a test as a name; none is the mailbox's own. Raises Untranslatable."""
    offset = test.tag_text("zone")
    if not offset:
        return {}
    found = re.fullmatch(r"([+-])(\d\d)00", offset, re.ASCII)
    if found is None:
        raise Untranslatable(f"'{offset}' is no time zone of whole hours")
    hours = int(found[2])
    sign = "-" if found[1] == "+" else "+"
    return {"timezone": f"Etc/GMT{sign}{hours}" if hours else "UTC"}


def duplicate(test: Call, told: Mapping[str, tuple[str, ...]]) -> Cond:
    """Ask whether the same came before (RFC 7352). Raises Untranslatable."""
    if "uniqueid" in test.tags:
        raise Untranslatable("':uniqueid' is made of variables; write it as a template of the rule's own")
    header = next(iter(told["header"]), "")
    name = next(iter(told["handle"]), "")
    seconds = test.tag_number("seconds")
    condition = {
        "by": {"header": header} if header else "message_id",
        "within": f"{seconds}s" if seconds else "7d",
        **({"last": True} if "last" in test.tags else {}),
        **({"name": name} if name else {}),
    }
    return leaf({"duplicate": condition})


def null_sender() -> Cond:
    return leaf({"header": {"name": "Return-Path", "is": ["<>", ""]}})


def envelope_sender(people: Callable[[Callable[[Kinds], Cond]], Cond]) -> Cond:
    """Ask Return-Path, where the last server wrote the sender down; without an address there, Sender or From.

    So Pigeonhole reads stored mail as well.
    """
    path = people(lambda kinds: leaf({"address": {"header": "Return-Path", **kinds}}))
    sender = people(lambda kinds: leaf({"sender": kinds}))
    told = leaf({"address": {"header": "Return-Path", "glob": "*@*"}})
    return any_of([path, all_of([negated(told), sender])])
