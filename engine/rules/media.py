"""Media types, and the short names that people have for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from engine.rules.findings import unknown
from engine.rules.strict import Words, some

_OFFICE = "application/vnd.openxmlformats-officedocument."

SHORT: Mapping[str, frozenset[str]] = {
    "pdf": frozenset({"application/pdf", "application/x-pdf"}),
    "zip": frozenset({"application/zip", "application/x-zip-compressed", "application/x-zip"}),
    "gzip": frozenset({"application/gzip", "application/x-gzip"}),
    "doc": frozenset({"application/msword"}),
    "docx": frozenset({_OFFICE + "wordprocessingml.document"}),
    "xls": frozenset({"application/vnd.ms-excel"}),
    "xlsx": frozenset({_OFFICE + "spreadsheetml.sheet"}),
    "ppt": frozenset({"application/vnd.ms-powerpoint"}),
    "pptx": frozenset({_OFFICE + "presentationml.presentation"}),
    "odt": frozenset({"application/vnd.oasis.opendocument.text"}),
    "ods": frozenset({"application/vnd.oasis.opendocument.spreadsheet"}),
    "odp": frozenset({"application/vnd.oasis.opendocument.presentation"}),
    "rtf": frozenset({"application/rtf", "text/rtf"}),
    "msg": frozenset({"application/vnd.ms-outlook"}),
    "rar": frozenset({"application/x-rar-compressed", "application/vnd.rar", "application/x-rar"}),
    "7z": frozenset({"application/x-7z-compressed"}),
    "exe": frozenset(
        {
            "application/x-msdownload",
            "application/x-dosexec",
            "application/x-msdos-program",
            "application/vnd.microsoft.portable-executable",
        }
    ),
    "svg": frozenset({"image/svg+xml"}),
    "csv": frozenset({"text/csv"}),
    "txt": frozenset({"text/plain"}),
    "html": frozenset({"text/html"}),
    "xml": frozenset({"application/xml", "text/xml"}),
    "json": frozenset({"application/json"}),
    "ics": frozenset({"text/calendar", "application/ics"}),
    "eml": frozenset({"message/rfc822"}),
    "png": frozenset({"image/png"}),
    "gif": frozenset({"image/gif"}),
    "jpg": frozenset({"image/jpeg", "image/jpg"}),
    "jpeg": frozenset({"image/jpeg", "image/jpg"}),
    "image": frozenset({"image/*"}),
    "audio": frozenset({"audio/*"}),
    "video": frozenset({"video/*"}),
    "text": frozenset({"text/*"}),
}


def read_type(text: str) -> str:
    """Check `pdf`, `image/*` or `application/zip`. Raises ValueError."""
    name = text.strip().lower()
    if "/" not in name and name not in SHORT:
        raise ValueError(unknown("type", name, SHORT) + " (or write a media type such as application/pdf)")
    major, _, minor = name.partition("/")
    if "/" in name and (not major or not minor or "*" in major or "*" in minor.removesuffix("*")):
        raise ValueError(f"'{text}' is no media type, such as application/pdf or image/*")
    return text


_TYPE = [{"enum": sorted(SHORT)}, {"type": "string", "pattern": r"/|[A-Z]|^\s|\s$"}]
"""The short names, and what may be a media type or a short name with other blanks and capitals."""

MediaTypes = Annotated[
    tuple[Annotated[Words, AfterValidator(read_type)], ...],
    BeforeValidator(some),
    WithJsonSchema({"anyOf": [*_TYPE, {"type": "array", "items": {"anyOf": _TYPE}, "minItems": 1}]}),
]


def wanted_types(names: tuple[str, ...]) -> frozenset[str]:
    """Write short names out."""
    return frozenset[str]().union(
        *(SHORT.get(name.strip().lower(), frozenset({name.strip().lower()})) for name in names)
    )


def fits(media_type: Any, wanted: frozenset[str]) -> bool:
    """Say whether a type is one of those wanted, where `image/*` stands for all images."""
    return media_type in wanted or any(
        each.endswith("*") and str(media_type).startswith(each[:-1]) for each in wanted
    )
