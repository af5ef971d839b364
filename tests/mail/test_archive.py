"""Mail that lies in files."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from engine.errors import PostroomError
from engine.mail import archive
from engine.mail.archive import Archived, read_archive

ONE, TWO = b"Subject: one\n\n1\n", b"Subject: two\n\n2\n"
MBOX = (
    b"From ann@x Mon Jan  1 00:00:00 2026\n" + ONE + b">From here\n>>From there\nFrom here on it is text\n\n"
    b"From now on, too\n\nFrom bob@x Mon Jan  1 00:01:00 2026\r\n" + TWO
)


def listed(path: Path) -> list[tuple[str, bytes]]:
    return [(entry.name, entry.raw) for entry in read_archive(path)]


def test_one_file_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(b"From an mbox 00:00\n" + ONE)
    assert list(read_archive(path)) == [Archived("a.eml", b"From an mbox 00:00\n" + ONE)]


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("c.eml", "b/z.eml", "b/a.eml", ".hidden", "a-b.eml"):
        (tmp_path / name).write_bytes(ONE)
    assert [name for name, _ in listed(tmp_path)] == ["a-b.eml", "b/a.eml", "b/z.eml", "c.eml"]


def test_an_mbox_is_cut_where_messages_begin(tmp_path: Path) -> None:
    path = tmp_path / "mail.mbox"
    path.write_bytes(MBOX)
    first = ONE + b"From here\n>From there\nFrom here on it is text\n\nFrom now on, too\n"
    assert listed(path) == [("mail.mbox#0", first), ("mail.mbox#1", TWO)]
    assert [name for name, _ in listed(tmp_path)] == ["mail.mbox#0", "mail.mbox#1"]


def test_an_mbox_of_the_standard_library_is_read_back(tmp_path: Path) -> None:
    import mailbox

    box = mailbox.mbox(tmp_path / "box")
    for raw in (ONE, b"Subject: x\n\nFrom me\n\nFrom you 10:00\n", TWO):
        box.add(raw)
    box.close()
    assert [raw for _, raw in listed(tmp_path / "box")] == [
        ONE,
        b"Subject: x\n\nFrom me\n\nFrom you 10:00\n",
        TWO,
    ]


def test_a_maildir_s_flags_are_labels(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp"):
        (tmp_path / folder).mkdir()
    for name in ("cur/1:2,", "cur/2:2,S", "cur/3:2,FS", "cur/4:2,ST", "new/5", "tmp/6", "index.cache"):
        (tmp_path / name).write_bytes(ONE)
    assert [(entry.name, set(entry.labels)) for entry in read_archive(tmp_path)] == [
        ("cur/1:2,", {"INBOX", "UNREAD"}),
        ("cur/2:2,S", {"INBOX"}),
        ("cur/3:2,FS", {"INBOX", "STARRED"}),
        ("cur/4:2,ST", {"TRASH"}),
        ("new/5", {"INBOX", "UNREAD"}),
    ]


def test_a_zip_keeps_its_own_order(tmp_path: Path) -> None:
    path = tmp_path / "mail.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.mkdir("z")
        made.writestr("z/b.eml", ONE)
        made.writestr("a.eml", TWO)
    assert listed(path) == [("z/b.eml", ONE), ("a.eml", TWO)]


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MESSAGE_BYTES", 50)
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04broken")
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("bomb", b"\0" * 100_000)
        made.writestr("fine", ONE)
        made.writestr("bad", ONE, compress_type=zipfile.ZIP_STORED)
    data = (tmp_path / "b.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(data.replace(b"badSubject", b"badsUbject"))
    (tmp_path / "c.mbox").write_bytes(b"From x\n" + b"y" * 60 + b"\n\nFrom x 00:00\n" + ONE)
    (tmp_path / "d.eml").write_bytes(b"x" * 51)
    errors = {entry.name: entry.error for entry in read_archive(tmp_path)}
    for path in sorted(tmp_path.glob("*.zip")):
        errors |= {entry.name: entry.error for entry in read_archive(path)}
    assert errors["a.zip"].startswith("broken zip")
    assert errors["bomb"] == errors["d.eml"] == errors["c.mbox#0"] == "larger than 50 bytes"
    assert errors["bad"].startswith("cannot be unpacked")
    assert errors["fine"] == errors["c.mbox#1"] == ""


def test_what_is_no_mail_is_named_and_not_judged(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"")
    (tmp_path / "b.gz").write_bytes(b"\x1f\x8b\x08\0\n\n")
    (tmp_path / "c.eml").symlink_to("nowhere")
    os.mkfifo(tmp_path / "d")
    (tmp_path / "e").symlink_to(tmp_path.parent)
    (tmp_path / "f.mbox").write_bytes(b"")
    (tmp_path / "g.mbox").write_bytes(b"From ann@x 00:00\n\ntext\n\nFrom bob@x 00:00\n" + ONE)
    no_mail = "no mail: it does not begin with header fields"
    assert {entry.name: entry.error for entry in read_archive(tmp_path)} == {
        "a.eml": "empty",
        "b.gz": no_mail,
        "c.eml": "a link that leads nowhere",
        "d": "neither a file nor a folder",
        "e": "a link to a folder, which is not followed",
        "g.mbox#0": no_mail,
        "g.mbox#1": "",
    }
    assert [entry.error for entry in read_archive(tmp_path / "d")] == ["neither a file nor a folder"]


def test_a_maildir_s_broken_entries_are_named(tmp_path: Path) -> None:
    for folder in ("cur", "new"):
        (tmp_path / folder).mkdir()
    (tmp_path / "cur" / "1").symlink_to("nowhere")
    assert [(entry.name, entry.error) for entry in read_archive(tmp_path)] == [
        ("cur/1", "a link that leads nowhere")
    ]


def test_a_zip_holds_mboxes_and_no_litter(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("__MACOSX/._one.eml", ONE)
            made.writestr(".DS_Store", b"\0\0\0\1Bud1")
            made.writestr("box", MBOX)
            made.writestr("empty.mbox", b"")
            made.writestr("one.eml", ONE)
            made.writestr("two.gz", b"\x1f\x8b\x08")
    names = ["box#0", "box#1", "one.eml", "two.gz"]
    found = list(read_archive(tmp_path / "a.zip"))
    assert [entry.name for entry in found] == names
    assert [bool(entry.error) for entry in found] == [False, False, False, True]
    assert [name for name, _ in listed(tmp_path)] == [f"{z}.zip/{name}" for z in "ab" for name in names]


@pytest.mark.parametrize(
    ("line", "count"),
    [
        pytest.param(b"From bob\nSubject: two\n", 2, id="a sender alone"),
        pytest.param(b"From bob@x Thu Jan 1 2026\nX-A:\n", 2, id="a date alone"),
        pytest.param(b"From here\non and: on\n", 1, id="no field name below"),
        pytest.param(b"From here\nhttp://x.example\n", 1, id="an address of the web below"),
        pytest.param(b"From all of us\nNote: text\n", 1, id="a sentence"),
    ],
)
def test_an_mbox_s_messages_may_begin_without_a_time(tmp_path: Path, line: bytes, count: int) -> None:
    (tmp_path / "box").write_bytes(b"From ann\n" + ONE + b"\n" + line + b"\n")
    assert len(listed(tmp_path / "box")) == count


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(ONE)
    (tmp_path / "a.eml").chmod(0)
    assert [entry.error for entry in read_archive(tmp_path)] == ["Permission denied"]


def test_nothing_there_is_an_error_that_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(PostroomError, match=r"gone\.eml: no such file or folder"):
        read_archive(tmp_path / "gone.eml")
