"""What a rule's test is given: a message made up or from a file, and what was before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from engine.rules.conditions.attachment import Digest
from engine.rules.given_home import SOME_SERVER, GivenAuth, local
from engine.rules.home import Home
from engine.rules.quantities import Count, Quantity, Size
from engine.rules.strict import EMPTY, AnyWords, Flag, Strict, Words
from engine.rules.times import Zone

FIXTURE_SUFFIX = ".eml"
BESIDE_A_FIXTURE = {"fixture", "labels", "mailbox", "timezone", "authserv_id", "payload", "times"}
MOST_TIMES = 1_000


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("must be a date or time such as 2026-03-01T09:30:00+01:00") from None
    return moment


_MOMENT = {"type": "string", "pattern": r"^\d{4}-?[W\d]"}
Moment = Annotated[datetime, PlainValidator(_moment), WithJsonSchema(_MOMENT)]
"""An ISO 8601 time; without a zone, it is read in the mailbox's."""


def _fixture(name: str) -> str:
    if not name.endswith(FIXTURE_SUFFIX):
        raise ValueError(f"'{name}' is no {FIXTURE_SUFFIX} file: a fixture is one message as it was received")
    return name


Fixture = Annotated[
    Words, AfterValidator(_fixture), WithJsonSchema({"type": "string", "pattern": rf"\{FIXTURE_SUFFIX}$"})
]


def _payload(value: Any) -> str:
    if value is None:
        raise ValueError(EMPTY)
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict | list):
        raise ValueError("must be a map or a list, or a text that is one in JSON")
    return value


_PAYLOAD_SCHEMA = {"type": ["object", "array", "string"], "pattern": r"^\s*[\[{]"}
Payload = Annotated[str, PlainValidator(_payload), WithJsonSchema(_PAYLOAD_SCHEMA)]
"""JSON text."""


class GivenAttachment(Strict):
    """An attachment made up for a test; it has a declared type only."""

    name: Words = Field(description="The file name.")
    type: Words = Field("application/octet-stream", description="The declared media type.")
    size: Size | None = Field(None, description="The size of the file; 0 unless given.")
    sha256: Digest | None = Field(None, description="The digest of its bytes.")


class Given(Strict):
    """A message made up for a test, or one from a file."""

    map_schema: ClassVar[Mapping[str, Any]] = {
        "if": {"required": ["fixture"]},
        "then": {"propertyNames": {"anyOf": [{"enum": sorted(BESIDE_A_FIXTURE)}, {"pattern": "^x-"}]}},
    }

    from_: Words | None = Field(None, alias="from", description="The From field.")
    to: AnyWords = Field((), description="The To field.")
    cc: AnyWords = Field((), description="The Cc field.")
    subject: Words | None = Field(None, description="The subject.")
    headers: dict[str, AnyWords] = Field({}, description="Further header fields by name.")
    body: Words = Field("", description="The text.")
    attachments: tuple[GivenAttachment, ...] = Field((), description="Attached files.")
    size: Size | None = Field(None, description="The size of the whole message.")
    date: Moment | None = Field(None, description="When it was written and received.")
    fixture: Fixture | None = Field(None, description="An .eml file beside the rule file, instead of fields.")
    auth: GivenAuth | None = Field(
        None, description="What the receiving server found: a result for each of spf, dkim and dmarc."
    )
    labels: AnyWords = Field(("INBOX", "UNREAD"), description="Its labels; INBOX and UNREAD unless given.")
    mailbox: Words = Field("", description="The mailbox; the first one in the rule's scope unless given.")
    timezone: Zone | None = Field(None, description="Its time zone, instead of the configured one.")
    authserv_id: AnyWords = Field(
        (), description="Its server's names in Authentication-Results, instead of the configured ones."
    )
    payload: Payload = Field("", description="The JSON that the event brings along, as YAML or as JSON text.")

    def home(self, configured: Home) -> Home:
        """Say what the mailbox is like: as the test says, else as the configuration does."""
        named = frozenset(server.lower() for server in self.authserv_id) or configured.authserv_ids
        return Home(self.timezone or configured.zone, named or frozenset({SOME_SERVER}))

    def at_home(self, home: Home) -> Self:
        """Read the date in the mailbox's zone where it names none."""
        return self if self.date is None else self.model_copy(update={"date": local(self.date, home)})

    @model_validator(mode="after")
    def _either_fields_or_fixture(self) -> Self:
        made_up = self.model_fields_set - BESIDE_A_FIXTURE
        if self.fixture is not None and made_up:
            key = type(self).model_fields[min(made_up)].alias or min(made_up)
            raise ValueError(f"a fixture brings its own '{key}': take one of them out")
        return self


def _times(count: Quantity) -> Quantity:
    if not 1 <= count.value <= MOST_TIMES:
        raise ValueError(f"must be from 1 to {MOST_TIMES}")
    return count


class Earlier(Given):
    """A message that was judged before, by the whole rule set."""

    times: Annotated[Count, AfterValidator(_times)] = Field(
        Quantity(1, "1"), description="How many of them came."
    )


class GivenThread(Strict):
    """The thread that the message belongs to."""

    first: Flag | None = Field(
        None, description="Whether it is the first; unless given, if it is the only one."
    )
    messages: Count | None = Field(None, description="How many messages it has; 1 unless given.")
    replied_by_us: Flag = Field(False, description="Whether one of them was sent from this mailbox.")


class State(Strict):
    """What was before the message; nothing unless given."""

    earlier: tuple[Earlier, ...] = Field((), description="Messages that were judged before, oldest first.")
    thread: GivenThread = Field(GivenThread(), description="Its thread; it is alone in it unless given.")
