"""No disguise of a blocked type gets in, and ordinary files do."""

import base64
import io
import tarfile
import zipfile
from dataclasses import replace

import pytest
from postroom.mail.containers.archives import list_archive
from postroom.rules.attachments.judge import Action, AttachmentRules, Candidate, judge

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
MZ = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff"
TEXT = b"Dear all,\nthis is text.\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 64
BLOCKED = AttachmentRules(
    block=frozenset(
        {"exe", "js", "vbs", "bat", "hta", "lnk", "scr", "jar", "ps1", "com", "html", "svg", "sh", "url", "reg"}
    )
)


def candidate(
    *names: str, head: bytes = TEXT, content_type: str = "application/octet-stream", **more: object
) -> Candidate:
    return Candidate(names=names, content_type=content_type, head=head, size=len(head), **more)  # type: ignore[arg-type]


NAME_TRICKS: dict[str, tuple[str, ...]] = {
    "plain": ("setup.exe",),
    "upper case": ("SETUP.EXE",),
    "mixed case": ("setup.ExE",),
    "double extension": ("invoice.pdf.exe",),
    "inner extension": ("invoice.exe.pdf",),
    "many extensions": ("a.b.c.d.e.pdf.exe",),
    "spaces before the extension": ("report.pdf" + " " * 120 + ".exe",),
    "space after the dot": ("setup. exe",),
    "spaces in the extension": ("setup.e x e",),
    "trailing dot": ("setup.exe.",),
    "trailing dots": ("setup.exe....",),
    "trailing space": ("setup.exe ",),
    "trailing dot and space": ("setup.exe. . ",),
    "trailing no-break space": ("setup.exe\u00a0",),
    "trailing ideographic space": ("setup.exe\u3000",),
    "trailing tab": ("setup.exe\t",),
    "alternate stream": ("setup.exe::$DATA",),
    "stream behind a text file": ("readme.txt:setup.exe",),
    "index allocation": ("setup.exe:$I30:$INDEX_ALLOCATION",),
    "version suffix": ("setup.exe;1",),
    "question mark": ("setup.exe?x=.pdf",),
    "fragment": ("setup.exe#.pdf",),
    "pipe": ("setup.exe|.pdf",),
    "quotes": ('"setup.exe"',),
    "one quote": ("setup.exe'",),
    "comma": ("setup.exe,",),
    "angle brackets": ("<setup.exe>",),
    "path": ("../../setup.exe",),
    "windows path": ("..\\..\\setup.exe",),
    "trailing slash": ("setup.exe/",),
    "trailing slash and dot": ("setup.exe/.",),
    "tilde": ("setup.exe~",),
    "underscore": ("setup.exe_",),
    "NUL before a harmless end": ("setup.exe\0.pdf",),
    "NUL in the extension": ("setup.e\0xe",),
    "line end in the extension": ("setup.ex\r\ne",),
    "line end before a harmless end": ("setup.exe\n.pdf",),
    "escape character": ("setup.\x1bexe",),
    "delete character": ("setup.ex\x7fe",),
    "next line": ("setup.exe\x85",),
    "zero-width space": ("setup.e\u200bxe",),
    "zero-width joiner": ("setup.exe\u200d",),
    "zero-width no-break space": ("setup\ufeff.exe",),
    "word joiner": ("setup.\u2060exe",),
    "soft hyphen": ("setup.e\u00adxe",),
    "combining grapheme joiner": ("setup.e\u034fxe",),
    "variation selector": ("setup.exe\ufe0f",),
    "variation selector supplement": ("setup.ex\U000e0101e",),
    "tag characters": ("setup.exe\U000e0070\U000e0064\U000e0066",),
    "Hangul filler": ("setup.exe\u3164",),
    "half-width Hangul filler": ("setup.ex\uffa0e",),
    "Braille blank": ("setup.exe\u2800",),
    "Mongolian vowel separator": ("setup.ex\u180ee",),
    "right-to-left override": ("invoice\u202efdp.exe",),
    "override that shows exe": ("invoice\u202eexe.pdf",),
    "override in the extension": ("invoice.\u202eexe",),
    "left-to-right override": ("invoice\u202d.pdf",),
    "right-to-left mark": ("setup.\u200fexe",),
    "isolates": ("\u2067setup.exe\u2069.pdf",),
    "embedding": ("\u202bsetup.exe\u202c",),
    "full-width letters": ("setup.ｅｘｅ",),
    "full-width dot": ("setup．exe",),
    "small full stop": ("setup﹒exe",),
    "one dot leader": ("setup․exe",),
    "ideographic full stop": ("setup。exe",),
    "half-width ideographic full stop": ("setup｡exe",),
    "mathematical letters": ("setup.𝐞𝐱𝐞",),
    "superscript letters": ("setup.ᵉˣᵉ",),
    "circled letters": ("setup.ⓔⓧⓔ",),
    "long s": ("run.vbſ",),
    "Cyrillic letters": ("setup.ехе",),
    "one Cyrillic letter": ("setup.eхe",),
    "Greek letters": ("setup.εχε",),
    "combining accent": ("setup.e\u0301xe",),
    "percent-encoded letter": ("setup.e%78e",),
    "percent-encoded dot": ("setup%2Eexe",),
    "percent-encoded twice": ("setup%252Eexe",),
    "percent-encoded thrice": ("setup%25252Eexe",),
    "percent-encoded NUL": ("setup.exe%00.pdf",),
    "percent u": ("setup%u002Eexe",),
    "encoded word, base64": ("=?utf-8?B?" + base64.b64encode(b"setup.exe").decode() + "?=",),
    "encoded word, quoted": ("=?iso-8859-1?Q?setup=2Eexe?=",),
    "two encoded words": ("=?utf-8?Q?setup.e?= =?utf-8?Q?xe?=",),
    "encoded word inside a name": ("a=?utf-8?Q?.exe?=",),
    "quoted-printable": ("setup=2Eexe",),
    "character reference": ("setup&#46;exe",),
    "hexadecimal reference": ("setup&#x2e;exe",),
    "named reference": ("setup&period;exe",),
    "UTF-7": ("setup+AC4-exe",),
    "backslash escape": ("setup\\u002eexe",),
    "class id": ("readme.txt.{3050F4D8-98B5-11CF-BB82-00AA00BDCE0B}",),
    "two names, the second is bad": ("invoice.pdf", "setup.exe"),
    "two names, the first is bad": ("setup.exe", "invoice.pdf"),
    "three names": ("a.pdf", "a.txt", "a\u200b.js"),
    "very long name": ("a" * 300 + ".pdf" + "b" * 300 + ".exe",),
    "starts with the dot": (".exe",),
    "script": ("run.js",),
    "shortcut": ("Invoice.pdf.lnk",),
}

CONTENT_TRICKS: dict[str, tuple[tuple[str, ...], bytes, str]] = {
    "program named as picture": (("photo.jpg",), MZ, "image/jpeg"),
    "program named as PDF": (("invoice.pdf",), MZ, "application/pdf"),
    "program without a name": ((), MZ, "application/octet-stream"),
    "program without an extension": (("setup",), MZ, "text/plain"),
    "program with another extension": (("setup.dat",), MZ, "application/octet-stream"),
    "program renamed to dll": (("lib.dll",), MZ, "application/octet-stream"),
    "shortcut named as text": (("readme.txt",), b"L\0\0\0\x01\x14\x02\0\0\0", "text/plain"),
    "shell script named as text": (("readme.txt",), b"#!/bin/sh\nrm -rf ~\n", "text/plain"),
    "shell script with a mark": (("readme.txt",), b"\xef\xbb\xbf#!/bin/sh\n", "text/plain"),
    "batch file named as text": (("readme.txt",), b"@echo off\r\nformat c:\r\n", "text/plain"),
    "batch file behind an empty line": (("readme.txt",), b"\r\n@ECHO OFF\r\n", "text/plain"),
    "page named as text": (("a.txt",), b"  <!DOCTYPE html><script>", "text/plain"),
    "page behind a comment": (("a.txt",), b"<!-- x -->\n<html><body>", "text/plain"),
    "page in UTF-16": (("a.txt",), "\ufeff<html><script>".encode("utf-16-le"), "text/plain"),
    "page application": (("a.txt",), b"<html><head><HTA:APPLICATION id=x>", "text/plain"),
    "drawing named as PNG": (("a.png",), b"<?xml version='1.0'?><svg onload=alert(1)>", "image/png"),
    "script in VBS": (("a.txt",), b'Set s = CreateObject("WScript.Shell")', "text/plain"),
    "script in JScript": (("a.txt",), b"var x = new ActiveXObject('WScript.Shell')", "text/plain"),
    "encoded script": (("a.txt",), b"#@~^CgAAAA==abc", "text/plain"),
    "PowerShell": (("a.txt",), b"$ErrorActionPreference='SilentlyContinue'", "text/plain"),
    "registry file": (
        ("a.txt",),
        b"\xff\xfe" + "Windows Registry Editor Version 5.00".encode("utf-16-le"),
        "text/plain",
    ),
    "internet shortcut": (("a.txt",), b"[InternetShortcut]\r\nURL=file://", "text/plain"),
    "jar named as zip": (("a.zip",), b"PK\x03\x04" + b"\0" * 22 + b"\x14\0\0\0META-INF/MANIFEST.MF", "application/zip"),
    "declared program": (("a.dat",), TEXT, "application/x-msdownload"),
    "declared script, upper case": (("a",), TEXT, "Application/JavaScript; charset=utf-8"),
    "declared page": ((), TEXT, "text/html"),
    "declared page application": (("a.txt",), TEXT, "application/hta"),
}

ORDINARY: dict[str, Candidate] = {
    "PDF": candidate("invoice.pdf", head=PDF, content_type="application/pdf"),
    "picture": candidate("photo.png", head=PNG, content_type="image/png"),
    "site in the name": candidate("www.example.com.pdf", head=PDF),
    "library in the name": candidate("node.js.pdf", head=PDF),
    "month in the name": candidate("12.Mar.2024.pdf", head=PDF),
    "month in a text": candidate("12.Com.2024.txt", head=TEXT, content_type="text/plain"),
    "version": candidate("report v1.2.3.pdf", head=PDF),
    "old Word": candidate("letter.doc", head=OLE, content_type="application/msword"),
    "Hebrew name": candidate("חשבונית\u200f 2024.pdf", head=PDF),
    "Arabic name": candidate("فاتورة.pdf", head=PDF),
    "accents": candidate("Übersicht_résumé.pdf", head=PDF),
    "Japanese": candidate("請求書。2024年.pdf", head=PDF),
    "no name": candidate(head=PNG, content_type="image/png"),
    "no extension": candidate("README", head=TEXT, content_type="text/plain"),
    "percent": candidate("100% sure.txt", head=TEXT),
    "plus": candidate("C+A-price.txt", head=TEXT),
    "ampersand": candidate("A&B; C.txt", head=TEXT),
    "calendar": candidate("invite.ics", head=b"BEGIN:VCALENDAR\r\n", content_type="text/calendar"),
    "empty": candidate("empty.txt", head=b""),
}


def test_the_table_has_the_number_of_tricks_that_is_asked_for() -> None:
    assert len(NAME_TRICKS) + len(CONTENT_TRICKS) >= 80


@pytest.mark.parametrize("names", NAME_TRICKS.values(), ids=NAME_TRICKS.keys())
def test_a_name_that_disguises_a_blocked_type_is_not_let_in(names: tuple[str, ...]) -> None:
    decision = judge(candidate(*names, head=PDF, content_type="application/pdf"), BLOCKED)
    assert decision is not None
    assert decision.outcome == "quarantine"
    assert decision.rule.startswith("attachment:")
    assert decision.detail


@pytest.mark.parametrize(("names", "head", "declared"), CONTENT_TRICKS.values(), ids=CONTENT_TRICKS.keys())
def test_content_of_a_blocked_type_is_not_let_in(names: tuple[str, ...], head: bytes, declared: str) -> None:
    assert judge(candidate(*names, head=head, content_type=declared), BLOCKED) is not None


@pytest.mark.parametrize("ordinary", ORDINARY.values(), ids=ORDINARY.keys())
@pytest.mark.parametrize("policy", [BLOCKED, AttachmentRules()], ids=["own list", "predefined list"])
def test_an_ordinary_file_is_let_in(ordinary: Candidate, policy: AttachmentRules) -> None:
    assert judge(ordinary, policy) is None


def test_blocking_everything_overrides_the_lists() -> None:
    policy = AttachmentRules(block=frozenset(), allow=frozenset({"pdf"}), block_all=True)
    decision = judge(candidate("a.pdf", head=PDF), policy)
    assert decision is not None
    assert decision.rule == "attachment:all"


def test_the_action_is_the_outcome() -> None:
    decision = judge(candidate("a.exe"), AttachmentRules(action=Action.DELETE))
    assert decision is not None
    assert decision.outcome == "delete"


def test_sent_mail_is_scanned_only_where_that_is_configured() -> None:
    assert judge(candidate("a.exe"), AttachmentRules(), outbound=True) is None
    assert judge(candidate("a.exe"), AttachmentRules(scan_outbound=True), outbound=True) is not None


@pytest.mark.parametrize(
    ("installation_block", "installation_allow", "block", "allow", "blocked"),
    [
        ("", "", "exe", "", True),
        ("", "", "exe", "exe", False),
        ("exe", "", "", "exe", True),
        ("", "exe", "exe", "", False),
        ("exe", "exe", "exe", "", False),
        ("", "", "", "", False),
    ],
    ids=[
        "the department blocks",
        "the department allows what it blocks",
        "the installation blocks what the department allows",
        "the installation allows what the department blocks",
        "the installation allows what it blocks",
        "nobody blocks",
    ],
)
def test_the_installations_lists_supersede_the_departments(
    installation_block: str, installation_allow: str, block: str, allow: str, blocked: bool
) -> None:
    policy = AttachmentRules(
        block=frozenset(installation_block.split()),
        allow=frozenset(installation_allow.split()),
        department_block=frozenset(block.split()),
        department_allow=frozenset(allow.split()),
    )
    assert (judge(candidate("a.exe", head=MZ), policy) is not None) == blocked


def test_the_reason_names_the_list() -> None:
    policy = AttachmentRules(block=frozenset(), department_block=frozenset({"xyz"}))
    decision = judge(candidate("a.xyz"), policy)
    assert decision is not None
    assert decision.detail == ".xyz is blocked (department)"


def _zip(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return buffer.getvalue()


def _tar(mode: str, *names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 3
            archive.addfile(entry, io.BytesIO(b"abc"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        _zip("a.txt", "docs/setup.exe"),
        _zip("a.txt", "docs\\setup.exe"),
        b"MZ stub" + _zip("setup.exe"),
        _zip("x.pdf.exe").replace(b"PK\x05\x06", b"PK\x05\x07"),
        _tar("w", "a.txt", "setup.exe"),
        _tar("w:gz", "a.txt", "d/setup.exe"),
        _tar("w", "d/" * 80 + "setup.exe"),
    ],
    ids=[
        "zip",
        "zip with backslashes",
        "zip behind a program",
        "zip without its end",
        "tar",
        "tar.gz",
        "long name in a tar",
    ],
)
def test_a_blocked_type_in_an_archive_is_not_let_in(data: bytes) -> None:
    listing = list_archive(data if data.startswith(b"PK") else data[data.find(b"PK") :] if b"PK" in data[:20] else data)
    assert listing is not None
    members = candidate("files.zip", head=b"PK\x03\x04", members=listing.names)
    decision = judge(members, BLOCKED)
    assert decision is not None
    assert decision.rule == "attachment:archive"


def test_macros_in_a_document_that_should_have_none_are_found() -> None:
    listing = list_archive(_zip("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"))
    assert listing is not None
    document = candidate("letter.docx", head=b"PK\x03\x04", members=listing.names)
    assert judge(document, AttachmentRules(block=frozenset({"docm"}))) is not None
    assert judge(document, AttachmentRules(block=frozenset({"exe"}))) is None


def test_an_archive_of_ordinary_files_is_let_in() -> None:
    listing = list_archive(_zip("a.txt", "www.example.com/b.pdf", "photos/"))
    assert listing is not None
    assert listing.complete
    assert not listing.encrypted
    assert judge(candidate("files.zip", head=b"PK\x03\x04", members=listing.names), BLOCKED) is None


CONTRADICTIONS: dict[str, tuple[Candidate, bool]] = {
    "a-picture-that-is-a-pdf": (candidate("cat.png", head=PDF), True),
    "a-pdf-that-is-a-picture": (candidate("invoice.pdf", head=PNG), True),
    "declared-as-a-picture": (candidate("cat", head=PDF, content_type="image/png"), True),
    "declared-as-a-pdf": (candidate("letter", head=PNG, content_type="application/pdf"), True),
    "one-picture-for-another": (candidate("cat", head=PNG, content_type="image/jpeg"), False),
    "what-it-says": (candidate("cat.png", head=PNG, content_type="image/png"), False),
    "a-name-without-a-meaning": (candidate("cat.bin", head=PNG), False),
    "declared-as-anything": (candidate("letter", head=PDF, content_type="application/octet-stream"), False),
}


@pytest.mark.parametrize(("file", "contradicts"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
@pytest.mark.parametrize("switched_on", [True, False])
def test_what_is_of_another_type_than_it_says_is_blocked_where_it_is_switched_on(
    file: Candidate, contradicts: bool, switched_on: bool
) -> None:
    found = judge(file, replace(BLOCKED, block_mismatch=switched_on))
    assert (found is not None) == (switched_on and contradicts)
    assert found is None or found.rule == "attachment:mismatch"
    enclosed = candidate("mail.eml", enclosed=(file,))
    assert (judge(enclosed, replace(BLOCKED, block_mismatch=switched_on)) is not None) == (switched_on and contradicts)


def test_a_type_that_is_let_in_is_let_in_whatever_it_is() -> None:
    policy = replace(BLOCKED, block_mismatch=True, allow=frozenset({"png"}))
    assert judge(candidate("cat.png", head=PDF), policy) is None
