"""From template files to templates: every fault of every file, or all of them compiled."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from engine.errors import Place, RuleError
from engine.mail.bodies import ANY_TYPE, File
from engine.mail.sniff import sniff
from engine.templating.entry import Entry
from engine.templating.environment import HTML, MARKDOWN, TEXT, Sandbox
from engine.templating.folder import LAYOUTS, Folder, sort_out
from engine.templating.formats import ENGLISH
from engine.templating.front import Front, read_front, read_layout, read_variant
from engine.templating.front_keys import as_address
from engine.templating.front_yaml import Value
from engine.templating.grammar import RESERVED, Scope, unknown
from engine.templating.locales import DEFAULT_CHOICES, locale_of, normal
from engine.templating.program import Program, compile_piece
from engine.templating.template import Body, Layout, Template

SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What mail readers show in HTML."""
COMMON = RESERVED - {"loop", "range"}
IN_LAYOUT = frozenset({"content", "subject"})


def load(sources: Mapping[str, str]) -> tuple[dict[str, Entry], list[RuleError]]:
    """Compile all files; give templates by name, and every fault once."""
    folder = sort_out(sources)
    entries: dict[str, Entry] = {}
    errors = list(folder.errors)
    for (name, tag), file in folder.bodies.items():
        if tag or PurePosixPath(file).parts[0] == LAYOUTS:
            continue
        loader = _Loader(folder)
        if (entry := loader.entry(name, file)) is not None and not loader.errors:
            entries[name] = entry
        errors += loader.errors
    seen: dict[str, RuleError] = {}
    for error in errors:
        seen.setdefault(str(error), error)
    return entries, sorted(seen.values(), key=lambda error: error.place.file)


class _Loader:
    """Compiles one template with its variants, and keeps every fault."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self.errors: list[RuleError] = []

    def entry(self, name: str, file: str) -> Entry | None:
        """Compile a template; None when its front matter cannot be read."""
        front = self._front(read_front, file)
        if front is None:
            return None
        own = normal(front.locale.text) if front.locale else ""
        made = {"": self._template(name, file, front, own)}
        for tag, other in self._folder.variants(name):
            if (variant := self._front(read_variant, other)) is not None:
                made[tag] = self._template(name, other, _completed(variant, front), tag)
        compiled = {tag: template for tag, template in made.items() if template}
        return Entry(
            file=file,
            inputs={one.name: one for _, one in front.inputs},
            variants=compiled,
            tags={tag: tag for tag in compiled if tag} | ({own: ""} if own else {}),
            choices=DEFAULT_CHOICES if front.variants is None else front.variants,
            sample=front.sample,
        )

    def _front(self, read: Callable[[str, str], Front], file: str) -> Front | None:
        try:
            return read(file, self._folder.sources[file])
        except RuleError as error:
            self.errors.append(error)
            return None

    def _template(self, name: str, file: str, front: Front, tag: str) -> Template | None:
        layout = self._layout(front.layout, tag) if front.layout else None
        images = self._images(front)
        inputs = frozenset(one.name for _, one in front.inputs)
        scope = Scope(inputs | COMMON, inputs, images.keys() | (layout.images.keys() if layout else set()))
        pieces = _Pieces(self._folder, self.errors, scope, tag)
        assert front.subject  # noqa: S101 # or `read_front` had refused it
        subject = pieces.line(front.subject)
        from_name = pieces.line(front.from_name) if front.from_name else None
        headers = [(key.text, pieces.line(value)) for key, value in front.headers]
        body = pieces.body(file, front, self._folder.offer(self._folder.texts, name, tag))
        files, own = self._attached(front)
        if subject is None or body is None:
            return None
        return Template(
            subject=subject,
            from_name=from_name,
            body=body,
            layout=layout,
            sender=as_address(front.sender) if front.sender else None,
            reply_to=tuple(map(as_address, front.reply_to)),
            headers=tuple((key, program) for key, program in headers if program),
            images=images,
            files=files,
            own=own,
            locale=locale_of(tag) or ENGLISH,
            tag=tag,
        )

    def _layout(self, value: Value, tag: str) -> Layout | None:
        name = f"{LAYOUTS}/{value.text}"
        file = self._folder.offer(self._folder.bodies, name, tag)
        if file is None:
            known = {
                of.removeprefix(f"{LAYOUTS}/") for of, _ in self._folder.bodies if of.startswith(LAYOUTS)
            }
            self.errors.append(RuleError(unknown("layout", value.text, known), value.place))
            return None
        front = self._front(read_layout, file)
        if front is None:
            return None
        images = self._images(front)
        pieces = _Pieces(self._folder, self.errors, Scope(COMMON | IN_LAYOUT, images=images.keys()), tag)
        html = pieces.whole(Value(front.body, Place(file, front.body_line, 1)), HTML, ".html")
        text = self._folder.offer(self._folder.texts, name, tag)
        program = pieces.text(text) if text else None
        for each in (html, program):
            if each and "content" not in each.names:
                self.errors.append(RuleError("never shows its {{ content }}", each.place))
        return Layout(html, program, images) if html else None

    def _images(self, front: Front) -> dict[str, File]:
        found = {}
        for name, value in front.images:
            if (file := self._file(value)) is None:
                continue
            if (kind := sniff(file.content)) not in SHOWN:
                self.errors.append(RuleError(f"'{value.text}' is no PNG, JPEG, GIF or WebP", value.place))
            digest = hashlib.sha256(file.content).hexdigest()[:24]
            found[name.text] = replace(file, type=kind, id=f"{digest}@postroom")
        return found

    def _attached(self, front: Front) -> tuple[tuple[File, ...], tuple[str, ...]]:
        files = [self._file(one.file) for one in front.attach if one.file]
        return tuple(file for file in files if file), tuple(one.own for one in front.attach if one.own)

    def _file(self, value: Value) -> File | None:
        content = self._folder.files.get(value.text)
        if content is None:
            known = self._folder.files.keys()
            self.errors.append(
                RuleError(unknown("file of the template folder", value.text, known), value.place)
            )
            return None
        name = PurePosixPath(value.text).name
        return File(name, mimetypes.guess_type(name, strict=True)[0] or sniff(content) or ANY_TYPE, content)


class _Pieces:
    """Compiles the pieces of one file in one scope."""

    def __init__(self, folder: Folder, errors: list[RuleError], scope: Scope, tag: str) -> None:
        self._folder, self._errors, self._scope, self._tag = folder, errors, scope, tag

    def line(self, value: Value) -> Program | None:
        """Compile a subject, a name or a header's text, which include nothing."""
        return self._kept(compile_piece(value.text, TEXT, value.place, self._scope))

    def whole(self, value: Value, sandbox: Sandbox, suffix: str) -> Program | None:
        """Compile a body; it includes partials of its own kind of file."""
        find = partial(self._folder.partial, suffix=suffix, tag=self._tag)
        return self._kept(compile_piece(value.text, sandbox, value.place, self._scope, find))

    def text(self, file: str) -> Program | None:
        """Compile a file that is a text part."""
        return self.whole(Value(self._folder.sources[file], Place(file, 1, 1)), TEXT, ".txt")

    def body(self, file: str, front: Front, text: str | None) -> Body | None:
        value = Value(front.body, Place(file, front.body_line, 1))
        if PurePosixPath(file).suffix == ".html":
            html = self.whole(value, HTML, ".html")
            return Body(html, self.text(text) if text else None, is_markdown=False) if html else None
        # What one dialect refuses, the other does too: each fault is told once.
        plain = self.text(text) if text else self.whole(value, TEXT, ".md")
        html = self.whole(value, MARKDOWN, ".md") if plain or text else None
        return Body(html, plain, is_markdown=True) if html else None

    def _kept(self, made: Program | list[RuleError]) -> Program | None:
        if isinstance(made, Program):
            return made
        self._errors.extend(made)
        return None


def _completed(variant: Front, front: Front) -> Front:
    """A variant has from its template whatever it leaves out."""
    left_out = {
        key: getattr(front, key)
        for key in ("from_name", "sender", "reply_to", "headers", "layout", "images", "attach")
        if ("from" if key == "sender" else key) not in variant.given
    }
    return replace(variant, inputs=front.inputs, **left_out)
