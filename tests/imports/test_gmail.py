"""Gmail's exports as rules."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import quoteattr

import pytest

from engine.errors import Place, RuleError
from engine.imports.canonical import as_yaml
from engine.imports.filters import Filter, search_line
from engine.imports.gmail import import_gmail
from engine.imports.outcome import Imported
from tests.rules.making import judge, make_message, matched, rules

HEAD = "<?xml version='1.0' encoding='UTF-8'?>\n<feed xmlns='http://www.w3.org/2005/Atom'"
HEAD += " xmlns:apps='http://schemas.google.com/apps/2006'>\n"


def export(*filters: dict[str, str]) -> bytes:
    entries = (
        "<entry>\n"
        + "".join(f"<apps:property name='{name}' value={quoteattr(value)}/>" for name, value in one.items())
        for one in filters
    )
    return (HEAD + "".join(f"{entry}</entry>\n" for entry in entries) + "</feed>").encode()


def imported(**properties: str) -> Imported:
    return import_gmail(export(properties), "mailFilters.xml")


@pytest.mark.parametrize(
    ("properties", "line"),
    [
        pytest.param({"from": "ann@x.example"}, "from:ann@x.example", id="a sender"),
        pytest.param(
            {"to": "a@x.example OR b@x.example"}, "to:(a@x.example OR b@x.example)", id="one of two"
        ),
        pytest.param({"subject": "a b", "from": "x"}, "from:x subject:(a b)", id="two fields"),
        pytest.param({"hasTheWord": "a OR b"}, "a OR b", id="words alone are a search"),
        pytest.param(
            {"hasTheWord": "a OR b", "from": "x"},
            "from:x (a OR b)",
            id="words beside a field are kept together",
        ),
        pytest.param({"hasTheWord": "a", "doesNotHaveTheWord": "b c"}, "a -{b c}", id="none of these words"),
        pytest.param({"from": "x", "doesNotHaveTheWord": "b"}, "from:x -b", id="not this word"),
        pytest.param({"from": "x", "doesNotHaveTheWord": "b OR c"}, "from:x -(b OR c)", id="neither of two"),
        pytest.param(
            {"from": "x", "hasAttachment": "true"}, "from:x has:attachment", id="with an attachment"
        ),
        pytest.param(
            {"from": "x", "size": "5", "sizeOperator": "s_sl", "sizeUnit": "s_smb"},
            "from:x larger:5M",
            id="larger than",
        ),
        pytest.param(
            {"from": "x", "size": "7", "sizeOperator": "s_ss", "sizeUnit": "s_sb"},
            "from:x smaller:7",
            id="smaller than",
        ),
        pytest.param(
            {"from": "x", "sizeOperator": "s_sl", "sizeUnit": "s_smb"}, "from:x", id="no size was asked for"
        ),
        pytest.param(
            {"subject": "Notice: your post"},
            'subject:("Notice:" your post)',
            id="a word that ends in a colon is no field",
        ),
    ],
)
def test_criteria_become_a_search_line(properties: dict[str, str], line: str) -> None:
    (rule,) = imported(**properties, shouldStar="true").rules
    assert rule["when"] == {"query": line}


@pytest.mark.parametrize(
    ("properties", "then"),
    [
        pytest.param({"label": "A/B"}, [{"label": {"add": ["A/B"]}}], id="a label"),
        pytest.param({"shouldArchive": "true"}, [{"archive": True}], id="out of the inbox"),
        pytest.param({"shouldTrash": "true", "shouldArchive": "true"}, [{"trash": True}], id="to the trash"),
        pytest.param(
            {"shouldMarkAsRead": "true", "shouldStar": "true"},
            [{"mark": {"starred": True, "read": True}}],
            id="marks",
        ),
        pytest.param(
            {"shouldNeverMarkAsImportant": "true"}, [{"mark": {"important": False}}], id="never important"
        ),
        pytest.param(
            {"smartLabelToApply": "^smartlabel_promo"},
            [{"label": {"add": ["CATEGORY_PROMOTIONS"]}}],
            id="a category",
        ),
        pytest.param(
            {"label": "A", "shouldArchive": "false"}, [{"label": {"add": ["A"]}}], id="what is switched off"
        ),
    ],
)
def test_actions(properties: dict[str, str], then: list[Any]) -> None:
    found = imported(**{"from": "x@y.example"}, **properties)
    assert found.losses == ()
    assert found.rules[0]["then"] == then
    assert rules(as_yaml(found.rules))


def test_all_filters_apply_to_a_message() -> None:
    raw = export(
        {"from": "ann", "label": "A"}, {"subject": "order", "label": "B"}, {"subject": "other", "label": "C"}
    )
    ruleset = rules(as_yaml(import_gmail(raw, "f.xml").rules))
    mail = make_message(("From", "ann@x.example"), ("Subject", "Order 7"))
    assert matched(judge(ruleset, mail)) == ["f-a", "f-b"]


def test_mail_that_is_never_spam_leaves_spam() -> None:
    ruleset = rules(as_yaml(imported(**{"from": "ann", "label": "A", "shouldNeverSpam": "true"}).rules))
    spam = make_message(("From", "ann@x.example"), labels=["SPAM"])
    assert judge(ruleset, spam).labels.add == ("A", "INBOX")
    assert judge(ruleset, spam).labels.remove == ("SPAM",)
    assert judge(ruleset, make_message(("From", "ann@x.example"))).labels.add == ("A",)


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        pytest.param(
            {"from": "x", "shouldFly": "true"},
            "the property 'shouldFly' is not known",
            id="an unknown property",
        ),
        pytest.param(
            {"hasTheWord": "nosuch:field", "label": "A"}, "cannot be asked", id="an unknown operator"
        ),
        pytest.param({"label": "A"}, "it looks for nothing", id="no criteria"),
        pytest.param(
            {"from": "x", "smartLabelToApply": "^smartlabel_odd"},
            "the category 'odd'",
            id="an unknown category",
        ),
        pytest.param({"from": "x", "label": "/"}, "'label': ", id="a label that there cannot be"),
    ],
)
def test_what_is_lost_is_named_with_its_line(properties: dict[str, str], said: str) -> None:
    found = imported(**properties)
    assert any(str(loss).startswith("mailFilters.xml:3:") and said in loss.what for loss in found.losses)


BOMB = """<!DOCTYPE feed [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><feed>&b;</feed>"""


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        pytest.param(b"no xml", "f.xml:1:1: is not XML", id="no XML"),
        pytest.param(BOMB.encode(), "has a document type", id="a bomb of entities"),
        pytest.param(b"<feed>&a;</feed>", "is not XML: undefined entity", id="an entity that nobody defines"),
        pytest.param(b"<a>" * 1000, "is nested deeper", id="nested too deep"),
        pytest.param(HEAD.encode() + b"</feed>", "holds no filters", id="no filters"),
        pytest.param(b"<a>" + b" " * 40_000_000, "is larger than", id="too large"),
    ],
)
def test_what_is_no_export_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(RuleError) as raised:
        import_gmail(raw, "f.xml")
    assert said in str(raised.value)


def test_a_line_is_written_from_what_is_given() -> None:
    assert search_line(Filter(Place("f"), {"from": " "}, attachment=True)) == "has:attachment"
