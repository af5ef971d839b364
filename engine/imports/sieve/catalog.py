"""What commands and tests take: the base language (RFC 5228) and its extensions, each with its RFC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["", "text", "texts", "number"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MATCH: Mapping[str, Kind] = {"is": "", "contains": "", "matches": "", "comparator": "text"}
RELATIONAL: Mapping[str, Kind] = {"value": "text", "count": "text"}  # RFC 5231
REGEX: Mapping[str, Kind] = {"regex": ""}  # draft-murchison-sieve-regex
LISTS: Mapping[str, Kind] = {"list": ""}  # RFC 6134
PART: Mapping[str, Kind] = {"localpart": "", "domain": "", "all": "", "user": "", "detail": ""}  # RFC 5233
INDEX: Mapping[str, Kind] = {"index": "number", "last": ""}  # RFC 5260
MIME: Mapping[str, Kind] = {  # RFC 5703
    "mime": "",
    "anychild": "",
    "type": "",
    "subtype": "",
    "contenttype": "",
    "param": "texts",
}
COMPARE = {**MATCH, **RELATIONAL, **REGEX, **LISTS}


@dataclass(frozen=True)
class Shape:
    """What one command or test takes."""

    takes: tuple[Kind, ...] = ()
    tags: Mapping[str, Kind] = field(default_factory=dict)
    optional: int = 0
    """How many of the first arguments may be left out."""
    tests: Literal[0, 1, "list"] = 0
    block: bool = False


NOTIFY: Mapping[str, Kind] = {  # RFC 5435, and the drafts before it
    "from": "text",
    "importance": "text",
    "options": "texts",
    "message": "text",
    "method": "text",
    "id": "text",
    "low": "",
    "normal": "",
    "high": "",
}
VACATION: Mapping[str, Kind] = {  # RFC 5230, RFC 6131
    "days": "number",
    "seconds": "number",
    "subject": "text",
    "from": "text",
    "addresses": "texts",
    "mime": "",
    "handle": "text",
    "fcc": "text",
}
STORE: Mapping[str, Kind] = {"copy": "", "create": "", "flags": "texts", "specialuse": "text"}
"""RFC 3894, RFC 5490, RFC 5232, RFC 8579."""
SET: Mapping[str, Kind] = {  # RFC 5229
    "lower": "",
    "upper": "",
    "lowerfirst": "",
    "upperfirst": "",
    "quotewildcard": "",
    "quoteregex": "",
    "encodeurl": "",
    "length": "",
}

COMMANDS: Mapping[str, Shape] = {
    "require": Shape(("texts",)),
    "if": Shape(tests=1, block=True),
    "elsif": Shape(tests=1, block=True),
    "else": Shape(block=True),
    "stop": Shape(),
    "keep": Shape(tags={"flags": "texts"}),
    "discard": Shape(),
    "redirect": Shape(("text",), {"copy": "", "notify": "text", "ret": "text"}),
    "fileinto": Shape(("text",), STORE),
    "reject": Shape(("text",)),
    "ereject": Shape(("text",)),
    "setflag": Shape(("text", "texts"), optional=1),
    "addflag": Shape(("text", "texts"), optional=1),
    "removeflag": Shape(("text", "texts"), optional=1),
    "set": Shape(("text", "text"), SET),
    "vacation": Shape(("text",), VACATION),
    "notify": Shape(("text",), NOTIFY, optional=1),
    "denotify": Shape((), {**MATCH, "low": "", "normal": "", "high": ""}),
    "addheader": Shape(("text", "text"), {"last": ""}),  # RFC 5293
    "deleteheader": Shape(("text", "texts"), {**COMPARE, **INDEX}),
    "include": Shape(("text",), {"personal": "", "global": "", "once": "", "optional": ""}),  # RFC 6609
    "return": Shape(),
    "global": Shape(("texts",)),
    "foreverypart": Shape(tags={"name": "text"}, block=True),
    "break": Shape(tags={"name": "text"}),
    "replace": Shape(("text",), {"mime": "", "subject": "text", "from": "text"}),
    "enclose": Shape(("texts", "text"), {"subject": "text", "headers": "texts"}),
    "extracttext": Shape(("text",), {**SET, "first": "number"}),
    "error": Shape(("text",)),
    "expire": Shape(("text", "text")),
    "unexpire": Shape(),
}

TESTS: Mapping[str, Shape] = {
    "true": Shape(),
    "false": Shape(),
    "not": Shape(tests=1),
    "anyof": Shape(tests="list"),
    "allof": Shape(tests="list"),
    "address": Shape(("texts", "texts"), {**COMPARE, **PART, **INDEX, **MIME}),
    "header": Shape(("texts", "texts"), {**COMPARE, **INDEX, **MIME}),
    "envelope": Shape(("texts", "texts"), {**COMPARE, **PART}),
    "exists": Shape(("texts",), MIME),
    "size": Shape(("number",), {"over": "", "under": ""}),
    "body": Shape(("texts",), {**COMPARE, "raw": "", "text": "", "content": "texts"}),  # RFC 5173
    "string": Shape(("texts", "texts"), COMPARE),
    "date": Shape(("text", "text", "texts"), {**COMPARE, **INDEX, "zone": "text", "originalzone": ""}),
    "currentdate": Shape(("text", "texts"), {**COMPARE, "zone": "text"}),
    "hasflag": Shape(("texts", "texts"), COMPARE, optional=1),
    "mailboxexists": Shape(("texts",)),
    "mailboxidexists": Shape(("texts",)),
    "metadata": Shape(("text", "text", "texts"), COMPARE),
    "metadataexists": Shape(("text", "texts")),
    "servermetadata": Shape(("text", "texts"), COMPARE),
    "servermetadataexists": Shape(("texts",)),
    "specialuse_exists": Shape(("text", "texts"), optional=1),
    "environment": Shape(("text", "texts"), COMPARE),  # RFC 5183
    "duplicate": Shape(  # RFC 7352
        (), {"handle": "text", "header": "text", "uniqueid": "text", "seconds": "number", "last": ""}
    ),
    "spamtest": Shape(("text",), {**COMPARE, "percent": ""}),  # RFC 5235
    "virustest": Shape(("text",), COMPARE),
    "ihave": Shape(("texts",)),  # RFC 5463
    "valid_ext_list": Shape(("texts",)),
    "valid_notify_method": Shape(("texts",)),
    "notify_method_capability": Shape(("text", "text", "texts"), COMPARE),
    "hasexpiration": Shape(),
}

VENDOR = ("vnd.proton.",)
"""Extensions whose scripts are read; what only they can do is lost."""
EXTENSIONS = _words(
    """
    body comparator-i;ascii-casemap comparator-i;ascii-numeric comparator-i;octet
    comparator-i;unicode-casemap copy date duplicate editheader encoded-character enclose enotify
    envelope environment ereject extlists extracttext fcc fileinto foreverypart ihave imap4flags
    imapflags imapsieve include index mailbox mailboxid mboxmetadata mime notify redirect-deliverby
    redirect-dsn regex reject relational replace servermetadata special-use spamtest spamtestplus
    subaddress vacation vacation-seconds variables virustest
    """
)
COMPARATORS = frozenset({"i;octet", "i;ascii-casemap", "i;ascii-numeric", "i;unicode-casemap"})

ADDRESS_FIELDS = _words(
    """
    from to cc bcc sender reply-to resent-from resent-to resent-cc resent-bcc resent-sender
    resent-reply-to delivered-to envelope-to return-path errors-to apparently-to mail-followup-to
    mail-reply-to for-approval for-handling for-comment return-receipt-to
    disposition-notification-to x-admin x-beenthere x-original-to x-confirm-reading-to
    read-receipt-to x-complaints-to x-report-abuse-to abuse-reports-to return-receipt-requested
    registered-mail-reply-requested-by
    """
)
"""Header fields that hold addresses (RFC 5228, section 5.1: a test of addresses takes these alone)."""
