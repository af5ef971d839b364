from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from engine.rules.action import Action
from engine.rules.effects import Effect, StoreFile
from engine.rules.file_path import check_pattern
from engine.rules.strict import TEXT_SCHEMA, Words, some
from engine.rules.text import Captures

Pattern = Annotated[Words, AfterValidator(check_pattern)]


def _glob(text: str) -> str:
    if not text.strip() or "/" in text:
        raise ValueError(f"'{text}' fits no file's name; write *.pdf")
    return text


NameGlobs = Annotated[
    tuple[Annotated[Words, AfterValidator(_glob)], ...],
    BeforeValidator(some),
    WithJsonSchema({"anyOf": [TEXT_SCHEMA, {"type": "array", "items": TEXT_SCHEMA, "minItems": 1}]}),
]


class Save(Action):
    """Save the attached files, or the whole message, in a folder that the configuration names.

    Nothing is overwritten: under a name that is taken, a number follows. The same file is saved once.
    """

    key = "save"
    bare: ClassVar[str] = "folder"
    hints: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("to", "path", "dir", "directory"), "write 'folder': it names one of 'folders'"),
        **dict.fromkeys(("type", "types", "filter", "files"), "write only: ['*.pdf']"),
        **dict.fromkeys(("as", "filename", "pattern"), "write 'name'"),
    }
    examples = (
        "save: {folder: invoices, only: '*.pdf', name: '{{ message.year }}/{{ file.name }}'}",
        "save: {folder: archive, what: message}",
    )

    folder: Words = Field(description="A name below `folders` in the configuration.")
    what: Literal["attachments", "message"] = Field(
        "attachments", description="The attached files, or the message as it was received, as an .eml file."
    )
    name: Pattern = Field(
        "{{ file.name }}",
        description="Its path below the folder, `/` between levels; with `file.name stem suffix number`, "
        "`message.key subject sender domain date year month day` and captures. What they say adds no level.",
    )
    only: NameGlobs | None = Field(None, description="Globs: of the attached files those whose name fits.")

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        return (StoreFile(folder=self.folder, what=self.what, name=self.name, only=self.only or ()),)

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        yield ("name",), self.name

    def reaches(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        yield ("folder",), "folder", self.folder

    def shown(self, captures: Captures) -> Any:
        return self.dumped
