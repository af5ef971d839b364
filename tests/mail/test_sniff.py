"""What the bytes of a file show it to be."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.mime import from_raw
from engine.mail.sniff import sniff
from tests.growth import is_linear

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


def stream(name: str) -> bytes:
    return OLE + f"{name}\0".encode("utf-16-le")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        pytest.param(b"%PDF-1.7\n", "application/pdf", id="a PDF"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "image/png", id="a picture"),
        pytest.param(b"MZ\x90\x00", "application/x-msdownload", id="a program"),
        pytest.param(zipped("a.txt"), "application/zip", id="an archive"),
        pytest.param(
            zipped("[Content_Types].xml", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            id="a document",
        ),
        pytest.param(stream("WordDocument"), "application/msword", id="an old document"),
        pytest.param(stream("Workbook"), "application/vnd.ms-excel", id="an old sheet"),
        pytest.param(stream("Book"), "application/vnd.ms-excel", id="a very old sheet"),
        pytest.param(stream("PowerPoint Document"), "application/vnd.ms-powerpoint", id="old slides"),
        pytest.param(stream("__properties_version1.0"), "application/vnd.ms-outlook", id="a saved message"),
        pytest.param(OLE, "application/x-ole-storage", id="what else such a file may be"),
        pytest.param(b"\n<!DOCTYPE html><p>", "text/html", id="a page"),
        pytest.param(b"\xef\xbb\xbf<HTML>", "text/html", id="a page behind a byte order mark"),
        pytest.param(b"<!-- x --><script>", "text/html", id="a script behind a comment"),
        pytest.param(b'<?xml version="1.0"?>\n<svg xmlns="x">', "image/svg+xml", id="a drawing"),
        pytest.param(b'<?xml version="1.0"?><order/>', "application/xml", id="XML"),
        pytest.param(b"<table-tennis>", "", id="a word in brackets"),
        pytest.param(b"Dear Ann, see <html>", "", id="text that speaks of HTML"),
        pytest.param(b"a,b\n1,2\n", "", id="text"),
        pytest.param(b"", "", id="nothing"),
    ],
)
def test_bytes_show_a_type(body: bytes, wanted: str) -> None:
    assert sniff(body) == wanted


@given(st.binary(max_size=600) | st.binary(max_size=100).map(lambda tail: b"<!--" + tail))
def test_whatever_the_bytes_are_there_is_an_answer(body: bytes) -> None:
    assert isinstance(sniff(body), str)


@pytest.mark.parametrize("piece", [b"<!--", b"<?xml ", b"<!doctype svg ", b"W\0o\0", b" ", b"PK\x03\x04"])
@pytest.mark.parametrize("start", [b"", OLE], ids=["from the start", "in an old Office file"])
def test_long_files_take_linear_time(start: bytes, piece: bytes) -> None:
    assert is_linear(lambda size: sniff(start + piece * size), 20_000)


def test_attachments_are_sniffed() -> None:
    raw = b"Content-Disposition: attachment; filename=a.pdf\nContent-Type: application/pdf\n\n<html>x\n"
    (file,) = from_raw(raw, key="k").attachments
    assert (file.type, file.sniffed) == ("application/pdf", "text/html")
