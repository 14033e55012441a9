"""What is odd about a file is said of each that has it; and no name in a container is overlooked."""

import base64
import io
import struct
import zipfile
import zlib

import pytest
from postroom.mail.containers.archives import list_archive
from postroom.mail.content.body_parts import bodies
from postroom.mail.content.signed import Protection, protection
from postroom.mail.reader import read
from postroom.model.configuration.document import Configuration
from postroom.model.understanding import Understanding
from postroom.rules.attachments.judge import DANGEROUS
from postroom.services.inbound.understand_mail import understand
from postroom.services.policy.compiled import policy_of

OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
# Gmail's list and the common attachments filter of Exchange Online, 2025; what is judged by content stays out.
GMAIL = (
    "ade adp apk appx appxbundle bat cab chm cmd com cpl diagcab diagcfg diagpkg dll dmg ex ex_ exe hta img ins iso "
    "isp jar jnlp js jse lib lnk mde mjs msc msi msix msixbundle msp mst nsh pif ps1 scr sct shb sys vb vbe vbs vhd "
    "vxd wsc wsf wsh xll"
)
EXCHANGE = (
    "ace ani apk app appx arj bat cab cmd com deb dex dll elf exe hta img iso jar jnlp kext lha lib library lnk lzh "
    "macho msc msi msix msp mst pif reg rev scf scr sct sys uif vb vbe vbs vxd wsc wsf wsh xll"
)


def understood(data: bytes, *, kind: str = "application/octet-stream", name: str = "file.bin") -> Understanding:
    """Return what becomes of a mail with one file."""
    head = b"From: a@b.example\nContent-Type: multipart/mixed; boundary=q\n\n--q\n\nHello\n--q\n"
    part = f'Content-Type: {kind}\nContent-Disposition: attachment; filename="{name}"\n'.encode()
    raw = head + part + b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(data) + b"\n--q--\n"
    return understand(raw, policy=policy_of(Configuration.model_validate({})))


def remarks_of(mail: Understanding) -> list[str]:
    """Return what is said of the files of a mail."""
    return [str(one.outcome) for one in mail.decisions if one.rule == "attachment:note"]


def archive(names: dict[str, bytes], *, extra: bytes = b"") -> bytes:
    """Return a zip; `extra` is the extra field of each entry, in both directories."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in names.items():
            info = zipfile.ZipInfo(name)
            info.extra = extra
            made.writestr(info, data)
    return out.getvalue()


def unicode_path(name: str, of: str, *, checksum: int | None = None) -> bytes:
    """Return an Info-ZIP Unicode Path field."""
    crc = zlib.crc32(of.encode()) if checksum is None else checksum
    return struct.pack("<2HBL", 0x7075, 5 + len(name.encode()), 1, crc) + name.encode()


def test_the_default_list_has_what_the_big_providers_keep_out() -> None:
    assert set(GMAIL.split()) <= DANGEROUS
    assert set(EXCHANGE.split()) <= DANGEROUS


@pytest.mark.parametrize("checksum", [None, 7])
@pytest.mark.parametrize("cut", ["", "central", "local"])
def test_the_unicode_name_of_an_entry_counts_in_either_directory(checksum: int | None, cut: str) -> None:
    data = archive({"a.txt": b"x"}, extra=unicode_path("tür.exe", "a.txt", checksum=checksum))
    name = "tür.exe".encode()
    if cut == "central":
        at = data.rindex(name)
        data = data[:at] + b"x" * len(name) + data[at + len(name) :]
    elif cut == "local":
        at = data.index(name)
        data = data[:at] + b"x" * len(name) + data[at + len(name) :]
    listing = list_archive(data)
    assert listing is not None
    assert {"a.txt", "tür.exe"} <= set(listing.names)
    assert understood(data, name="a.zip").files[0].attachment.blocked is not None


@pytest.mark.parametrize("extra", [b"\x75\x70", b"\x75\x70\xff\xff\x01", b"\x75\x70\x04\x00abcd", b"\x00" * 7])
def test_a_damaged_extra_field_is_no_error(extra: bytes) -> None:
    data = archive({"a.txt": b"x"})
    at = data.index(b"a.txt")
    listing = list_archive(data[: at - 2] + struct.pack("<H", len(extra)) + b"a.txt" + extra + data[at + 5 :])
    assert listing is not None
    assert "a.txt" in listing.names


def encrypted() -> bytes:
    """Return a zip whose entry says that it is encrypted."""
    data = bytearray(archive({"a.txt": b"x"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "kind", "name", "expected"),
    [
        pytest.param(encrypted(), "application/octet-stream", "a.zip", ["encrypted"], id="encrypted archive"),
        pytest.param(OLE + "EncryptedPackage".encode("utf-16-le"), "x/y", "a.doc", ["encrypted"], id="doc"),
        pytest.param(b"%PDF-1.7\n/Encrypt 5 0 R", "application/pdf", "a.pdf", ["encrypted"], id="encrypted PDF"),
        pytest.param(OLE + "_VBA_PROJECT".encode("utf-16-le"), "application/msword", "a.doc", ["macros"], id="macros"),
        pytest.param(archive({"word/a.xml": b"", "word/vbaProject.bin": b"x"}), "x/y", "a.docx", ["macros"], id="docx"),
        pytest.param(b"%PDF-1.7", "image/png", "a.png", ["mismatch"], id="a PDF called a picture"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "image/jpeg", "a.pdf", ["mismatch"], id="a picture called a PDF"),
        pytest.param(archive({"a.txt": b"x"}), "application/pdf", "a.pdf", ["mismatch"], id="an archive called a PDF"),
        pytest.param(b"x", "message/partial; id=1; number=1", "a.eml", ["partial"], id="a piece of a mail"),
        pytest.param(b"x", "message/external-body; access-type=url", "a.bin", ["remote"], id="an external body"),
        pytest.param(
            b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nATTACH;FMTTYPE=a/b:https://x.example/a.exe\nEND:VEVENT\n",
            "application/ics", "a.ics", ["remote"], id="a remote file of a calendar entry",
        ),
        pytest.param(archive({"a.txt": b"x"}), "application/zip", "a.zip", [], id="an archive"),
        pytest.param(archive({"[Content_Types].xml": b"", "word/a": b""}), "a/b", "a.docx", [], id="a document"),
        pytest.param(OLE, "application/msword", "a.doc", [], id="an old document"),
        pytest.param(b"\xff\xd8\xff", "image/jpeg", "a.jpg", [], id="a picture"),
        pytest.param(b"%PDF-1.7", "application/pdf", "scan.bin", [], id="a name that says nothing"),
        pytest.param(b"BEGIN:VCALENDAR\nATTACH:CID:a@b\n", "text/calendar", "a.ics", [], id="a calendar entry"),
    ],
)  # fmt: skip
def test_what_is_odd_about_a_file_is_said(data: bytes, kind: str, name: str, expected: list[str]) -> None:
    assert remarks_of(understood(data, kind=kind, name=name)) == expected


def der(tag: int, *content: bytes) -> bytes:
    """Return a DER element."""
    body = b"".join(content)
    size = bytes([len(body)]) if len(body) < 128 else b"\x82" + struct.pack(">H", len(body))
    return bytes([tag]) + size + body


def signature_around(content: bytes) -> bytes:
    """Return CMS SignedData around content."""
    signed, data = bytes.fromhex("06092a864886f70d010702"), bytes.fromhex("06092a864886f70d010701")
    inner = der(0x30, data, der(0xA0, der(0x04, content)))
    return der(0x30, signed, der(0xA0, der(0x30, der(0x02, b"\1"), der(0x31), inner)))


ENVELOPE = der(0x30, bytes.fromhex("06092a864886f70d010703"), der(0xA0, der(0x30, der(0x02, b"\0"))))
PROGRAM = b"MZ" + bytes(100)


def tnef_with(name: str, data: bytes) -> bytes:
    """Return a TNEF stream with one file."""

    def attribute(number: int, value: bytes) -> bytes:
        return struct.pack("<BLL", 2, number, len(value)) + value + b"\0\0"

    start = attribute(0x00069002, bytes(14))
    titled = attribute(0x00018010, name.encode() + b"\0") + attribute(0x0006800F, data)
    return struct.pack("<LH", 0x223E9F78, 1) + start + titled


@pytest.mark.parametrize("kind", ["application/octet-stream", "image/png", "application/pdf", "x/y"])
def test_a_tnef_stream_is_opened_whatever_it_is_called(kind: str) -> None:
    mail = understood(tnef_with("a.exe", PROGRAM), kind=kind, name="holiday.png")
    assert [(one.attachment.name, one.attachment.blocked is not None) for one in mail.files] == [("a.exe", True)]


@pytest.mark.parametrize("name", ["a.p7m", "a.bin", "invoice.xml.p7m"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PROGRAM, id="a program"),
        pytest.param(archive({"a.exe": b"x"}), id="an archive"),
        pytest.param(b'From: a@b.c\nMIME-Version: 1.0\nContent-Type: application/x; name="a.exe"\n\nx', id="a mail"),
        pytest.param(tnef_with("a.exe", PROGRAM), id="a TNEF stream"),
    ],
)
def test_what_a_signature_is_around_is_judged_whatever_it_is_called(name: str, content: bytes) -> None:
    assert understood(signature_around(content), name=name).files[0].attachment.blocked is not None


def test_a_signed_document_is_a_file_and_no_protection_of_the_mail() -> None:
    mail = understood(signature_around(b"<invoice/>"), name="invoice.xml.p7m")
    assert mail.files[0].attachment.blocked is None
    assert "Protection" not in mail.attributes


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/x-unknown"])
def test_a_mail_that_is_nothing_but_a_cms_structure_is_known_by_it(kind: str) -> None:
    def mail_of(data: bytes) -> bytes:
        head = f"From: a@b.example\nContent-Type: {kind}\nContent-Transfer-Encoding: base64\n\n"
        return head.encode() + base64.encodebytes(data)

    enveloped = protection(read(mail_of(ENVELOPE)))
    assert enveloped is not None
    assert enveloped.kind is Protection.SMIME_ENCRYPTED
    signed = read(mail_of(signature_around(b"Content-Type: text/plain\n\nHello")))
    found = protection(signed)
    assert found is not None
    assert found.kind is Protection.SMIME_OPAQUE
    assert bodies(signed).text == "Hello"
