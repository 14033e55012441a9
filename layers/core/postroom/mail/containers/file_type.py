"""Tell what a file is from its first bytes: a small ordered table, the first row that fits wins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Signature:
    """A type of content: its media type, and the extensions under which it does what it can do."""

    media_type: str
    extensions: tuple[str, ...]


_PROGRAM = Signature(
    "application/vnd.microsoft.portable-executable",
    ("exe", "dll", "scr", "com", "cpl", "sys", "ocx", "drv", "pif", "efi", "mui", "acm", "ax"),
)
_SHELL = Signature("text/x-shellscript", ("sh", "bash", "zsh", "ksh", "csh", "run", "command", "py", "pl", "rb"))
_HTML = Signature("text/html", ("html", "htm", "xhtml", "shtml", "xht"))
_MACH = Signature("application/x-mach-binary", ("macho", "dylib", "bundle", "app", "o"))

_ZIP = Signature("application/zip", ("zip",))
_JAR = Signature("application/java-archive", ("jar", "war", "ear"))
_APK = Signature("application/vnd.android.package-archive", ("apk",))
_OFFICE = {
    "word/": Signature("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ("docx", "dotx")),
    "xl/": Signature("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ("xlsx", "xltx")),
    "ppt/": Signature("application/vnd.openxmlformats-officedocument.presentationml.presentation", ("pptx", "potx")),
}

_BINARY: tuple[tuple[int, bytes, Signature], ...] = (
    (0, b"MZ", _PROGRAM),
    (0, b"ZM", _PROGRAM),
    (0, b"\x7fELF", Signature("application/x-elf", ("elf", "so", "bin", "run", "o", "ko", "appimage"))),
    (0, b"\xfe\xed\xfa\xce", _MACH),
    (0, b"\xfe\xed\xfa\xcf", _MACH),
    (0, b"\xce\xfa\xed\xfe", _MACH),
    (0, b"\xcf\xfa\xed\xfe", _MACH),
    (0, b"\xca\xfe\xba\xbe", Signature("application/java-vm", ("class",))),
    (0, b"dex\n", Signature("application/x-dex", ("dex",))),
    (0, b"L\0\0\0\x01\x14\x02\0", Signature("application/x-ms-shortcut", ("lnk",))),
    (0, b"ITSF", Signature("application/vnd.ms-htmlhelp", ("chm",))),
    (0, b"FWS", Signature("application/x-shockwave-flash", ("swf",))),
    (0, b"CWS", Signature("application/x-shockwave-flash", ("swf",))),
    (0, b"ZWS", Signature("application/x-shockwave-flash", ("swf",))),
    (0, b"\0asm", Signature("application/wasm", ("wasm",))),
    (0, b"!<arch>\ndebian", Signature("application/vnd.debian.binary-package", ("deb",))),
    (0, b"\xed\xab\xee\xdb", Signature("application/x-rpm", ("rpm",))),
    (0, b"%PDF-", Signature("application/pdf", ("pdf",))),
    (0, b"\x89PNG\r\n\x1a\n", Signature("image/png", ("png",))),
    (0, b"\xff\xd8\xff", Signature("image/jpeg", ("jpg", "jpeg", "jpe", "jfif"))),
    (0, b"GIF87a", Signature("image/gif", ("gif",))),
    (0, b"GIF89a", Signature("image/gif", ("gif",))),
    (8, b"WEBP", Signature("image/webp", ("webp",))),
    (0, b"BM", Signature("image/bmp", ("bmp", "dib"))),
    (0, b"II*\0", Signature("image/tiff", ("tif", "tiff"))),
    (0, b"MM\0*", Signature("image/tiff", ("tif", "tiff"))),
    (4, b"ftypheic", Signature("image/heic", ("heic", "heif"))),
    (4, b"ftyp", Signature("video/mp4", ("mp4", "m4v", "m4a", "mov", "3gp"))),
    (8, b"WAVE", Signature("audio/wav", ("wav",))),
    (8, b"AVI ", Signature("video/x-msvideo", ("avi",))),
    (0, b"ID3", Signature("audio/mpeg", ("mp3",))),
    (0, b"OggS", Signature("application/ogg", ("ogg", "oga", "ogv", "opus"))),
    (0, b"fLaC", Signature("audio/flac", ("flac",))),
    (0, b"\x1a\x45\xdf\xa3", Signature("video/x-matroska", ("mkv", "webm"))),
    (0, b"Rar!\x1a\x07", Signature("application/vnd.rar", ("rar", "rev", "r00"))),
    (0, b"7z\xbc\xaf\x27\x1c", Signature("application/x-7z-compressed", ("7z",))),
    (0, b"\x1f\x8b", Signature("application/gzip", ("gz", "tgz", "gzip"))),
    (0, b"BZh", Signature("application/x-bzip2", ("bz2", "tbz", "tbz2"))),
    (0, b"\xfd7zXZ\0", Signature("application/x-xz", ("xz", "txz"))),
    (0, b"\x28\xb5\x2f\xfd", Signature("application/zstd", ("zst",))),
    (0, b"MSCF", Signature("application/vnd.ms-cab-compressed", ("cab", "msu"))),
    (0, b"\x60\xea", Signature("application/x-arj", ("arj",))),
    (2, b"-lh", Signature("application/x-lzh-compressed", ("lzh", "lha"))),
    (7, b"**ACE**", Signature("application/x-ace-compressed", ("ace",))),
    (0, b"xar!", Signature("application/x-xar", ("xar", "pkg"))),
    (257, b"ustar", Signature("application/x-tar", ("tar",))),
    (0, b"vhdxfile", Signature("application/x-vhdx", ("vhdx",))),
    (0, b"conectix", Signature("application/x-vhd", ("vhd",))),
    (32769, b"CD001", Signature("application/x-iso9660-image", ("iso", "img", "udf"))),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Signature("application/x-ole-storage", ("msi", "msp", "mst"))),
    (0, b"\x78\x9f\x3e\x22", Signature("application/vnd.ms-tnef", ("dat", "tnef"))),
    (0, b"\xe4\x52\x5c\x7b", Signature("application/onenote", ("one",))),
    (0, b"\x00\x01\x00\x00Standard", Signature("application/vnd.ms-access", ("mdb", "accdb", "mde", "accde"))),
    (0, b"{\\rtf", Signature("application/rtf", ("rtf", "doc"))),
)

_AT_START = tuple(magic for offset, magic, _ in _BINARY if offset == 0)
_LATER = tuple((offset, magic) for offset, magic, _ in _BINARY if offset)

# Programs and pages that are text, without regard to case. The last column has what ASCII text must contain, in lower
# case, for a pattern to be looked for in the beginning; without it, a pattern is tried at the very start only. Each
# reads a line in one way only: a CR that two paths could take would cost 2^lines steps.
_TEXTUAL: tuple[tuple[re.Pattern[str], Signature, tuple[str, ...]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), Signature(media_type, extensions), needles)
    for pattern, media_type, extensions, needles in (
        (r"#!", _SHELL.media_type, _SHELL.extensions, ()),
        (r"<hta:application", "application/hta", ("hta",), ("<hta:",)),
        (
            r"\s*(?:<\?xml[^>]*>\s*)?(?:<package|<job\b|<scriptlet|<component\b)",
            "text/x-wsf",
            ("wsf", "wsc", "sct"),
            (),
        ),
        (r"\s*<\?php", "application/x-php", ("php", "phtml", "php5"), ()),
        (r"\s*\[InternetShortcut\]", "application/x-mswinurl", ("url", "website"), ()),
        (r"\s*\[Desktop Entry\]", "application/x-desktop", ("desktop",), ()),
        (r"\s*\[autorun\]", "text/x-autorun", ("inf",), ()),
        (r"\s*(?:Windows Registry Editor|REGEDIT4)", "text/x-registry", ("reg",), ()),
        (r"\s*(?:rem\b[^\n]*\n\s*)?@?echo off|\s*@?setlocal\b", "text/x-msdos-batch", ("bat", "cmd"), ()),
        (
            r"\bWScript\.|\bCreateObject\s*\(\s*\"|\bOn Error Resume Next",
            "text/vbscript",
            ("vbs", "vbe", "js", "jse", "wsf"),
            ("wscript.", "createobject", "on error resume next"),
        ),
        (r"#@~\^[A-Za-z0-9+/]{2,8}==", "text/vbscript.encode", ("vbe", "jse", "vbs", "js"), ("#@~^",)),
        (r"\bnew ActiveXObject\b", "text/javascript", ("js", "jse", "wsf"), ("new activexobject",)),
        (
            r"\$ErrorActionPreference|\bInvoke-Expression\b|\bNew-Object\s+(?:System\.)?Net\.",
            "text/x-powershell",
            ("ps1", "psm1", "psd1"),
            ("$erroractionpreference", "invoke-expression", "new-object"),
        ),
        (r"<svg[\s>]", "image/svg+xml", ("svg",), ("<svg",)),
        (
            r"\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body|script|iframe)[\s>]",
            _HTML.media_type,
            _HTML.extensions,
            (),
        ),
        (r"<script[\s>]", _HTML.media_type, _HTML.extensions, ("<script",)),
        (
            r"\A(?:[A-Za-z-]+:[^\n]*\n(?:[ \t][^\n]*\n)*){0,30}?MIME-Version:\s*1",
            "message/rfc822",
            ("eml", "mht", "mhtml"),
            ("mime-version:",),
        ),
    )
)
KNOWN_EXTENSIONS = frozenset(
    extension for _, _, signature in _BINARY for extension in signature.extensions
) | frozenset(extension for signature in (_ZIP, _JAR, _APK, *_OFFICE.values()) for extension in signature.extensions)
"""Extensions of files whose content is told by its first bytes."""

# What a pattern that is tried at the start may begin with: most text is told from all of them by this one.
_MAY_BEGIN = re.compile(r"#!|\s*(?:[<\[@]|windows|regedit4|rem\b|echo|setlocal)", re.IGNORECASE)
_TEXT_BYTES = 2_048
_ZIP_BYTES = 4_096
HEAD_BYTES = 32_774
"""First bytes of a file that the table looks at: an ISO 9660 image says what it is behind 16 empty sectors."""
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def sniff(head: bytes) -> str | None:
    """Return the media type of content by its first HEAD_BYTES, or None when nothing is known of it."""
    signature = identify(head)
    return signature.media_type if signature else None


@lru_cache(maxsize=4)  # the attachment rules ask several times about the file at hand
def identify(head: bytes) -> Signature | None:
    """Return the row of the table that fits the first bytes of a file."""
    if head.startswith(_AT_START) or any(head.startswith(magic, offset) for offset, magic in _LATER):
        return next(signature for offset, magic, signature in _BINARY if head.startswith(magic, offset))
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zip_based(head)
    # Readers look for the header of a PDF in the first kilobyte (ISO 32000-1, annex H).
    if b"%PDF-" in head[:1024]:
        return Signature("application/pdf", ("pdf",))
    text = _as_text(head[:_TEXT_BYTES])
    return _textual(text) if text else None


def _textual(text: str) -> Signature | None:
    lowered = text.lower() if text.isascii() else ""
    may_begin = _MAY_BEGIN.match(text)
    for pattern, signature, needles in _TEXTUAL:
        if not needles:
            if may_begin and pattern.match(text):
                return signature
        elif not lowered:
            if pattern.search(text):
                return signature
        else:
            for needle in needles:
                if needle in lowered:
                    if pattern.search(text):
                        return signature
                    break
    return None


def _zip_based(head: bytes) -> Signature:
    head = head[:_ZIP_BYTES]
    # OpenDocument and EPUB say what they are in their first entry; an EPUB has a META-INF folder as well.
    if head[30:38] == b"mimetype":
        declared = re.match(rb"application/[a-z0-9.+-]+", head[38:120])
        if declared:
            return Signature(declared[0].decode("ascii"), ("odt", "ods", "odp", "epub"))
    if b"META-INF/" in head[:200] or b"META-INF/MANIFEST.MF" in head:
        return _APK if b"AndroidManifest.xml" in head else _JAR
    if b"AndroidManifest.xml" in head:
        return _APK
    if b"[Content_Types].xml" in head:
        for folder, signature in _OFFICE.items():
            if folder.encode() in head:
                return signature
        return Signature("application/vnd.openxmlformats-package", ("docx", "xlsx", "pptx"))
    return _ZIP


def _as_text(head: bytes) -> str:
    for mark, charset in _BOMS:
        if head.startswith(mark):
            return head[len(mark) :].decode(charset, "replace")
    if head[1:2] == b"\0" and head[3:4] == b"\0":
        return head.decode("utf-16-le", "replace")
    return "" if b"\0" in head else head.decode("latin-1")
