"""Decode bytes of a named, misnamed or unnamed charset to text, never raising.

The order is: the declared charset (in the wider form that senders mean), UTF-8, a guess by charset-normalizer, and
at last windows-1252.
"""

import codecs
import re
from dataclasses import dataclass

from postroom.mail.encoding import iso2022jp
from postroom.mail.encoding.charset_names import codec_name

# Bytes that these leave undefined are what real senders put there: a second codec is asked before guessing.
_WIDER = {"big5hkscs": ("cp950",), "iso2022_jp": ("iso2022_jp_2004",), "euc_jp": ("euc_jis_2004",)}
# A language's other charsets: Japanese gateways relabel without recoding, Chinese senders mix up theirs.
_RELATED = {"iso2022_jp": ("euc_jp", "cp932"), "cp932": ("euc_jp",), "euc_jp": ("cp932",), "gb18030": ("big5hkscs",)}
_RELATED |= {"big5hkscs": ("gb18030",), "hz": ("gb18030",), "iso2022_kr": ("cp949",)}
_GUESS_BYTES = 8_192
# What mail without a true label is written in; Macintosh and DOS code pages would win too often on short text.
_LATIN = ["cp1252", "cp1250", "cp1254", "cp1257", "iso8859_2"]
_OTHER = ["cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874", "gb18030", "cp932", "euc_jp", "cp949", "big5hkscs"]
# Signs that cp1252 has where cp1250 has letters: within a word they show that it is not Western.
_NOT_WESTERN = re.compile(r"\w[\u00b9\u00b3\u00bf\u00be\u00bc\u00aa\u00ba\u00a3\u00a5\u00af]+\w|[^\W\d_][»±¶][^\W\d_]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_C1 = re.compile("[\x80-\x9f]")
_LONG_HIGH_RUN = re.compile(rb"[\x80-\xff]{4,}")
_GB_LEADS = bytes([0xA1, 0xA2, 0xA3, 0xA6, 0xA7, *range(0xB0, 0xF8)])
_GB_TRAILS = bytes(range(0xA1, 0xFF))
# Thai (TIS-620): a third of it is vowels and tone marks, and what stands above or below a consonant is behind it.
_THAI_VOWEL = re.compile(rb"[\xd0-\xda\xe0-\xee]")
_THAI = re.compile(
    rb"(?:[\xa1-\xd0\xd2\xd3\xdf-\xe6]|(?<=[\xa1-\xce\xd1\xd4-\xda\xe7-\xee])[\xd1\xd4-\xda\xe7-\xee])++"
)
_LETTERS = bytes([*range(65, 91), *range(97, 123), *range(128, 256)])
# A guess is corrected by letters that only another charset of the same script has in their place: the codec guessed,
# what must be there, what must not, the better codec.
_CORRECTIONS = (
    # Turkish: ý, þ and ð are Icelandic too, which has acute vowels beside them.
    ("cp1252", ("[ýþðÝÞÐ]", "[çöüÇÖÜ]"), "[áéíóúæÁÉÍÓÚÆ]", "cp1254"),
    ("cp1250", (r"\w[±¶]|[±¶]\w|\w»\w",), "$^", "iso8859_2"),  # Polish, and Slovak ť
    ("cp1250", ("[ěřů]", "[ąľ]"), "[łęćż]", "iso8859_2"),  # Czech: š and ž of ISO-8859-2
    ("koi8-r", ("[╓╕╖╜╢╤╥╫]",), "[─│┌┐└┘├┤]", "koi8_u"),  # Ukrainian letters where Russian has lines
)


@dataclass(slots=True)
class GuessBudget:
    """Bound how often one message may have a charset guessed: a guess costs as much as a hundred decodings."""

    left: int = 20

    def take(self) -> bool:
        """Use up one guess, if there is one left."""
        self.left -= 1
        return self.left >= 0


def decode(data: bytes, declared: str | None, *, budget: GuessBudget | None = None) -> str:
    """Decode `data` as `declared` if that can be, else as UTF-8, else as what it looks like; U+FFFD at worst."""
    return decode_checked(data, declared, budget=budget)[0]


def decode_checked(data: bytes, declared: str | None, *, budget: GuessBudget | None = None) -> tuple[str, bool]:
    """Decode as `decode` does, and say whether the declared charset was taken at its word."""
    codec = codec_name(declared) if declared else ""
    if codec in ("", "us-ascii", "utf-8", "windows-1252"):
        return _decode_common(data, codec, budget)
    text = _strict(data, codec)
    if text is not None:
        return text, True
    if codec == "iso2022_jp":
        text = iso2022jp.decode(data)
        if text is not None:
            return text, True
    for wider in _WIDER.get(codec, ()):
        text = _strict(data, wider)
        if text is not None:
            return text, True
    for other in ("utf-8", *_RELATED.get(codec, ())):
        text = _strict(data, other)
        if text is not None:
            return text, False
    return _replacing(data, codec, budget), False


def _strict(data: bytes, codec: str) -> str | None:
    try:
        # RFC 2781 §4.3 would read unmarked UTF-16 as big-endian; real senders are little-endian (WHATWG §14.4).
        return data.decode(codec).removeprefix("\ufeff")
    except (UnicodeError, LookupError, ValueError):
        return None


# How many whole characters of UTF-8 outweigh a damaged one, by what the label says.
_WHOLE_TO_DAMAGED = {"utf-8": 2, "us-ascii": 6, "": 6}


def _decode_common(data: bytes, codec: str, budget: GuessBudget | None) -> tuple[str, bool]:
    """Decode what needs no search: ASCII, UTF-8, and Latin-1 under any of its names."""
    if data.isascii():
        # Japanese mail without a charset, or under a wrong one, is ISO-2022-JP: its escapes are ASCII bytes.
        if b"\x1b$" in data:
            text = _strict(data, "iso2022_jp") or iso2022jp.decode(data)
            if text is not None:
                return text, False
        return data.decode("ascii"), True
    # Latin-1 text that happens to be valid UTF-8 hardly occurs; UTF-8 labelled Latin-1 does.
    text = _strict(data, "utf-8")
    if text is not None and (codec != "windows-1252" or _is_surely_utf8(data)):
        return text, codec == "utf-8"
    if codec == "windows-1252":
        if _is_hardly_western(data):
            return _guess(data, budget), False
        text = _strict(data, "cp1252")
        return (text if text is not None else data.decode("latin-1")), True
    replaced = data.decode("utf-8", "replace")
    damaged = replaced.count("\ufffd")
    # Other charsets make valid UTF-8 by accident only: damaged characters are shown as such where whole ones are many.
    if damaged * _WHOLE_TO_DAMAGED[codec] <= _non_ascii(replaced) - damaged:
        return replaced.removeprefix("\ufeff"), False
    return _guess(data, budget), False


def _is_surely_utf8(data: bytes) -> bool:
    """Say whether valid UTF-8 is no accident: more than one character of it, a long one, or one small Latin letter."""
    runs: list[bytes] = _HIGH_RUN.findall(data)
    if len(runs) != 1 or len(runs[0]) != 2:
        return True
    return runs[0][0] == 0xC3 and runs[0][1] >= 0xA0


def _is_hardly_western(data: bytes) -> bool:
    """Say whether text under a Latin-1 label is in another script: most of its words are bytes above ASCII only."""
    sample = _sample(data)
    runs = _LONG_HIGH_RUN.findall(sample)
    long = sum(map(len, runs))
    return long >= 12 and long * 5 > 3 * (len(sample) - len(sample.translate(None, _LETTERS)))


def _non_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def _replacing(data: bytes, codec: str, budget: GuessBudget | None) -> str:
    """Decode with replacement characters when few are needed, else guess."""
    try:
        text = data.decode(codec, "replace").removeprefix("\ufeff")
    except (UnicodeError, LookupError, ValueError):
        return _guess(data, budget)
    damaged = text.count("\ufffd")
    others = _non_ascii(text) - damaged
    # A last character that was cut off is common, and no sign of another charset.
    if damaged * 10 <= others or (damaged == 1 and others >= 2) or data.isascii():
        return text
    return _guess(data, budget)


def _guess(data: bytes, budget: GuessBudget | None) -> str:
    """Ask charset-normalizer about a sample rich in non-ASCII bytes; windows-1252 when it does not know."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = _strict(data, "utf-16")
        if text is not None:
            return text
    if _is_surely_gb2312(data):
        text = _strict(data, "gb18030")
        if text is not None:
            return text
    latin = _looks_latin(data)
    if latin:
        text = _strict(data, "cp1252")
        if text is not None and not _NOT_WESTERN.search(text):
            return _corrected(text, data, "cp1252")
    if budget is None or budget.take():
        name = _normalizer(_sample(data), _LATIN if latin else _OTHER)
        codec = codec_name(name) if name else ""
        if codec:
            text = _strict(data, codec)
            if text is not None:
                return _corrected(text, data, codec)
            # A wrong byte somewhere: the sample's charset still reads best.
            text = data.decode(codec, "replace")
            if text.count("\ufffd") * 50 <= _non_ascii(text):
                return text
    text = _strict(data, "cp1252")
    return _corrected(text, data, "cp1252") if text is not None else data.decode("latin-1")


def _corrected(text: str, data: bytes, codec: str) -> str:
    """Return a guessed text, or the text in a charset that its letters speak for."""
    sample = text[:_GUESS_BYTES]
    for guessed, needed, forbidden, better in _CORRECTIONS:
        if codec != guessed or re.search(forbidden, sample):
            continue
        if all(re.search(pattern, sample) for pattern in needed):
            corrected = _strict(data, better)
            # ISO-8859 has no quotation marks: what has them is a code page of Windows.
            if corrected is not None and not _C1.search(corrected):
                return corrected
    return text


def _is_surely_gb2312(data: bytes) -> bool:
    """Say whether all bytes above ASCII are Chinese characters, and could be no other language's.

    A name or one line of a long text is too little for statistics. Rows of GB2312: 1-9 are signs, 16-55 the common
    characters by sound. Japanese ends its common ones at row 47 and has kana in rows 4 and 5, Korean its syllables at
    row 40; Cyrillic letters lie from 0xC0 on.
    """
    start = _HIGH_RUN.search(data)
    runs: list[bytes] = _HIGH_RUN.findall(data, start.start(), start.start() + _GUESS_BYTES) if start else []
    if not runs or any(len(run) % 2 for run in runs[:-1]) or max(map(len, runs)) < 4:
        return False
    leads = b"".join(run[: len(run) & ~1 : 2] for run in runs)
    trails = b"".join(run[1::2] for run in runs)
    if leads.translate(None, _GB_LEADS) or trails.translate(None, _GB_TRAILS):
        return False
    common = sum(0xB0 <= lead <= 0xD7 for lead in leads)
    low = sum(byte < 0xC0 for byte in (*leads, *trails))
    is_likely = common * 4 >= len(leads) * 3 and low > 0 and any(0xD0 <= lead <= 0xD7 for lead in leads)
    high = b"".join(runs)
    return is_likely and (10 * len(_THAI_VOWEL.findall(high)) < 3 * len(high) or not _THAI.fullmatch(high))


def _looks_latin(data: bytes) -> bool:
    """Say whether bytes above ASCII stand alone between letters; other scripts have runs of them."""
    sample = _sample(data)
    runs = _HIGH_RUN.findall(sample)
    high = sum(map(len, runs))
    longest = max(map(len, runs), default=0)
    if high <= 3 or high * 12 < len(sample):
        return True  # too little to tell: what most mail is
    return (high < len(runs) * 1.6 or longest <= 2) and high * 2 < len(sample)


def _sample(data: bytes) -> bytes:
    """Take the lines with non-ASCII bytes, up to 8 KB: what tells charsets apart, at bounded cost."""
    if len(data) <= _GUESS_BYTES:
        return data
    match = re.search(rb"[\x80-\xff]", data)
    start = max(0, match.start() - 256) if match else 0
    return data[start : start + _GUESS_BYTES]


def _normalizer(sample: bytes, candidates: list[str]) -> str | None:
    import charset_normalizer  # imported late: it takes longer than reading most mails

    best = charset_normalizer.from_bytes(
        sample, steps=3, chunk_size=512, cp_isolation=candidates, enable_fallback=False
    ).best()
    return best.encoding if best is not None else None
