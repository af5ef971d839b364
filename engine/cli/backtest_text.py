"""A backtest as a person reads it: counts first, then message, before, after."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from engine.backtest.outcome import Act, Headline, Outcome, Ran
from engine.backtest.plurals import plural
from engine.backtest.run import Report, Shown
from engine.backtest.tally import Tally
from engine.cli.words import many
from engine.rules.shown import cut, shown

MAX_UNREADABLE = 10
LONGEST_ACTION = 200
"""Characters."""


def as_lines(report: Report, limit: int) -> Iterator[str]:
    """The whole, with the first `limit` messages; 0 for all."""
    yield _heading(report)
    yield from _unreadable(report)
    yield ""
    yield from _table(report.tallies)
    if not report.shown:
        return
    compares = len(report.tallies) > 1
    yield ""
    yield many(len(report.shown), "message") + (" would change:" if compares else ":")
    for one in islice(report.shown, limit or None):
        yield ""
        yield headline(one.headline)
        yield from _changes(one) if compares else _actions(one.outcomes[0])
    if limit and len(report.shown) > limit:
        yield ""
        yield f"and {len(report.shown) - limit} more; --limit 0 shows all"


def _heading(report: Report) -> str:
    if not report.messages:
        return "no messages"
    days = (datetime.fromtimestamp(at / 1000, UTC) for at in (report.first, report.last))
    return f"{many(report.messages, 'message')}, {' to '.join(f'{day:%Y-%m-%d}' for day in days)}"


def _unreadable(report: Report) -> Iterator[str]:
    if report.unreadable:
        yield f"{many(len(report.unreadable), 'file')} could not be read:"
        yield from (f"  {name}: {why}" for name, why in report.unreadable[:MAX_UNREADABLE])
    if len(report.unreadable) > MAX_UNREADABLE:
        yield f"  and {len(report.unreadable) - MAX_UNREADABLE} more"


Rows = list[tuple[str, tuple[int, ...]]]
"""A name, and how many of it in the version before (if there is one) and in this one."""


def _table(tallies: Sequence[Tally]) -> Iterator[str]:
    versions = list(reversed(tallies))
    rows: Rows = _counted(versions, lambda tally: tally.actions, plural)
    rows += [("held", tuple(tally.held for tally in versions))]
    rows += [("undecided", tuple(tally.undecided for tally in versions))]
    labels: Rows = _counted(versions, lambda tally: tally.added, "+{}".format)
    labels += _counted(versions, lambda tally: tally.removed, "-{}".format)
    rules: Rows = _counted(versions, lambda tally: tally.rules, str)
    shadows: Rows = _counted(versions, lambda tally: tally.shadows, str)
    parts = {"actions": rows, "labels": labels, "rules": rules, "in shadow": shadows}
    yield from _columns(parts, compares=len(versions) > 1)


def _counted(
    versions: Sequence[Tally], read: Callable[[Tally], Counter[str]], named: Callable[[str], str]
) -> Rows:
    names = sorted({name for tally in versions for name in read(tally)})
    return [(named(name), tuple(read(tally)[name] for tally in versions)) for name in names]


def _columns(parts: dict[str, Rows], *, compares: bool) -> Iterator[str]:
    width = max(len(name) for rows in parts.values() for name, _ in rows) + 2
    for title, rows in parts.items():
        if not rows:
            continue
        yield f"{title:<{width}}   before    after" if compares else title
        for name, counts in rows:
            change = counts[-1] - counts[0]
            yield (
                f"  {name:<{width}}"
                + "".join(f"{count:>7,}  " for count in counts).rstrip()
                + (f"  {change:>+7,}" if change else "")
            )


def headline(of: Headline) -> str:
    """One line by which a person knows the message."""
    when = datetime.fromtimestamp(of.at / 1000, UTC)
    sender = shown([of.sender])[1:-1] if of.sender else "nobody"
    return f"{shown([of.name])[1:-1]}  {when:%Y-%m-%d %H:%M}  {sender}  {shown([of.subject])}"


def _actions(outcome: Outcome) -> Iterator[str]:
    yield from (f"    {line}" for line in _lines(outcome))


def _changes(one: Shown) -> Iterator[str]:
    """The lines that only one version has."""
    after, before = (list(_lines(outcome)) for outcome in one.outcomes)
    yield from (f"  - {line}" for line in before if line not in after)
    yield from (f"  + {line}" for line in after if line not in before)
    if set(before) == set(after):
        yield "    the same, in another order"


def _lines(outcome: Outcome) -> Iterator[str]:
    for ran in outcome.runs:
        acts = [_act(act) for act in ran.acts]
        yield from (f"{ran.rule}: {act}" for act in acts or ["matches"])
    for ran in outcome.shadows:
        acts = [_act(act) for act in ran.acts]
        yield from (f"{ran.rule} (in shadow): {act}" for act in acts or ["matches"])
    yield from (f"{rule}: cannot be judged: {why}" for rule, why in outcome.undecided)


def _act(act: Act) -> str:
    ((key, settings),) = act.shown.items()
    said = cut(json.dumps(settings, ensure_ascii=False), LONGEST_ACTION)
    line = key if settings in (True, None) else f"{key} {said}"
    return f"{line} (held: {act.held})" if act.held else line


def as_dicts(report: Report) -> Iterator[dict[str, Any]]:
    """The same for machines: the counts, then a line for each message."""
    after, *before = (tally.as_dict() for tally in report.tallies)
    yield {
        "messages": report.messages,
        "first": _time(report.first),
        "last": _time(report.last),
        "unreadable": [{"message": name, "error": why} for name, why in report.unreadable],
        "shown": len(report.shown),
        "after": after,
        **({"before": before[0]} if before else {}),
    }
    for one in report.shown:
        then, *earlier = one.outcomes
        yield {
            "message": one.headline.name,
            "received": _time(one.headline.at),
            "from": one.headline.sender,
            "subject": one.headline.subject,
            **({"before": _outcome(earlier[0])} if earlier else {}),
            "after": _outcome(then),
        }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    done: dict[str, Any] = {
        "runs": [_run(ran) for ran in outcome.runs],
        "labels": {"add": list(outcome.add), "remove": list(outcome.remove)},
    }
    if outcome.shadows:
        done["shadow"] = [_run(ran) for ran in outcome.shadows]
    return done | ({"undecided": [rule for rule, _ in outcome.undecided]} if outcome.undecided else {})


def _run(ran: Ran) -> dict[str, Any]:
    run: dict[str, Any] = {"rule": ran.rule, "actions": [dict(act.shown) for act in ran.acts]}
    held = next((act.held for act in ran.acts if act.held), "")
    return run | ({"held": held} if held else {})


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds") if at else ""
