"""Files of the message that a rule matched, as they go on with another mail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from functools import lru_cache

from engine.mail.bodies import ANY_TYPE, MAX_FILES, File
from engine.mail.mime import is_attachment, leaves, parse


def own_files(raw: bytes, globs: Sequence[str]) -> tuple[File, ...]:
    """Take the attachments of a raw message whose names any glob fits, case ignored; `*` takes all."""
    attached = [part for part in leaves(parse(raw)) if is_attachment(part)]
    wanted = [
        part for part in attached if any(_glob(glob).fullmatch(part.filename.lower()) for glob in globs)
    ]
    return tuple(
        File(part.filename, part.type or ANY_TYPE, part.body)
        for part in wanted[: MAX_FILES + 1]
        if part.body is not None
    )


@lru_cache(maxsize=256)
def _glob(glob: str) -> re.Pattern[str]:
    """A template author's glob: `*` and `?` alone, which `fnmatch` writes so that nothing is tried twice."""
    return re.compile(translate(glob.lower().replace("[", "[[]")))
