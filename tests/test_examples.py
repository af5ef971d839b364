"""The examples in rules/ and templates/: they load, their tests pass, and the sample mail sets each off."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.mail.address import Address
from engine.mail.compose import Outgoing, compose
from engine.mail.events import Event, EventKind
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.rules.effects import SaveDraft, SendMessage
from engine.rules.evaluate import evaluate
from engine.rules.evaluation import Evaluation
from engine.rules.loader import RuleSet, load_rules, read_sources
from engine.rules.testing import misused, run_tests
from engine.sandbox.samples import sample_messages
from engine.templating.folder import read_folder
from engine.templating.library import Context, Library, load_templates
from engine.templating.sampling import sample_faults

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CALLED = {"order-shipped"}
"""Templates for other systems, by API and command, which no rule uses."""
SUPPORT, SALES = "support@acme.example", "sales@acme.example"


@pytest.fixture(scope="module")
def library() -> Library:
    return load_templates(read_folder(ROOT / "templates"))


@pytest.fixture(scope="module")
def rules(library: Library) -> RuleSet:
    return load_rules(read_sources(ROOT / "rules"), {name: library.needs(name) for name in library.names})


def mailboxes(message: Message) -> list[str]:
    """Where a sample is delivered: to each of our mailboxes that it names, else to support."""
    named = {address.normal for field in ("To", "Cc", "Delivered-To") for address in message.addresses(field)}
    return [mailbox for mailbox in (SUPPORT, SALES) if mailbox in named] or [SUPPORT]


def judged(rules: RuleSet) -> list[tuple[Message, Evaluation]]:
    found = []
    for name, raw in sample_messages():
        for mailbox in mailboxes(from_raw(raw, key=name)):
            message = from_raw(
                raw, key=name, mailbox=mailbox, labels=frozenset({"INBOX", "UNREAD"}), received=NOW
            )
            event = Event(EventKind.MESSAGE_RECEIVED, mailbox, 1, name)
            found.append((message, evaluate(rules, event, message, NOW, final=True)))
    return found


def test_the_rules_pass_their_own_tests_without_a_warning(rules: RuleSet) -> None:
    assert [str(result.error) for result in run_tests(rules) if not result.passed] == []
    assert rules.warnings == ()
    assert all(rule.tests for rule in rules.rules)


def test_templates_are_used_as_they_declare(rules: RuleSet, library: Library) -> None:
    assert misused(rules, library) == []
    assert {use.template for use in rules.template_uses} == library.names - CALLED


def test_templates_show_well_with_their_sample_data(library: Library) -> None:
    assert [str(fault) for fault in sample_faults(library)] == []
    assert all(library.entry(name).sample for name in library.names if library.entry(name).inputs)


def test_the_sample_mail_sets_every_rule_off(rules: RuleSet) -> None:
    matched = Counter(match.rule for _, found in judged(rules) for match in found.matches)
    timed = {rule.id for rule in rules.rules if rule.event.unanswered_s or rule.event.scheduled}
    assert timed == {"nobody-answered", "leads-gone-cold"}
    assert {rule.id for rule in rules.rules} - matched.keys() == timed


def test_every_sample_can_be_judged_but_for_what_is_encrypted(rules: RuleSet) -> None:
    left = {message.key: message.encrypted for message, found in judged(rules) if found.undecided}
    assert left
    assert all(left.values())


def test_every_mail_that_the_samples_set_off_can_be_written(rules: RuleSet, library: Library) -> None:
    written = Counter[str]()
    for message, found in judged(rules):
        for match in found.matches:
            for effect in match.effects:
                if isinstance(effect, SendMessage | SaveDraft):
                    write(library, message, effect, dict(match.captures))
                    written[effect.template] += 1
    gathered = {use.template for use in rules.template_uses if use.items is not None}
    assert written.keys() == library.names - CALLED - gathered


def write(
    library: Library, message: Message, effect: SendMessage | SaveDraft, captures: dict[str, str]
) -> None:
    context = Context(
        message=message, inputs=effect.inputs, captures=captures, mailbox=message.mailbox, now=NOW
    )
    rendered = library.render(effect.template, context)
    assert rendered.subject
    assert rendered.text.strip()
    assert "<script" not in rendered.html
    raw = compose(
        Outgoing(
            from_=Address(rendered.from_name, message.mailbox),
            to=(Address("", "somebody@customer.example"),),
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            message_id="<1.postroom@acme.example>",
            date=NOW,
            headers=rendered.headers,
            files=rendered.files,
        )
    )
    assert raw.isascii()
