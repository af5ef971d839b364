"""Run the tests that stand beside the rules, by the function that judges in production."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Protocol

from engine.errors import Place, RuleError
from engine.mail.dates import arrival
from engine.mail.events import Event
from engine.mail.headers import Headers, parse_headers
from engine.mail.message import ALONE, Attachment, Conversation, Message
from engine.mail.mime import from_raw
from engine.mail.needs import Needs
from engine.rules.effects import ChangeLabels
from engine.rules.evaluate import evaluate
from engine.rules.evaluation import Evaluation, Match
from engine.rules.expected import Expect
from engine.rules.findings import RuleErrors, in_order
from engine.rules.given_home import auth_field, local
from engine.rules.given_message import Given, GivenAttachment, GivenThread, State
from engine.rules.home import NOWHERE, Home, Homes
from engine.rules.loader import fixture_name, load_rules
from engine.rules.memory import Ledger, Memory
from engine.rules.ruleset import PlacedTest, Rule, RuleSet

KEY = "test"
SOME_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When a test takes place that names no time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test of a rule; it passed when there are no problems."""

    rule: str
    name: str
    place: Place
    problems: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.problems

    @property
    def error(self) -> RuleError:
        said = "; ".join(self.problems)
        return RuleError(f"test of '{self.rule}' failed: {self.name}: {said}", self.place)


@dataclass(frozen=True, slots=True)
class Checked:
    """A rule set that was loaded and tested; `ruleset` is None when it must not be used."""

    ruleset: RuleSet | None
    errors: tuple[RuleError, ...]
    warnings: tuple[RuleError, ...] = ()
    results: tuple[Outcome, ...] = ()


class Templates(Protocol):
    """What rules want to know of templates."""

    @property
    def names(self) -> frozenset[str]: ...

    def needs(self, name: str) -> Needs: ...

    def check(
        self,
        name: str,
        inputs: Mapping[str, str],
        place: Place,
        captures: tuple[frozenset[str], frozenset[str]] | None = None,
        items: frozenset[str] | None = None,
    ) -> list[RuleError]:
        """List what is wrong with a rule's use of a template.

        `captures` are possible ones, and sure ones; `items` is what each item of a summary tells.
        """
        ...


def check_ruleset(
    sources: Mapping[str, str], templates: Templates | None, homes: Homes = NOWHERE
) -> list[RuleError]:
    """List what keeps a rule set out of use: errors in its files, in its use of templates, failed tests."""
    return list(examine(sources, templates, homes).errors)


def examine(sources: Mapping[str, str], templates: Templates | None, homes: Homes = NOWHERE) -> Checked:
    """Load rule files, hold them against the templates and run their tests."""
    known = None if templates is None else {name: templates.needs(name) for name in templates.names}
    try:
        ruleset = load_rules(sources, known, homes)
    except RuleErrors as found:
        return Checked(None, found.errors, found.warnings)
    results = run_tests(ruleset)
    errors = misused(ruleset, templates) + [result.error for result in results if not result.passed]
    return Checked(None if errors else ruleset, tuple(in_order(errors)), ruleset.warnings, results)


def misused(ruleset: RuleSet, templates: Templates | None) -> list[RuleError]:
    """List what is wrong in the rules' use of templates; without any, nothing is known."""
    if templates is None:
        return []
    return [
        error
        for rule in ruleset.rules
        for use in rule.templates
        for error in templates.check(
            use.template,
            use.inputs,
            use.place,
            (rule.when.possible_captures, rule.when.sure_captures),
            use.items,
        )
    ]


def run_tests(ruleset: RuleSet) -> tuple[Outcome, ...]:
    """Run every rule's tests against the whole set."""
    return tuple(run_test(ruleset, rule, test) for rule in ruleset.rules for test in rule.tests)


def run_test(ruleset: RuleSet, rule: Rule, placed: PlacedTest) -> Outcome:
    """Judge one test's message and compare what the rule did; one at rest is tested as if it acted."""
    ruleset = ruleset if rule.acts else ruleset.rehearsal
    mailbox = placed.test.message.mailbox or _first_mailbox(rule)
    home = placed.test.message.home(ruleset.homes.of(mailbox))
    given, state = placed.test.message.at_home(home), placed.test.state
    now = local(placed.test.now or _arrival(given, ruleset, placed.place.file), home)
    message = _message(given, mailbox, now, ruleset, placed.place.file, home)
    message = replace(message, _conversation=_conversation(state.thread))
    memory = _remembered(state, mailbox, now, ruleset, rule, home)
    event = _event(rule, given, message)
    evaluation = evaluate(ruleset, event, message, now, memory, final=True, home=home, awake=rule.id)
    problems = tuple(_compare(placed.test.expect, rule, evaluation))
    return Outcome(rule.id, placed.test.name, placed.place, problems)


def _event(rule: Rule, given: Given, message: Message) -> Event:
    labels = tuple(sorted(message.labels))
    return Event(rule.event, message.mailbox, 0, message.key, labels=labels, payload=given.payload)


def _remembered(
    state: State, mailbox: str, now: datetime, ruleset: RuleSet, rule: Rule, home: Home
) -> Memory:
    """Judge what came before in the same mailbox, message by message."""
    ledger = Ledger()
    came = [each.at_home(home) for each in state.earlier for _ in range(each.times.value)]
    for number, each in enumerate(came):
        if (each.mailbox or mailbox) == mailbox:
            at = each.date or now
            message = _message(each, mailbox, at, ruleset, rule.place.file, home)
            message = replace(message, key=f"{KEY}-{number}", _conversation=ALONE)
            event = _event(rule, each, message)
            judged = evaluate(
                ruleset, event, message, at, ledger.memory, final=True, home=home, awake=rule.id
            )
            ledger.add(judged.remembered)
    return ledger.memory


def _conversation(given: GivenThread) -> Conversation:
    messages = given.messages.value if given.messages else 1
    first = messages <= 1 if given.first is None else given.first
    return Conversation(first, messages, given.replied_by_us, answered=given.replied_by_us)


def _first_mailbox(rule: Rule) -> str:
    """A test that names no mailbox takes place in the first that its rule is written for."""
    names = (glob.source for glob in rule.scope)
    return next((name for name in names if not {"*", "?", "\\"} & set(name) and rule.covers(name)), "")


def _arrival(given: Given, ruleset: RuleSet, file: str) -> datetime:
    """When a message came that a test is given."""
    if given.fixture is None:
        return given.date or SOME_TIME
    return arrival(parse_headers(ruleset.fixtures[fixture_name(file, given.fixture)])) or SOME_TIME


def _message(given: Given, mailbox: str, now: datetime, ruleset: RuleSet, file: str, home: Home) -> Message:
    labels = frozenset(given.labels)
    if given.fixture is not None:
        raw = ruleset.fixtures[fixture_name(file, given.fixture)]
        came = _arrival(given, ruleset, file)
        return from_raw(raw, key=KEY, mailbox=mailbox, thread=KEY, labels=labels, received=came)
    files = tuple(_attachment(each) for each in given.attachments)
    size = sum(each.size for each in files) + len(given.body.encode(errors="replace"))
    return Message(
        key=KEY,
        mailbox=mailbox,
        thread=KEY,
        labels=labels,
        received=given.date or now,
        _headers=Headers(_fields(given, now, home)),
        _size=given.size.value if given.size else size,
        _text=given.body,
        _attachments=files,
    )


def _attachment(given: GivenAttachment) -> Attachment:
    size = given.size.value if given.size else 0
    return Attachment(given.name, given.type.lower(), size, sniffed="", sha256=given.sha256 or "")


def _fields(given: Given, now: datetime, home: Home) -> list[tuple[str, str]]:
    """Write the header out; fields given by name come last, and replace the made-up date."""
    fields = [(name, value) for name, values in given.headers.items() for value in values]
    made_up = {"From": given.from_, "Subject": given.subject, "Date": format_datetime(given.date or now)}
    made_up |= {"To": ", ".join(given.to) or None, "Cc": ", ".join(given.cc) or None}
    named = {name.lower() for name in given.headers}
    kept = [
        (name, value) for name, value in made_up.items() if value is not None and name.lower() not in named
    ]
    return ([auth_field(given.auth, home)] if given.auth else []) + kept + fields


def _compare(expect: Expect, rule: Rule, evaluation: Evaluation) -> list[str]:
    match = next((match for match in evaluation.matches if match.rule == rule.id), None)
    undecided = next((each for each in evaluation.undecided if each.rule == rule.id), None)
    if undecided is not None:
        return [] if expect.undecided else [f"could not be judged: {undecided.why}"]
    pairs = [
        ("undecided", expect.undecided, False),
        ("matched", expect.matched, match is not None),
        ("actions", _named(expect, match), _actions(match)),
        ("captures", expect.captures, dict(match.captures) if match else {}),
        ("stop", expect.stop, bool(match and match.stop)),
        ("labels", _labels_wanted(expect), _labels(match)),
    ]
    return [
        f"{key}: wanted {wanted}, got {got}"
        for key, wanted, got in (
            (key, wanted, _as_asked(wanted, got)) for key, wanted, got in pairs if wanted is not None
        )
        if wanted != got
    ]


def _named(expect: Expect, match: Match | None) -> list[Any] | None:
    if expect.actions is None:
        return None
    return [item if isinstance(item, str) else {item.key: item.dump()} for item in expect.actions]


def _actions(match: Match | None) -> list[Any]:
    return [dict(action) for action in match.actions] if match else []


def _as_asked(wanted: Any, got: Any) -> Any:
    """Show actions by name wherever the test names them."""
    if not isinstance(got, list) or not isinstance(wanted, list):
        return got
    names = [index >= len(wanted) or isinstance(wanted[index], str) for index in range(len(got))]
    return [next(iter(item)) if by_name else item for item, by_name in zip(got, names, strict=True)]


def _labels_wanted(expect: Expect) -> dict[str, list[str]] | None:
    if expect.labels is None:
        return None
    return {"add": sorted(expect.labels.add), "remove": sorted(expect.labels.remove)}


def _labels(match: Match | None) -> dict[str, list[str]]:
    add: set[str] = set()
    remove: set[str] = set()
    for effect in match.effects if match else ():
        if isinstance(effect, ChangeLabels):
            add, remove = (
                (add - {*effect.remove}) | {*effect.add},
                (remove | {*effect.remove}) - {*effect.add},
            )
    return {"add": sorted(add), "remove": sorted(remove)}
