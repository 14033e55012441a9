"""Decompress Outlook's RTF ([MS-OXRTFCP]) and take the text, or the HTML that it encloses ([MS-OXRTFEX]), out of it."""

from __future__ import annotations

import re

from postroom.mail.encoding import decode

_COMPRESSED, _PLAIN = 0x75465A4C, 0x414C454D
_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0" + b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_MAX_GROUPS = 10_000  # open at one time
_MAX_BYTES = 2_000_000
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}\r\n]+)|[\r\n]+", re.DOTALL
)
_DESTINATIONS = {
    b"fonttbl",
    b"colortbl",
    b"stylesheet",
    b"info",
    b"pict",
    b"object",
    b"header",
    b"footer",
    b"listtable",
}
_DESTINATIONS |= {b"listoverridetable", b"generator", b"themedata", b"datastore", b"latentstyles", b"fldinst"}
_BREAKS = {b"par": "\n", b"line": "\n", b"tab": "\t", b"cell": "\t", b"row": "\n", b"sect": "\n", b"page": "\n"}
_SIGNS = {b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"bullet": "•", b"endash": "–"}
_SIGNS |= {b"emdash": "—", b"emspace": "\u2003", b"enspace": "\u2002", b"zwj": "", b"zwnj": ""}


def decompress(data: bytes) -> bytes | None:
    """Return the RTF in a PidTagRtfCompressed value; None when it is none. At most 2 MB are made."""
    if len(data) < 16:
        return None
    raw_size = int.from_bytes(data[4:8], "little")
    kind = int.from_bytes(data[8:12], "little")
    if kind == _PLAIN:
        return data[16 : 16 + min(raw_size, _MAX_BYTES)]
    if kind != _COMPRESSED:
        return None
    return _unpack(data[16:], min(raw_size, _MAX_BYTES))


def _unpack(data: bytes, limit: int) -> bytes:
    window = bytearray(_DICTIONARY.ljust(4096, b"\0"))
    write = len(_DICTIONARY)
    out = bytearray()
    at, size = 0, len(data)
    while at < size and len(out) < limit:
        control = data[at]
        at += 1
        for bit in range(8):
            if at >= size:
                return bytes(out)
            if control >> bit & 1:
                if at + 1 >= size:
                    return bytes(out)
                offset, length = data[at] << 4 | data[at + 1] >> 4, (data[at + 1] & 15) + 2
                at += 2
                if offset == write:
                    return bytes(out)  # a reference to the place of writing ends the stream
                for step in range(length):
                    byte = window[(offset + step) & 4095]
                    out.append(byte)
                    window[write] = byte
                    write = write + 1 & 4095
            else:
                out.append(data[at])
                window[write] = data[at]
                write = write + 1 & 4095
                at += 1
    return bytes(out)


def rtf_text(rtf: bytes) -> tuple[str | None, str | None]:
    """Return (text, None), or (None, HTML) for RTF that encloses HTML (`\\fromhtml`); destinations are left out."""
    if not rtf.lstrip().startswith(b"{\\rtf"):
        return None, None
    html = b"\\fromhtml" in rtf[:2_000]
    found = _Scanner(rtf[:_MAX_BYTES], html=html).scan()
    return (None, found) if html else (found.strip("\n"), None)


class _Scanner:
    """Go through RTF once; groups keep whether their text is shown."""

    def __init__(self, rtf: bytes, *, html: bool) -> None:
        self.rtf = rtf
        self.html = html
        self.out: list[str] = []
        self.pending = bytearray()  # bytes of \'xx and plain text, decoded together: two make one character in DBCS
        self.codepage = "cp1252"
        self.skip = 0  # of the characters that stand in for \u, by \uc
        self.fallback = 1

    def scan(self) -> str:
        groups: list[tuple[bool, bool, int]] = []
        shown, tag = True, False  # tag: within \*\htmltag, whose text is HTML as it is
        hidden_rtf = False  # between \htmlrtf and \htmlrtf0: RTF that only repeats the HTML
        starred = False
        for match in _TOKEN.finditer(self.rtf):
            word, argument, octet, symbol, brace, text = match.groups()
            if brace == b"{":
                if len(groups) >= _MAX_GROUPS:
                    break  # only hostile RTF opens and opens; what was read is kept
                groups.append((shown, tag, self.fallback))
            elif brace == b"}":
                if groups:
                    shown, tag, self.fallback = groups.pop()
            elif word:
                if word == b"htmltag" and self.html:
                    shown, tag = True, True
                elif word == b"htmlrtf":
                    hidden_rtf = argument != b"0"
                elif word in _DESTINATIONS or (starred and not tag):
                    shown = False
                elif shown and not (self.html and hidden_rtf):
                    self._word(word, argument)
            elif symbol == b"*":
                starred = True
                continue
            elif shown and not hidden_rtf:
                self._plain(octet, symbol, text)
            starred = False
        self._flush()
        return "".join(self.out).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _word(self, word: bytes, argument: bytes | None) -> None:
        if word == b"ansicpg" and argument:
            self._flush()
            self.codepage = f"cp{argument.decode('ascii')}"
        elif word == b"uc" and argument:
            self.fallback = max(0, min(int(argument), 10))
        elif word == b"u" and argument:
            self._flush()
            code = int(argument) & 0xFFFF
            self.out.append(chr(code))  # halves of UTF-16 pairs are put together at the end
            self.skip = self.fallback
        elif word in _BREAKS:
            self._flush()
            self.out.append(_BREAKS[word])
        elif word in _SIGNS:
            self._flush()
            self.out.append(_SIGNS[word])

    def _plain(self, octet: bytes | None, symbol: bytes | None, text: bytes | None) -> None:
        if octet:
            if self.skip:
                self.skip -= 1
            else:
                self.pending += bytes.fromhex(octet.decode("ascii"))
        elif symbol:
            if symbol == b"~":
                self.pending += b" "
            elif symbol in (b"\\", b"{", b"}"):
                self.pending += symbol
            elif symbol in (b"\r", b"\n"):
                self._flush()
                self.out.append("\n")
        elif text:
            cut = min(self.skip, len(text))
            self.skip -= cut
            self.pending += text[cut:]

    def _flush(self) -> None:
        if self.pending:
            self.out.append(decode(bytes(self.pending), self.codepage))
            self.pending.clear()
