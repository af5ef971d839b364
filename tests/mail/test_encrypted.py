"""Mail that nobody but its reader can open."""

from __future__ import annotations

import pytest

from engine.mail.encrypted import hides_subject, hides_text, is_encrypted, is_signed
from engine.mail.headers import parse_headers

PGP = "Content-Type: multipart/encrypted; protocol=application/pgp-encrypted; boundary=x\n"
SMIME = "Content-Type: application/pkcs7-mime; name=smime.p7m"


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        pytest.param("Content-Type: text/plain\n", (False, False, ""), id="plain"),
        pytest.param(PGP, (True, False, "encrypted"), id="PGP/MIME"),
        pytest.param(SMIME + "; smime-type=enveloped-data\n", (True, False, "encrypted"), id="S/MIME"),
        pytest.param(SMIME + '; smime-type="authEnveloped-data"\n', (True, False, "encrypted"), id="AES-GCM"),
        pytest.param(SMIME + "\n", (True, False, "encrypted"), id="S/MIME that does not say what it is"),
        pytest.param(SMIME + "; smime-type=signed-data\n", (False, True, "wrapped in S/MIME"), id="opaque"),
        pytest.param(
            SMIME + "; smime-type=compressed-data\n", (False, False, "wrapped in S/MIME"), id="compressed"
        ),
        pytest.param("Content-Type: multipart/signed; boundary=x\n", (False, True, ""), id="clear signature"),
        pytest.param("X-Zoom-Encryption: s=Server; t=1\n", (True, False, "encrypted"), id="Zoom's"),
        pytest.param("Content-Class: rpmsg.message\n", (True, False, "encrypted"), id="Microsoft's"),
        pytest.param(
            "Content-Type: multipart/mixed; x=multipart/encrypted\n", (False, False, ""), id="only a word"
        ),
    ],
)
def test_a_header_tells(header: str, wanted: tuple[bool, bool, str]) -> None:
    headers = parse_headers(header.encode())
    assert (is_encrypted(headers), is_signed(headers), hides_text(headers)) == wanted


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        pytest.param("X-Zoom-Encryption: s\nSubject: Zoom Encrypted Email\n", True, id="Zoom's stand-in"),
        pytest.param(PGP + "Subject: ...\n", True, id="three dots"),
        pytest.param(PGP + "Subject: [...]\n", True, id="RFC 9788's"),
        pytest.param(PGP + "Subject: Encrypted Message\n", True, id="Enigmail's"),
        pytest.param(PGP + "Subject: Order 4711\n", False, id="a subject that everybody can read"),
        pytest.param(PGP, False, id="none at all"),
        pytest.param("Subject: ...\n", False, id="three dots in the open"),
    ],
)
def test_a_subject_may_be_hidden_too(header: str, wanted: bool) -> None:
    assert hides_subject(parse_headers(header.encode())) is wanted
