"""The files of a template folder by kind: template, variant, text, layout, partial, file to send."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from engine.errors import Place, PostroomError, RuleError
from engine.templating.locales import locale_of, nearest, normal
from engine.templating.partials import Partial

SUFFIXES = (".md", ".html", ".txt")
BODIES = (".md", ".html")
FILES, LAYOUTS, PARTIALS = "files", "layouts", "partials"
MAX_FILE = 3_000_000
"""Bytes of one file that goes with mails."""
MAX_FILES = 6_000_000
"""Bytes of all of them: they are kept with each version of the rules that a run refers to."""


def read_folder(folder: Path) -> dict[str, str]:
    """Read a folder, by names in it: templates as text, what lies below files/ in base64.

    Hidden files, and what links lead to outside, are left out. Raises PostroomError.
    """
    root = folder.resolve()
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts) or not path.is_file():
            continue
        if not path.resolve().is_relative_to(root):
            continue
        if name.parts[0] == FILES:
            found[name.as_posix()] = _file(path)
        elif path.suffix in BODIES or (path.suffix == ".txt" and _belongs(path, name)):
            found[name.as_posix()] = _text(path)
    return found


def _belongs(path: Path, name: Path) -> bool:
    """Whether a text is a partial, or stands beside what it is the text of; other notes may lie around."""
    return name.parts[0] == PARTIALS or any(path.with_suffix(suffix).is_file() for suffix in BODIES)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PostroomError(f"{path} cannot be read: {error}") from None


def _file(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE:
            raise PostroomError(f"{path} has more than {MAX_FILE:,} bytes: too large to go with a mail")
        return base64.b64encode(path.read_bytes()).decode("ascii")
    except OSError as error:
        raise PostroomError(f"{path} cannot be read: {error}") from None


@dataclass
class Folder:
    """What load_templates was given, sorted out; languages are in normal form, "" for none."""

    bodies: dict[tuple[str, str], str] = field(default_factory=dict)
    """By name and language, the file with front matter and body."""
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    """By name and language, a text part of its own."""
    files: dict[str, bytes] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    errors: list[RuleError] = field(default_factory=list)

    def partial(self, name: str, suffix: str, tag: str) -> Partial | None:
        """Find a partial for a kind of file, in a language if there is one."""
        offered = {
            language: file
            for language in ("", *_fallbacks(tag))
            if (file := f"{PARTIALS}/{name}{f'.{language}' if language else ''}{suffix}") in self._by_lower
        }
        chosen = (nearest(tag, offered) if tag else None) or offered.get("")
        real = self._by_lower[chosen] if chosen else None
        return Partial(real, self.sources[real]) if real else None

    @property
    def _by_lower(self) -> dict[str, str]:
        return {_lower_tag(file): file for file in self.sources}

    def variants(self, name: str) -> Iterator[tuple[str, str]]:
        """Give languages and files of a template beside its own."""
        yield from ((tag, file) for (of, tag), file in sorted(self.bodies.items()) if of == name and tag)

    def offer(self, kind: Mapping[tuple[str, str], str], name: str, tag: str) -> str | None:
        """Find a file of a name in a language, else in none."""
        offered = {language: file for (of, language), file in kind.items() if of == name}
        return (nearest(tag, offered) if tag else None) or offered.get("")


def _fallbacks(tag: str) -> Iterator[str]:
    parts = tag.split("-") if tag else []
    yield from ("-".join(parts[:length]) for length in range(len(parts), 0, -1))


def _lower_tag(file: str) -> str:
    path = PurePosixPath(file)
    stem, dot, tag = path.stem.rpartition(".")
    return str(path.with_name(f"{stem}.{normal(tag)}{path.suffix}")) if dot and locale_of(tag) else file


def sort_out(sources: Mapping[str, str]) -> Folder:
    """Tell what each file is. Nothing is raised: see `errors`."""
    folder = Folder(sources=sources)
    for file, source in sorted(sources.items()):
        try:
            _sort(folder, file, source)
        except RuleError as error:
            folder.errors.append(error)
    _lonely(folder)
    if sum(map(len, folder.files.values())) > MAX_FILES:
        folder.errors.append(RuleError(f"the files have more than {MAX_FILES:,} bytes in all", Place(FILES)))
    return folder


def _sort(folder: Folder, file: str, source: str) -> None:
    path = PurePosixPath(file)
    if path.parts[0] == FILES:
        folder.files[file] = _decoded(file, source)
        return
    if path.suffix not in SUFFIXES:
        raise RuleError("a template file is named NAME.md or NAME.html", Place(file))
    if path.parts[0] == PARTIALS:
        return
    if path.parts[0] == LAYOUTS and path.suffix == ".md":
        raise RuleError("a layout is named NAME.html, and NAME.txt for its text", Place(file))
    stem, dot, tag = path.stem.rpartition(".")
    known = bool(dot) and locale_of(tag) is not None
    name = str(path.with_name(stem if known else path.stem))
    kind = folder.texts if path.suffix == ".txt" else folder.bodies
    if (name, language := normal(tag) if known else "") in kind:
        raise RuleError(f"there is another template named '{name}'", Place(file))
    kind[name, language] = file


def _decoded(file: str, source: str) -> bytes:
    try:
        return base64.b64decode(source, validate=True)
    except (binascii.Error, ValueError):
        raise RuleError("is not base64", Place(file)) from None


def _lonely(folder: Folder) -> None:
    """Find variants of nothing, and texts of nothing."""
    for (name, tag), file in folder.bodies.items():
        if tag and (name, "") not in folder.bodies:
            folder.errors.append(
                RuleError(f"is a variant of '{name}', and there is no such template", Place(file))
            )
    for key, file in folder.texts.items():
        if key not in folder.bodies:
            message = "a template file is named NAME.md or NAME.html; NAME.txt is the text part of NAME.html"
            folder.errors.append(RuleError(message, Place(file)))
