"""Name the Python codec for a charset as senders write it, in the wider form that they mean.

RFC 2978 registers the names; the wider forms are those of the WHATWG Encoding Standard §4.2.
"""

import codecs
import re
from encodings.aliases import aliases
from functools import lru_cache

# Names that senders use and Python does not know, or whose wider form is what senders mean.
_ALIASES = {
    "": "",
    "ascii": "us-ascii",
    "usascii": "us-ascii",
    "ansix341968": "us-ascii",
    "ansix341986": "us-ascii",
    "iso646us": "us-ascii",
    "7bit": "us-ascii",
    "646": "us-ascii",
    "iso88591": "windows-1252",
    "iso885911987": "windows-1252",
    "latin1": "windows-1252",
    "l1": "windows-1252",
    "isoir100": "windows-1252",
    "cp819": "windows-1252",
    "ibm819": "windows-1252",
    "cp1252": "windows-1252",
    "windows1252": "windows-1252",
    "win1252": "windows-1252",
    "ansi": "windows-1252",
    "iso88598i": "iso-8859-8",
    "iso88598e": "iso-8859-8",
    "iso88596i": "iso-8859-6",
    "iso88596e": "iso-8859-6",
    "iso88599": "windows-1254",
    "latin5": "windows-1254",
    "iso885911": "cp874",
    "tis620": "cp874",
    "tis6202533": "cp874",
    "windows874": "cp874",
    "gb2312": "gb18030",
    "gb231280": "gb18030",
    "csgb2312": "gb18030",
    "euccn": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "ms936": "gb18030",
    "windows936": "gb18030",
    "gb18030": "gb18030",
    "chinese": "gb18030",
    "xgbk": "gb18030",
    "hzgb2312": "hz",
    "big5": "big5hkscs",
    "cnbig5": "big5hkscs",
    "xxbig5": "big5hkscs",
    "big5eten": "big5hkscs",
    "ksc5601": "cp949",
    "ksc56011987": "cp949",
    "ksc56011989": "cp949",
    "ks_c_56011987": "cp949",
    "euckr": "cp949",
    "korean": "cp949",
    "windows949": "cp949",
    "xwindows949": "cp949",
    "shiftjis": "cp932",
    "sjis": "cp932",
    "xsjis": "cp932",
    "mskanji": "cp932",
    "windows31j": "cp932",
    "cswindows31j": "cp932",
    "windows932": "cp932",
    "ms932": "cp932",
    "cseucpkdfmtjapanese": "euc_jp",
    "xeucjp": "euc_jp",
    "xeuc": "euc_jp",
    "csiso2022jp": "iso2022_jp",
    "iso2022jp": "iso2022_jp",
    "iso2022jpms": "iso2022_jp",
    "cp50220": "iso2022_jp",
    "cp50221": "iso2022_jp",
    "csiso2022kr": "iso2022_kr",
    "macintosh": "mac_roman",
    "mac": "mac_roman",
    "xmacroman": "mac_roman",
    "xmaccyrillic": "mac_cyrillic",
    "xmacce": "mac_latin2",
    "xmacgreek": "mac_greek",
    "xmacturkish": "mac_turkish",
    "koi8ru": "koi8_u",
    "koi8": "koi8_r",
    "koi": "koi8_r",
    "cskoi8r": "koi8_r",
    "utf8": "utf-8",
    "utf8mb4": "utf-8",
    "unicode": "utf-16",
    "unicode11utf8": "utf-8",
    "xunicode20utf8": "utf-8",
    "unicode11utf7": "utf-7",
    "unicode20utf7": "utf-7",
    "xunicode20utf7": "utf-7",
    "csunicode11utf7": "utf-7",
    "utf7": "utf-7",
    "ucs2": "utf-16",
    "iso10646ucs2": "utf-16",
    "dos862": "cp862",
    "dos866": "cp866",
    "msansi": "windows-1252",
    "ibm00858": "cp858",
    "ccsid00858": "cp858",
    "cp51932": "euc_jp",
    # Numbers of Microsoft's code pages.
    "20127": "us-ascii",
    "windows20127": "us-ascii",
    "20866": "koi8_r",
    "windows20866": "koi8_r",
    "28591": "windows-1252",
    "windows28605": "iso8859-15",
    "windows950": "big5hkscs",
    "windows28591": "windows-1252",
    "50220": "iso2022_jp",
    "50221": "iso2022_jp",
    "windows50220": "iso2022_jp",
    "54936": "gb18030",
    "windows54936": "gb18030",
    "65001": "utf-8",
    "windows65001": "utf-8",
    # Names that mean "I do not know" (RFC 1428 names the second).
    "xunknown": "",
    "unknown8bit": "",
    "unknown": "",
    "8bit": "",
    "default": "",
    "defaultcharset": "",
    "defaultcharacterset": "",
    "binary": "",
    "none": "",
    "null": "",
    "xuserdefined": "",
    "autodetect": "",
    "autodetectall": "",
    "charset": "",
    "utf": "",
}
# Python codecs that are no charsets of mail: escapes, transforms, and IDNA whose decoder is quadratic.
_NO_CHARSETS = {"unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined", "charmap", "mbcs", "oem"}
_PYTHON_CODECS = set(aliases.values()) | {"utf_8_sig", "koi8_t", "koi8_u", "kz1048", "cp720", "cp737", "cp856", "cp874"}
_PYTHON_CODECS |= {"cp875", "cp1006", "mac_arabic", "mac_croatian", "mac_farsi", "mac_romanian"}
_NAME_NOISE = re.compile(r"[^0-9a-z]+")


_LONGEST_NAME = 100


def codec_name(declared: str) -> str:
    """Return the Python codec for a declared charset, "" for one that is unknown."""
    return _codec_name(declared) if len(declared) <= _LONGEST_NAME else ""  # a longer one is not even remembered


@lru_cache(maxsize=512)
def _codec_name(declared: str) -> str:
    # RFC 2231 §5 allows `charset*language`; senders also leave quotes, comments and a second parameter in the name.
    cleaned = declared.partition("*")[0].strip(" \t\r\n\"'<>()").lower()
    cleaned = re.split(r"[\s;,\"]", cleaned, maxsplit=1)[0]
    if "\0" in cleaned:
        return ""
    key = _NAME_NOISE.sub("", cleaned)
    if key in _ALIASES:
        return _ALIASES[key]
    for candidate in (cleaned, key, _without_prefix(cleaned)):
        found = _lookup(candidate)
        if found:
            return found
    return ""


def _without_prefix(name: str) -> str:
    """Reduce `x-cp1251`, `win-1251`, `iso8859_2`, `cp-850` and the like to a name that Python knows."""
    name = name.removeprefix("x-")
    if match := re.fullmatch(r"(?:windows|win|cp|microsoft-cp|ms-ansi)[-_ ]?(125\d)", name):
        return f"cp{match[1]}"
    if match := re.fullmatch(r"(?:windows|cp)-?2859([2-9])", name):
        return f"iso8859-{match[1]}"
    if match := re.fullmatch(r"(?:windows|cp|ibm|dos|ms)[-_ ]?(\d{3,5})", name):
        return f"cp{match[1]}"
    if match := re.fullmatch(r"iso[-_ ]?8859[-_ ]?(\d{1,2})(?:[-_:].*)?", name):
        return f"iso8859-{match[1]}"
    return name


def _lookup(name: str) -> str:
    """Find a Python codec among those Python knows by name; asking for others would search the disk each time."""
    key = name.replace("-", "_").replace(" ", "_").replace(".", "_")
    known = aliases.get(key) or (key if key in _PYTHON_CODECS else "")
    if not known or known in _NO_CHARSETS:
        return ""
    try:
        info = codecs.lookup(known)
    except (LookupError, ValueError):
        return ""
    if not getattr(info, "_is_text_encoding", True):
        return ""
    return _ALIASES.get(_NAME_NOISE.sub("", info.name), info.name)
