"""What conditions read: one message, with every text parsed and folded at most once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from engine.errors import ConditionError, Missing, Unreadable
from engine.mail.automated import automated
from engine.mail.encrypted import ENCRYPTED, hides_subject, hides_text
from engine.mail.message import Attachment, Message
from engine.mail.needs import Need
from engine.rules.home import SOMEWHERE, Home
from engine.rules.memory import NOTHING_BESIDE, Beside, Forgotten, Seen, Sightings
from engine.rules.people import Joined, People
from engine.rules.text import Text

T = TypeVar("T")

SUBJECT = "subject"
BODY, FILES, FILE_NAMES = " body", " files", " file names"
NOTED, UNREAD = " noted", " unread"
"""Where the cache keeps what is no header: no header field has such a name."""

HIDDEN = (Text(""),)
"""Stands for a subject that cannot be read."""
NO_SUBJECT = f"the subject cannot be read: {ENCRYPTED}"
MAX_BODY = 4_000_000
"""Characters of the text that are looked at."""
MAX_PEOPLE = 1_000
"""How many addresses of one header field are looked at."""

Hidden = tuple[tuple[str, str], ...]
"""Conditions, by their keys, whose part of a message cannot be read, and why."""


class View:
    """A message under judgement; reading what was not fetched raises Missing."""

    def __init__(
        self,
        message: Message,
        now: datetime,
        cache: dict[Any, Any] | None = None,
        home: Home = SOMEWHERE,
        beside: Beside = NOTHING_BESIDE,
        labels: frozenset[str] | None = None,
    ) -> None:
        self.message = message
        """As it came."""
        self.labels = message.labels if labels is None else labels
        """Those it came with, changed by what earlier rules planned."""
        self.now = now
        self.home = home
        self.beside = beside
        self._cache: dict[Any, Any] = {} if cache is None else cache

    def relabelled(self, labels: frozenset[str]) -> View:
        """See the same message with the labels that earlier rules planned."""
        return View(self.message, self.now, self._cache, self.home, self.beside, labels)

    def within(self, rule: str) -> View:
        """See the same message as a rule does that has a memory of its own, or a group."""
        beside = replace(self.beside, rule=rule)
        return View(self.message, self.now, self._cache, self.home, beside, self.labels)

    def aside(self, beside: Beside) -> View:
        """See the same message beside something else; what is found out about it is not kept."""
        return View(self.message, self.now, {**self._cache, UNREAD: set()}, self.home, beside, self.labels)

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """Make something of the event when first asked for, whatever is planned later."""
        if name not in self._cache:
            self._cache[name] = make()
        found: T = self._cache[name]
        return found

    @property
    def noted(self) -> list[Seen]:
        """What rules have to remember of this message."""
        found: list[Seen] = self._cache.setdefault(NOTED, [])
        return found

    @property
    def unread(self) -> set[str]:
        """Keys of the memory that were asked for, and have to be looked up first."""
        found: set[str] = self._cache.setdefault(UNREAD, set())
        return found

    def recalled(self, key: str) -> Sightings:
        """What is remembered under a key, as it was when first asked for. Raises Forgotten."""
        memory, place = self.beside.memory, ("recalled", key)
        found: Sightings | None = self._cache.get(place) if memory.kept or memory.whole else None
        if found is not None:
            return found
        if not memory.whole and key not in memory.kept:
            self.unread.add(key)
            raise Forgotten
        kept = memory.kept.get(key)
        found = self._cache[place] = kept.sightings if kept else ()
        return found

    def once(self, key: tuple[str, str], ask: Callable[[View], T]) -> T:
        """Ask when first asked for, and keep the answer, whatever labels are planned later."""
        if key not in self._cache:
            self._cache[key] = (ask(self), self.labels)
        answer: T = self._cache[key][0]
        return answer

    def first_seen(self, key: tuple[str, str]) -> View:
        """The message as it was when `once` asked; as it is now if it did not."""
        return self.relabelled(self._cache[key][1]) if key in self._cache else self

    def header(self, name: str) -> tuple[Text, ...]:
        """Every value of a header field, decoded, in order; `name` in lower case."""
        found: tuple[Text, ...] | None = self._cache.get(name)
        if found is None:
            found = self._cache[name] = self._header(name)
        if found is HIDDEN:
            raise ConditionError(NO_SUBJECT)
        return found

    @property
    def hidden(self) -> Hidden:
        """What somebody tried to read in vain, and what nothing can bring."""
        subject, body = self._cache.get(SUBJECT), self._cache.get(BODY)
        found = ((SUBJECT, NO_SUBJECT),) if subject is HIDDEN else ()
        return (*found, ("body", str(Unreadable(Need.BODY, body)))) if isinstance(body, str) else found

    def _header(self, name: str) -> tuple[Text, ...]:
        headers = self.message.headers
        if name == SUBJECT and hides_subject(headers):
            return HIDDEN
        return tuple(map(Text, headers.texts(name))) if name in headers.names else ()

    def people(self, fields: tuple[str, ...]) -> People:
        """The addresses of some header fields, in order, of each the first MAX_PEOPLE."""
        found: People | None = self._cache.get(fields)
        if found is None:
            if len(fields) == 1:
                found = People(self.message.addresses(fields[0])[:MAX_PEOPLE])
            else:
                found = Joined([self.people((field,)) for field in fields])
            self._cache[fields] = found
        return found

    def label_texts(self) -> tuple[Text, ...]:
        return tuple(map(Text, sorted(self.labels)))

    def automated(self) -> frozenset[str]:
        return automated(self.message.headers)

    def body(self) -> tuple[Text, ...]:
        """The text that a person reads, as the only one of its kind; blanks around it do not count."""
        found: tuple[Text, ...] | str | None = self._cache.get(BODY)
        if found is None:
            found = self._cache[BODY] = self._body()
        if isinstance(found, str):
            raise Unreadable(Need.BODY, found)
        return found

    def _body(self) -> tuple[Text, ...] | str:
        """Read the text, or say why it cannot be read."""
        headers = self.message._headers
        if headers is not None and (why := hides_text(headers)):
            return why
        text = self.message.text.strip()
        return (Text(text, MAX_BODY),) if text else ()

    def attachments(self) -> tuple[Attachment, ...]:
        """The attached files, in order; those of encrypted mail cannot be read."""
        found: tuple[Attachment, ...] | None = self._cache.get(FILES)
        if found is None:
            if self.message.encrypted:
                raise Unreadable(Need.ATTACHMENTS, ENCRYPTED)
            found = self._cache[FILES] = self.message.attachments
        return found

    def file_names(self) -> tuple[Text, ...]:
        """The names of the attachments, in order."""
        found: tuple[Text, ...] | None = self._cache.get(FILE_NAMES)
        if found is None:
            found = self._cache[FILE_NAMES] = tuple(Text(file.name) for file in self.attachments())
        return found

    def content_missing(self) -> Missing | Unreadable:
        """Make the error that says why the raw bytes are not known."""
        for need, reason in self.message.unreadable:
            if need is Need.CONTENT:
                return Unreadable(need, reason)
        return Missing(Need.CONTENT)
