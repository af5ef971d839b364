from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from engine.mail.message import Attachment as File
from engine.mail.needs import Need, Needs
from engine.rules.clues import Clue, Clues, How
from engine.rules.condition import Condition
from engine.rules.kind_clues import text_clues
from engine.rules.media import MediaTypes, fits, wanted_types
from engine.rules.quantities import SizeKinds
from engine.rules.shown import shown
from engine.rules.sources import FileNames
from engine.rules.strict import NOT_EMPTY, Flag, Words, some
from engine.rules.text import NONE, Captures, Text, TextKinds
from engine.rules.view import View


def _digest(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError("must be 64 hexadecimal digits")
    return text.lower()


_DIGEST = {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}
Digest = Annotated[Words, AfterValidator(_digest), WithJsonSchema(_DIGEST)]
Digests = Annotated[
    tuple[Digest, ...],
    BeforeValidator(some),
    WithJsonSchema({"anyOf": [_DIGEST, {"type": "array", "items": _DIGEST, "minItems": 1}]}),
]


class Attachment(Condition):
    """An attached file. All keys speak of the same attachment; true or false asks for any at all."""

    key = "attachment"
    examples = ("attachment: {type: pdf, size: {gt: 1MB}}", "attachment: {name: {ends_with: .csv}}")
    shorthand: ClassVar[Mapping[str, Any]] = {"type": "boolean"}

    map_schema: ClassVar[Mapping[str, Any]] = NOT_EMPTY

    exists: Flag | None = Field(None, description="Whether there is any attachment at all.")
    name: TextKinds | None = Field(None, description="The file name.")
    type: MediaTypes | None = Field(
        None, description="`pdf`, `image/*` or `application/zip`; as declared, or as the first bytes show."
    )
    size: SizeKinds | None = Field(None, description="The size of the file, decoded.")
    sha256: Digests | None = Field(None, description="The digest of the file's bytes.")

    @classmethod
    def spread(cls, data: Any) -> Any:
        return {"exists": data} if data in ("true", "false") else super().spread(data)

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if not given:
            raise ValueError(f"asks nothing; write true, or one of {', '.join(self.keys())}")
        if self.exists is False and len(given) > 1:
            raise ValueError("what does not exist has no other traits: take 'exists: false' out")
        return self

    @property
    def needs(self) -> Needs:
        digest = frozenset({Need.CONTENT}) if self.type or self.sha256 else frozenset()
        return frozenset({Need.ATTACHMENTS}) | digest

    @property
    def clues(self) -> Clues | None:
        if self.exists is False:
            return None
        names = text_clues(self.name, FileNames()) if self.name else None
        return names or (Clue(FileNames(), How.ANY),)

    @property
    def possible_captures(self) -> frozenset[str]:
        return self.name.possible_captures if self.name else frozenset()

    @property
    def sure_captures(self) -> frozenset[str]:
        return self.name.sure_captures if self.name else frozenset()

    @cached_property
    def types(self) -> frozenset[str]:
        return wanted_types(self.type or ())

    def check(self, view: View) -> Captures | None:
        files = view.attachments()
        if self.exists is False:
            return None if files else NONE
        unknown = False
        for file in files:
            captures = self._traits(file)
            if captures is None:
                continue
            content = [fact for fact in self._content(file) if fact is not True]
            if not content:
                if unknown and self.possible_captures:
                    raise view.content_missing()
                return captures
            unknown = unknown or False not in content
        if unknown:
            raise view.content_missing()
        return None

    def _traits(self, file: File) -> Captures | None:
        """What is known without the bytes."""
        if self.size is not None and not self.size.holds(file.size):
            return None
        return self.name.match(Text(file.name)) if self.name is not None else NONE

    def _content(self, file: File) -> Iterator[bool | None]:
        """What the bytes may have to say; None is unknown. The declared type decides if it fits."""
        if self.type is not None:
            declared = fits(file.type, self.types)
            yield declared or (None if file.sniffed is None else fits(file.sniffed, self.types))
        if self.sha256 is not None:
            yield None if file.sha256 is None else file.sha256.lower() in self.sha256

    def seen(self, view: View) -> str:
        return shown(_described(file) for file in view.attachments())


def _described(file: File) -> str:
    sniffed = f", looks like {file.sniffed}" if file.sniffed else ""
    return f"{file.name} ({file.type}{sniffed}, {file.size} bytes)"
