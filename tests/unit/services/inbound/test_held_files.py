"""What an attachment holds is judged with it, names in archives and files of enclosed mails, through `explain`."""

from __future__ import annotations

import base64
import io
import struct
import tarfile
import zipfile
from collections.abc import Mapping

import pytest
from postroom.model.configuration.document import Configuration
from postroom.services.inbound.explanation import explain
from postroom.services.policy.compiled import Policy, policy_of

TEXT = b"Dear all,\nthis is text.\n" * 5
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return policy_of(Configuration.model_validate({}))


def part(headers: str, data: bytes) -> bytes:
    return f"{headers}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + base64.encodebytes(data)


def file(name: str, data: bytes = TEXT) -> bytes:
    return part(f'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="{name}"', data)


def enclosed(message: bytes) -> bytes:
    return b"Content-Type: message/rfc822\r\n\r\n" + message


def mail(*parts: bytes, boundary: str = "outer") -> bytes:
    mark = boundary.encode()
    head = (
        b"From: ann@example.org\r\nTo: support@example.com\r\nSubject: Files\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=" + mark + b"\r\n\r\n"
    )
    body = (b"Content-Type: text/plain\r\n\r\nSee attached.", *parts)
    return head + b"".join(b"--" + mark + b"\r\n" + one + b"\r\n" for one in body) + b"--" + mark + b"--\r\n"


def zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


def tnef(name: bytes, data: bytes) -> bytes:
    def attribute(number: int, value: bytes) -> bytes:
        return b"\x02" + struct.pack("<II", number, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)

    pieces = ((0x00069002, bytes(14)), (0x00018010, name + b"\0"), (0x0006800F, data))
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attribute(*piece) for piece in pieces)


UUENCODED = b"From: a@b.example\r\nSubject: x\r\n\r\nhi\r\nbegin 644 setup.exe\r\n#86)C\r\n`\r\nend\r\n"
INNER = mail(file("setup.exe"), boundary="inner")
EPUB = {"mimetype": b"application/epub+zip", "META-INF/container.xml": b"<container/>", "OEBPS/a.opf": b"<package/>"}
KEPT_OUT = {
    "program in a zip": file("files.zip", zipped({"a/setup.exe": TEXT})),
    "shortcut in a zip": file("files.zip", zipped({"invoice.pdf.lnk": TEXT})),
    "zip behind a picture": file("picture.gif", b"GIF89a" + bytes(50) + zipped({"setup.exe": TEXT})),
    "zip that says no name": part("Content-Type: application/zip", zipped({"setup.exe": TEXT})),
    "long name in a zip": file("files.zip", zipped({"a" * 3_000 + ".exe": TEXT})),
    "script in a compressed tar": file("files.tgz", tarred("d/run.js")),
    "long name in a tar": file("files.tgz", tarred("d/" + "a" * 3_000 + ".js")),
    "more than is looked through": b"\r\n--outer\r\n".join(
        file(f"{number}.zip", zipped({f"{number}-{n}.txt": b"" for n in range(900)})) for number in range(4)
    ),
    "disc image as a document": file("letter.pdf", bytes(32_769) + b"CD001" + bytes(500)),
    "enclosed mail": enclosed(INNER),
    "enclosed mail in base64": part("Content-Type: message/rfc822", INNER),
    "mail in a mail in a mail": enclosed(mail(enclosed(INNER), boundary="middle")),
    "mail as a file": file("letter.eml", INNER),
    "saved page": file("page.mht", INNER),
    "uuencoded in an enclosed mail": enclosed(UUENCODED),
    "winmail.dat in an enclosed mail": enclosed(
        mail(part("Content-Type: application/ms-tnef", tnef(b"setup.exe", TEXT)), boundary="inner")
    ),
    "zip in an enclosed mail": enclosed(mail(file("a.zip", zipped({"setup.exe": TEXT})), boundary="inner")),
    "sixtieth name": part(
        "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; "
        + "; ".join(f"filename=a{number}.txt" for number in range(60))
        + "; filename=setup.exe",
        TEXT,
    ),
    "twentieth header": part(
        "Content-Type: application/octet-stream\r\n"
        + "".join(f"Content-Disposition: attachment; filename=a{number}.txt\r\n" for number in range(20))
        + "Content-Disposition: attachment; filename=setup.exe",
        TEXT,
    ),
    "long name": file("a" * 5_000 + ".exe"),
    "second type": part("Content-Type: text/csv\r\nContent-Type: application/hta; name=a", TEXT),
    "name of our own making": part("Content-Type: text/x-python\r\nContent-Disposition: attachment", TEXT),
}
LET_IN = {
    "zip of documents": file("files.zip", zipped({"a/letter.pdf": b"%PDF-1.4", "a/": b"", "www.example.com/": b""})),
    "book": file("book.epub", zipped(EPUB)),
    "document": file("letter.docx", zipped({"[Content_Types].xml": b"x", "word/document.xml": b"x"})),
    "enclosed mail with a document": enclosed(mail(file("letter.pdf", b"%PDF-1.4"), boundary="inner")),
    "enclosed mail about a site": enclosed(b"From: a@b.example\r\nSubject: see example.com\r\n\r\nhi\r\n"),
    "picture of a site": part("Content-Type: image/png\r\nContent-Location: http://www.example.com/", PNG),
}


def attachments(raw: bytes, policy: Policy) -> list[dict[str, object]]:
    found: list[dict[str, object]] = explain(raw, source="test", policy=policy)["attachments"]
    return found


@pytest.mark.feature("C11")
@pytest.mark.parametrize("carried", KEPT_OUT.values(), ids=KEPT_OUT)
def test_what_holds_a_blocked_file_is_kept_out(policy: Policy, carried: bytes) -> None:
    found = attachments(mail(carried), policy)
    assert found
    assert any(one["blocked"] for one in found)


@pytest.mark.feature("C11")
@pytest.mark.parametrize("carried", LET_IN.values(), ids=LET_IN)
def test_what_holds_ordinary_files_is_let_in(policy: Policy, carried: bytes) -> None:
    found = attachments(mail(carried), policy)
    assert found
    assert [one["blocked"] for one in found] == [None] * len(found)


def test_mails_within_mails_are_looked_through_so_far_and_kept_out_beyond(policy: Policy) -> None:
    raw = mail(file("letter.pdf", b"%PDF-1.4"), boundary="b0")
    for depth in range(1, 30):
        raw = mail(enclosed(raw), boundary=f"b{depth}")
        (one,) = attachments(raw, policy)
        assert bool(one["blocked"]) == (depth > 20), depth
