"""Everything that reads what others wrote, by the modules that it stands for."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from xml.sax.saxutils import quoteattr

from engine.errors import PostroomError
from engine.imports.gmail import import_gmail
from engine.imports.sieve.importer import import_sieve
from engine.imports.zoom import import_zoom
from engine.mail.address import parse_addresses
from engine.mail.auth import auth_results
from engine.mail.automated import automated, cues, is_no_reply
from engine.mail.dates import arrival, parse_date, parse_time
from engine.mail.dsn import read_report
from engine.mail.encrypted import hides_subject, hides_text, is_signed
from engine.mail.headers import Headers, parse_headers
from engine.mail.markup import html_text, named_charset
from engine.mail.mbox import read_mbox
from engine.mail.mime import from_raw, parse
from engine.mail.params import media_type, parameters, part_name
from engine.mail.search import matches, parse_search
from engine.mail.search_match import words
from engine.mail.sniff import sniff
from engine.mail.transfer import decode_transfer
from engine.mail.unicode import normalize
from engine.mail.words import decode_words, tidy
from engine.record.kept import Kept
from engine.record.redact import redact
from engine.rules.captures import uses
from engine.rules.loader import load_rules
from engine.rules.patterns import glob, regex
from engine.rules.payload import read_path
from engine.rules.yaml import parse_yaml

SERVERS = frozenset({"mx.example"})
MOST = 1 << 30
APPS = "xmlns='http://www.w3.org/2005/Atom' xmlns:apps='http://schemas.google.com/apps/2006'"
In = TypeVar("In", str, bytes)


@dataclass(frozen=True)
class Reader(Generic[In]):
    """One way to read, and the modules of the package that take part."""

    modules: tuple[str, ...]
    read: Callable[[In], object]

    def __call__(self, source: In) -> None:
        """Read it, or refuse it in our own words."""
        try:
            self.read(source)
        except (PostroomError, ValueError):
            return


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _people(text: str) -> object:
    return [(one.normal, one.domain, one.local) for one in parse_addresses([text])]


def _results(text: str) -> object:
    fields = [("Authentication-Results", text), ("Authentication-Results", f"mx.example; {text}")]
    return auth_results(Headers(fields), SERVERS)


def _automated(text: str) -> object:
    names = ("From", "Subject", "Return-Path", "Content-Type", "Auto-Submitted", "Precedence")
    fields = [(name, text) for name in (*names, "X-Auto-Response-Suppress")]
    return automated(Headers(fields)), list(cues(text)), is_no_reply(text)


def _dates(text: str) -> object:
    return parse_date(text), parse_time(text), arrival(Headers([("Received", text), ("Date", text)]))


def _encrypted(text: str) -> object:
    sealed = Headers([("Content-Type", f"application/pkcs7-mime; {text}"), ("Subject", text)])
    return hides_subject(sealed), hides_text(sealed), is_signed(sealed)


def _parameters(text: str) -> object:
    named = Headers([("Content-Type", f"a/b; name={text}"), ("Content-Disposition", f"attachment{text}")])
    return media_type(text), parameters(text), parameters(f"a/b;{text}"), part_name(named)


def _headers(text: str) -> object:
    headers = parse_headers(_bytes(text)), parse_headers(b"Subject: " + _bytes(text))
    return [header.texts("Subject") for header in headers]


def _page(text: str) -> object:
    return html_text(text), html_text(f"<a {text}"), named_charset(_bytes(text))


def _search(text: str) -> object:
    return matches(parse_search(text), from_raw(b"Subject: a\n\na b c", key=""))


def _in_field(text: str) -> object:
    return parse_search(f"subject:({text})")


def _transfer(text: str) -> object:
    return [decode_transfer(_bytes(text), encoding) for encoding in ("base64", "quoted-printable")]


def _yaml(text: str) -> object:
    return parse_yaml(text, "")


def _rules(text: str) -> object:
    return load_rules({"a.yaml": text}, None)


def _rule(text: str) -> object:
    """Write a text wherever a rule takes one."""
    said = json.dumps(text)
    when = [
        *(f"{{subject: {{{kind}: {said}}}}}" for kind in ("is", "contains", "glob", "regex")),
        *(f"{{{key}: {said}}}" for key in ("from", "query", "label", "is", "attachment", said)),
        f"{{from: {{domain: {said}}}}}",
        f"{{from: {{list: {said}}}}}",
        f"{{size: {{gt: {said}}}}}",
        f"{{received: {{older_than: {said}, between: {said}, after: {said}, timezone: {said}}}}}",
        f"{{payload: {{path: {said}}}}}",
        f"{{duplicate: {{by: {{template: {said}}}}}}}",
    ]
    then = f"[{{label: {said}}}, {{reply: {{template: {said}, with: {{a: {said}}}, once_per: {said}}}}}]"
    lists = f"lists: {{a: [{said}], b: {said}}}\n"
    return _rules(f"{lists}rules:\n- {{id: {said}, when: {{any: [{', '.join(when)}]}}, then: {then}}}\n")


def _patterns(text: str) -> object:
    pattern = glob(text)
    return pattern.search(b"a" * len(text)), regex(text).search(b"a" * len(text))


def _sieve(text: str) -> object:
    return import_sieve(text, "a.sieve")


def _sieve_text(text: str) -> object:
    said = text.replace("\\", "\\\\").replace('"', '\\"')
    require = '["fileinto", "regex", "variables", "encoded-character", "vacation", "editheader", "date"]'
    tests = " ".join(
        f'if header :{kind} "subject" "{said}" {{ fileinto "{said}"; }}'
        for kind in ("is", "contains", "matches", "regex")
    )
    return _sieve(f'require {require}; set "a" "{said}"; {tests} vacation "{said}${{a}}"; redirect "{said}";')


def _gmail(text: str) -> object:
    said = quoteattr("".join(sign for sign in text if sign.isprintable()))
    names = ("from", "subject", "hasTheWord", "doesNotHaveTheWord", "label", "forwardTo", "size")
    properties = "".join(f"<apps:property name='{name}' value={said}/>" for name in names)
    return import_gmail(_bytes(f"<feed {APPS}><entry>{properties}</entry></feed>"), "a.xml")


def _gmail_raw(text: str) -> object:
    return import_gmail(_bytes(f"<feed {APPS}>{text}"), "a.xml")


def _zoom(text: str) -> object:
    criteria = dict.fromkeys(("from", "subject", "query", "negatedQuery", "size", "sizeComparison"), text)
    action = {"addLabelIds": [text], "removeLabelIds": [text], "forward": text}
    return import_zoom(json.dumps({"filter": [{"criteria": criteria, "action": action}]}), "a.json")


def _zoom_raw(text: str) -> object:
    return import_zoom(text, "a.json")


TEXT_READERS: Mapping[str, Reader[str]] = {
    "addresses": Reader(("address", "address_list"), _people),
    "encoded words": Reader(("words", "charset"), lambda text: (decode_words(text), tidy(text))),
    "parameters": Reader(("params",), _parameters),
    "headers": Reader(("headers",), _headers),
    "results of the server": Reader(("auth",), _results),
    "marks of automatic mail": Reader(("automated",), _automated),
    "dates": Reader(("dates",), _dates),
    "marks of encrypted mail": Reader(("encrypted",), _encrypted),
    "HTML": Reader(("markup",), _page),
    "search lines": Reader(("search", "search_lexer", "search_terms", "search_match", "query"), _search),
    "fields of search lines": Reader(("search",), _in_field),
    "transfer encodings": Reader(("transfer",), _transfer),
    "normal forms": Reader(("unicode",), lambda text: (normalize("NFC", text), words([text]))),
    "signatures of files": Reader(("sniff",), lambda text: sniff(_bytes(f"<{text}"))),
    "YAML": Reader((), _yaml),
    "YAML in a list": Reader((), lambda text: _yaml(f"a: [{text}")),
    "YAML in quotes": Reader((), lambda text: _yaml(f'a: "{text}"')),
    "rule files": Reader((), _rules),
    "values of a rule": Reader((), _rule),
    "patterns": Reader((), _patterns),
    "paths": Reader((), read_path),
    "expressions of templates": Reader((), lambda text: list(uses(text))),
    "Sieve": Reader(("import_sieve",), _sieve),
    "texts in Sieve": Reader(("import_sieve",), _sieve_text),
    "Gmail's filters": Reader(("import_gmail",), _gmail),
    "XML": Reader(("import_gmail",), _gmail_raw),
    "Zoom's filters": Reader(("import_zoom",), _zoom),
    "JSON": Reader(("import_zoom",), _zoom_raw),
}


def _message(raw: bytes) -> object:
    message = from_raw(raw, key="")
    people = [message.addresses(name) for name in ("From", "To")]
    return message.subject, people, automated(message.headers), arrival(message.headers)


def _report(raw: bytes) -> object:
    report = read_report(parse(raw))
    named = report.addresses
    return report.ids, [report.about(address) for address in (*named[:1], *named[-1:])]


RAW_READERS: Mapping[str, Reader[bytes]] = {
    "messages": Reader(("mime", "boundaries", "part", "text", "message"), _message),
    "mboxes": Reader(("mbox", "archive"), lambda raw: list(read_mbox(io.BytesIO(b"From a\n" + raw), MOST))),
    "bounces": Reader(("dsn", "verdict"), _report),
    "redaction": Reader((), lambda raw: redact(raw, Kept())),
}


def in_mail(read: Callable[[bytes], object]) -> Mapping[str, Callable[[str], Any]]:
    """Read a raw message that has a text where mail has one."""
    return {
        "a plain text": lambda text: read(b"From: a@b\n\n" + _bytes(text)),
        "a page": lambda text: read(b"Content-Type: text/html\n\n<p>" + _bytes(text)),
        "a subject": lambda text: read(b"Subject: " + _bytes(text) + b"\n\nx"),
        "a field of people": lambda text: read(b"From: " + _bytes(text) + b"\n\nx"),
        "a type": lambda text: read(b"Content-Type: text/plain; name=" + _bytes(text) + b"\n\nx"),
        "a file": lambda text: read(b"Content-Type: application/x; name=a\n\n" + _bytes(text)),
    }
