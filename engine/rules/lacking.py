"""What a condition lacks that does not hold: the least that would have to be otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import islice

from engine.errors import ConditionError
from engine.rules.addresses import AddressKinds
from engine.rules.condition import Condition
from engine.rules.evaluation import Verdict
from engine.rules.patterns import Pattern, regex
from engine.rules.people import Person
from engine.rules.quantities import SizeKinds
from engine.rules.shown import shown
from engine.rules.strict import Strict
from engine.rules.text import Text, TextKinds, fold
from engine.rules.view import View

MAX_LOOKED_AT = 20
"""Texts or addresses of which a near miss is looked for."""
MAX_NEAR = 200
"""Characters of a text, and entries of a list, that are compared for likeness."""
NEAR = 0.8
"""How alike two texts have to be to be called near."""
TOGETHER = frozenset({"attachment", "attachments", "auth", "received"})
"""Conditions beside those on texts, addresses and sizes of which every key that is given must hold."""


def lacking(condition: Condition, view: View) -> str:
    """Say what a condition lacks that does not hold, as far as `found` and `asked for` do not say it."""
    try:
        return "; ".join([*_failing(condition, view), *islice(_hints(condition, view), 1)])
    except (ConditionError, ValueError):
        return ""


def _failing(condition: Condition, view: View) -> Iterator[str]:
    """Of several keys, name those that fail by themselves."""
    kinds: Strict = condition
    if not (isinstance(kinds, TextKinds | AddressKinds | SizeKinds) or condition.key in TOGETHER):
        return
    each = {name: alone for name, alone in _alone(condition).items() if name not in ("exists", "timezone")}
    if len(each) < 2:
        return
    failing = [name for name, alone in each.items() if alone.judge(view).verdict is Verdict.NOT_MATCHED]
    dumped = condition.dump()
    if failing:
        yield f"fails {json.dumps({name: dumped[name] for name in failing}, ensure_ascii=False)}"
    else:
        yield f"{' and '.join(each)} hold, but not of one and the same"


def _alone(condition: Condition) -> dict[str, Condition]:
    """The same condition with each of its optional keys alone."""
    fields, given = type(condition).model_fields, condition.model_fields_set
    kept = {name: getattr(condition, name) for name in given if fields[name].is_required()}
    return {
        fields[name].alias or name: type(condition).model_construct(
            _fields_set={name, *kept}, **kept, **{name: getattr(condition, name)}
        )
        for name in fields
        if name in given - kept.keys() and getattr(condition, name) is not None
    }


def _hints(condition: Condition, view: View) -> Iterator[str]:
    """Say which small change, of the message or of the rule, would have made it hold."""
    kinds: Strict = condition
    if isinstance(kinds, AddressKinds):
        fields: tuple[str, ...] = getattr(kinds, "fields", ())
        for person in view.people(fields).each[:MAX_LOOKED_AT] if fields else ():
            yield from _address_hints(kinds, person)
    elif isinstance(kinds, TextKinds):
        for text in islice(_texts(condition, view), MAX_LOOKED_AT):
            yield from _text_hints(kinds, text)
    elif isinstance(kinds, SizeKinds):
        yield from _size_hints(kinds, view.message.size)


def _texts(condition: Condition, view: View) -> Iterator[Text]:
    """The texts that a condition compares: its clues say where they are."""
    for source in dict.fromkeys(clue.source for clue in condition.clues or ()):
        yield from source.texts(view)


def _text_hints(kinds: TextKinds, text: Text) -> Iterator[str]:
    if any(_ignoring_case(pattern, text) for pattern in kinds.regex or ()):
        yield "with (?i) its pattern would be found"
    yield from _near(text.raw, map(fold, kinds.is_ or ()), text.folded)


def _ignoring_case(pattern: Pattern, text: Text) -> bool:
    return regex(f"(?i){pattern.source}").search(text.exact_bytes) is not None


def _address_hints(kinds: AddressKinds, person: Person) -> Iterator[str]:
    for wanted in kinds.sets:
        above = (domain for domain in sorted(wanted.domains) if person.domain.endswith(f".{domain}"))
        yield from (f"it is a subdomain: write *.{domain}" for domain in above)
        if any(f".{person.domain}" == parent for parent in wanted.parents):
            yield f"*.{person.domain} means its subdomains alone: write {person.domain} as well"
        yield from _near(person.normal, wanted.addresses)
        yield from _near(person.domain, wanted.domains)


def _size_hints(kinds: SizeKinds, size: int) -> Iterator[str]:
    """Say how many bytes are too few or too many."""
    least = [kind.value + more for kind, more in ((kinds.gt, 1), (kinds.gte, 0), (kinds.eq, 0)) if kind]
    most = [kind.value - less for kind, less in ((kinds.lt, 1), (kinds.lte, 0), (kinds.eq, 0)) if kind]
    if least and size < max(least):
        yield f"{max(least) - size} bytes too small"
    elif most and size > min(most):
        yield f"{size - min(most)} bytes too large"


def _near(text: str, wanted: Iterable[str], compared: str = "") -> Iterator[str]:
    some = [each[:MAX_NEAR] for each in islice(sorted(wanted), MAX_NEAR)]
    if near := get_close_matches((compared or text)[:MAX_NEAR], some, n=1, cutoff=NEAR):
        yield f"{shown([text])} is near {shown(near)}"
