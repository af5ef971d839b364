"""Redacted messages: as long as the real ones, of the same parts, judged alike, and nobody's."""

from __future__ import annotations

import base64
import io
import os
import re
import zipfile
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.archive import read_archive
from engine.mail.events import Event, EventKind
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.record.compare import Recorded, record
from engine.record.kept import Kept, literal_words
from engine.record.redact import redact
from engine.record.words import Words
from engine.rules.loader import load_rules, read_sources
from engine.rules.ruleset import RuleSet
from engine.sandbox.samples import sample_messages
from tests.growth import is_linear
from tests.rules.making import rules

ROOT = Path(__file__).parent.parent.parent
CORPUS = Path(os.environ.get("POSTROOM_CORPUS") or ROOT.parent / "shared" / "corpus")
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
NOTHING = Kept()
EXAMPLES = load_rules(read_sources(ROOT / "rules"), None)


def read(raw: bytes) -> Message:
    return from_raw(raw, key="k", labels=frozenset({"INBOX", "UNREAD"}), received=NOW)


def recorded(raw: bytes, ruleset: RuleSet) -> Recorded:
    return record(raw, ruleset, read(raw), Event(EventKind.MESSAGE_RECEIVED, "", 0, "k"), NOW)


def ruleset(*conditions: str) -> RuleSet:
    lines = [f"- {{id: r{at}, when: {when}, then: [archive: true]}}" for at, when in enumerate(conditions)]
    return rules("rules:\n" + "\n".join(lines))


def mail(subject: str = "x", body: str = "", **fields: str) -> bytes:
    head = {"From": "Ann Baker <ann.baker@partner.example>", "Subject": subject, **fields}
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in head.items()]
    return ("".join(lines) + "\r\n" + body).encode()


def test_the_same_word_is_the_same_everywhere_and_says_nothing() -> None:
    raw = mail("Ann wrote", "Dear ANN,\r\nann.baker@partner.example is me, Ann Baker.\r\n")
    other = redact(raw, NOTHING)
    assert len(other) == len(raw)
    assert not re.search(rb"(?i)ann|baker|partner|dear|wrote", other)
    message = read(other)
    (sender,) = message.addresses("From")
    first = sender.name.split()[0]
    assert message.subject.split()[0] == first
    assert f"{first.upper()}," in message.text
    assert f"{sender.address} " in message.text


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(mail("=?utf-8?B?SsO8cmdlbiBNw7xsbGVyIHdyaXRlcw==?="), id="an encoded word in base64"),
        pytest.param(mail("=?iso-8859-1?Q?J=FCrgen_M=FCller_writes?= Jane"), id="an encoded word in letters"),
        pytest.param(mail("Jürgen Müller writes"), id="plain UTF-8"),
        pytest.param(
            mail(
                "x",
                "J=FCrgen writes=\r\n again",
                Content_Type="text/plain; charset=latin1",
                Content_Transfer_Encoding="quoted-printable",
            ),
            id="quoted-printable",
        ),
        pytest.param(
            mail(
                "x",
                base64.encodebytes("Jürgen writes again and again, as Jane does".encode()).decode(),
                Content_Type="text/plain; charset=utf-8",
                Content_Transfer_Encoding="base64",
            ),
            id="base64",
        ),
        pytest.param(
            mail(
                "x",
                "<p title='Jane'>J&uuml;rgen &#87;rites<br>again</p><script>jane()</script>",
                Content_Type="text/html",
            ),
            id="HTML",
        ),
        pytest.param(
            mail("x", Content_Type="text/plain; name*=utf-8''J%C3%BCrgen%20writes.txt"),
            id="an encoded file name",
        ),
        pytest.param(
            mail(
                "x",
                Content_Type='text/plain; name="Jane writes.txt"',
                Received="from jane by rite.example; Sun, 01 Mar 2026 09:00:00 +0000",
            ),
            id="a file name and a trace",
        ),
        pytest.param(
            mail("x", mail("Jane writes", "Jane again").decode(), Content_Type="message/rfc822"),
            id="a message within",
        ),
        pytest.param(
            b"From jane@x.example Sun Mar  1 09:00:00 2026\n" + mail("Jane writes"), id="out of an mbox"
        ),
        pytest.param(mail("Jane writes").replace(b"\r\n", b"\r"), id="lines that end with CR"),
        pytest.param(
            mail("x", "Jane writes", Content_Type="text/plain; charset=utf-16"),
            id="a charset that is not there",
        ),
        pytest.param(
            mail("x", "J$ane=writes==again", Content_Transfer_Encoding="base64"), id="broken base64"
        ),
    ],
)
def test_nothing_personal_is_left_under_any_encoding(raw: bytes) -> None:
    other = redact(raw, NOTHING)
    assert len(other) == len(raw)
    before, after = read(raw), read(other)
    assert after.headers.names == before.headers.names
    assert len(after.subject) == len(before.subject)
    assert [file.size for file in after.attachments] == [file.size for file in before.attachments]
    told = "\n".join(
        [other.decode("latin-1"), after.subject, after.text, *(file.name for file in after.attachments)]
    )
    assert not re.search(r"(?i)j.{0,6}rgen|jane|writes|rites|again|ann|baker|partner", told)


@pytest.mark.parametrize(
    ("when", "raw", "stays"),
    [
        pytest.param("{subject: {contains: invoice}}", mail("Your Invoice 12"), "Invoice", id="a part"),
        pytest.param("{subject: {starts_with: your}}", mail("Your Invoice 12"), "Your", id="a start"),
        pytest.param("{subject: your invoice}", mail("Your Invoice"), "Your Invoice", id="a whole text"),
        pytest.param("{subject: {glob: '*voice ?2'}}", mail("My invoice 12"), "voice", id="a glob"),
        pytest.param(
            "{subject: {regex: '(?i)order\\s+#?(?P<n>\\d{5})'}}",
            mail("Re: Order 48211 x"),
            "Order",
            id="a pattern",
        ),
        pytest.param("{from: '@partner.example'}", mail(), "partner.example", id="a domain"),
        pytest.param("{from: {domain: '*.example'}}", mail(), "example", id="a domain above"),
        pytest.param("{from: {name: {contains: baker}}}", mail(), "Baker", id="a display name"),
        pytest.param(
            "{body: {contains: 'terms of use'}}",
            mail("x", "our terms\r\nof use"),
            "",
            id="a part over two lines",
        ),
        pytest.param(
            "{body: {contains: unsubscribe}}", mail("x", "to unsubscribe, go"), "unsubscribe", id="the text"
        ),
        pytest.param(
            "{body: {contains: abmelden}}",
            mail("x", "<b>ab</b>melden", Content_Type="text/html"),
            "",
            id="HTML",
        ),
        pytest.param(
            "{attachment: {name: {contains: bill}}}",
            mail("x", "x", Content_Type='text/plain; name="my-bill-7.txt"'),
            "bill",
            id="a file name",
        ),
        pytest.param(
            "{list_id: dev.lists.example}",
            mail(List_Id="Dev <dev.lists.example>"),
            "dev.lists.example",
            id="a list",
        ),
        pytest.param(
            "{query: 'subject:invoice from:ann'}", mail("My Invoice"), "Invoice", id="a search line"
        ),
        pytest.param("{query: '\"see you\"'}", mail("x", "See you at noon"), "See you", id="words in a row"),
        pytest.param("{header: {name: X-Kind, is: Ann}}", mail(X_Kind="ann"), "ann", id="another header"),
    ],
)
def test_words_of_rules_stay_where_a_condition_compared_them(when: str, raw: bytes, stays: str) -> None:
    made = recorded(raw, ruleset(when))
    assert made.faithful
    assert len(made.raw) == len(raw)
    if stays:
        assert made.matched == ("r0",)
        assert stays.encode() in made.raw


@pytest.mark.parametrize(
    ("name", "value", "stays"),
    [
        pytest.param(
            "Date",
            "Tue, 03 Mar 2026 10:00:00 +0000 (Anns Laptop)",
            "Tue, 03 Mar 2026 10:00:00 +0000",
            id="a date",
        ),
        pytest.param(
            "Received",
            "from a.example by b.example; Tue, 03 Mar 2026 10:00:00 +0000 (Anns Laptop)",
            "; Tue, 03 Mar 2026 10:00:00 +0000",
            id="the date of a hop",
        ),
        pytest.param("MIME-Version", "1.0 (Anns mailer 7.2)", "1.0", id="a version"),
        pytest.param("Content-Transfer-Encoding", "7bit (by Anns server)", "7bit", id="an encoding"),
    ],
)
def test_what_stands_in_brackets_behind_a_fixed_value_is_replaced(name: str, value: str, stays: str) -> None:
    raw = f"{name}: {value}\r\n\r\nhello\r\n".encode()
    made = redact(raw, NOTHING)
    assert len(made) == len(raw)
    assert stays.encode() in made
    assert not any(word in made for word in (b"Anns", b"Laptop", b"mailer", b"server"))


def test_words_of_rules_stay_nowhere_else() -> None:
    raw = mail("Your invoice", "invoice of Ann, see partner.example")
    made = recorded(
        raw, ruleset("{subject: {contains: invoice}}", "{to: '@partner.example'}", "{body: {contains: bill}}")
    )
    assert made.faithful
    assert made.raw.count(b"invoice") == 1
    assert b"partner" not in made.raw


def test_what_cannot_be_redacted_is_said() -> None:
    raw = mail("x", "hello", Content_Type="application/x; name=a.bin", Content_Transfer_Encoding="base64")
    digest = read(raw).attachments[0].sha256
    made = recorded(raw, ruleset(f"{{attachment: {{sha256: {digest}}}}}"))
    assert (made.faithful, made.differing) == (False, ("r0",))


def packed() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("word/document.xml", "Jane writes")
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"%PDF-1.4\n%Jane writes", id="PDF"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDRJane writes", id="PNG"),
        pytest.param(packed(), id="DOCX"),
        pytest.param(
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"Jane" * 99 + "WordDocument\0".encode("utf-16-le"),
            id="DOC",
        ),
        pytest.param(b"<!doctype html><p>Jane writes", id="HTML"),
        pytest.param(b"Jane writes", id="nothing that is known"),
    ],
)
def test_a_file_looks_like_its_type_and_holds_nothing(data: bytes) -> None:
    text = base64.encodebytes(data).decode()
    raw = mail(
        "x", text, Content_Type="application/octet-stream; name=a.bin", Content_Transfer_Encoding="base64"
    )
    (before,), (after,) = read(raw).attachments, read(redact(raw, NOTHING)).attachments
    assert (after.size, after.sniffed) == (before.size, before.sniffed)
    assert after.sha256 != before.sha256
    assert base64.b64encode(b"Jane")[:5] not in redact(raw, NOTHING)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"(?i)\border\s*#?(?P<order>\d{5})\b", ("order",)),
        (r"(invoice|rechnung)\D*?(?P<n>(INV-)?\d+)", ("INV", "invoice", "rechnung")),
        (r"no-?reply", ("no", "reply")),
        (r"colou?r", ("colo", "colour", "r")),
        (r"[abc]{3}", ("3",)),
    ],
)
def test_a_pattern_spells_words(pattern: str, words: tuple[str, ...]) -> None:
    assert set(words) <= set(literal_words(pattern))


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text(max_size=20), max_size=30))
def test_words_keep_their_length_and_different_words_stay_different(texts: list[str]) -> None:
    words = Words()
    made = [words.redact(text, (), "utf-8") for text in texts]
    assert [len(each.encode("utf-8", "surrogatepass")) for each in made] == [
        len(each.encode("utf-8", "surrogatepass")) for each in texts
    ]
    assert [words.redact(text, (), "utf-8") for text in texts] == made
    plain = {text for text in texts if text.isascii() and text.isalpha() and len(text) < 60}
    assert len({words.redact(text.lower(), (), "utf-8") for text in plain}) == len(
        {text.lower() for text in plain}
    )


@settings(max_examples=150, deadline=None)
@given(
    raw=st.binary(max_size=400)
    | st.lists(
        st.sampled_from(
            [
                b"Content-Type: multipart/mixed; boundary=b\n",
                b"\n",
                b"--b\n",
                b"--b--\n",
                b"=?utf-8?Q?a=",
                b"?=",
                b"\r\n",
                b"Content-Transfer-Encoding: base64\n",
                b"QUJD",
                b"=41",
                b"<a href=",
                b"&#65;",
                b"Subject: ",
                b"\xc3\xbc",
                b" x",
                b"From ",
            ]
        ),
        max_size=20,
    ).map(b"".join)
)
def test_whatever_the_bytes_are_their_number_stays(raw: bytes) -> None:
    assert len(redact(raw, NOTHING)) == len(raw)
    assert len(redact(raw, Kept(EXAMPLES))) == len(raw)


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(b"a", id="one word without end"),
        pytest.param("字".encode(), id="one run of ideographs"),
        pytest.param(b"=?utf-8?Q?a?= ", id="encoded words"),
        pytest.param(b"=?utf-8?Q?a", id="encoded words that never end"),
        pytest.param(b"; a=b", id="parameters"),
        pytest.param(b'; name="', id="parameters that never end"),
        pytest.param(b"<", id="open tags"),
        pytest.param(b"<a b='", id="open attributes"),
        pytest.param(b"&#65;", id="references"),
        pytest.param(b"invoice order ", id="words of rules"),
        pytest.param(b"re: ", id="prefixes"),
    ],
)
@pytest.mark.parametrize("kind", ["text/html", "text/plain"])
def test_redacting_takes_time_in_proportion(piece: bytes, kind: str) -> None:
    kept = Kept(ruleset("{subject: {contains: [invoice, order]}}", "{body: {regex: 'inv.*ice'}}"))

    def work(count: int) -> None:
        head = b"Subject: " + piece * count + b"\nContent-Type: " + kind.encode() + piece * count
        redact(head + b"\n\n" + piece * count, kept)

    assert is_linear(work, 200)


VOWELS = re.compile(r"[a-z]*[aeiou][a-z]*", re.I)


def spoken(message: Message) -> set[str]:
    """Words that somebody may have written: in a subject, a name, an address, a text, a file name."""
    people = [each for name in ("From", "To", "Cc", "Reply-To") for each in message.addresses(name)]
    texts = [
        message.subject,
        message.text,
        *(each.name for each in people),
        *(each.address for each in people),
    ]
    return {word.lower() for text in texts for word in VOWELS.findall(text) if len(word) > 4}


def check_against_the_examples(name: str, raw: bytes) -> None:
    made = recorded(raw, EXAMPLES)
    assert made.faithful, (name, made.differing, made.structure)
    assert len(made.raw) == len(raw), name
    real, other = read(raw), read(redact(raw, NOTHING))
    assert (other.size, [file.size for file in other.attachments]) == (
        real.size,
        [file.size for file in real.attachments],
    ), name
    assert spoken(other) & spoken(real) - PUBLIC == set(), name


PUBLIC = {
    "mailer",
    "daemon",
    "postmaster",
    "mail",
    "undisclosed",
    "mailerdaemon",
    "maildaemon",
    "mdaemon",
    "auto",
    "automatic",
    "reply",
    "response",
    "responder",
    "office",
    "undeliverable",
    "undelivered",
    "delivery",
    "failure",
    "failed",
    "problem",
    "system",
    "returned",
    "notice",
    "status",
    "notification",
    "report",
    "error",
    "message",
    "could",
    "delivered",
    "automatische",
    "antwort",
    "abwesenheitsnotiz",
    "abwesenheitsnachricht",
    "ponse",
    "doorst",
    "automatique",
    "respuesta",
    "autom",
    "tica",
    "risposta",
    "automatica",
    "resposta",
    "automatisch",
    "antwoord",
    "automatiskt",
    "svar",
    "automatyczna",
    "odpowied",
    "autoreply",
    "fail",
}
"""Words by which automatic mail and answers are told, which are nobody's."""


def test_the_samples_are_recorded_faithfully() -> None:
    for name, raw in sample_messages():
        check_against_the_examples(name, raw)


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the outside mail corpus is not there")
def test_real_mail_is_recorded_faithfully_and_holds_no_word_of_anybody() -> None:
    for archive in sorted(CORPUS.glob("*/messages.zip")):
        for one in islice(read_archive(archive), 0, None, 10):
            if not one.error:
                check_against_the_examples(one.name, one.raw)
