"""Subjects of answers and forwards: one prefix, however many clients in however many languages put theirs in front."""

from __future__ import annotations

import re

# What clients of other languages write for `Re:` and `Fwd:` (their menus' own words, seen in mail 2004-2026).
REPLY_PREFIXES: tuple[str, ...] = (
    "re", "ré", "rép",  # en and most others, fr
    "aw", "antw", "antwort",  # de, nl
    "sv", "svar", "vs",  # sv, da, no; fi
    "r", "rif",  # it
    "res",  # pt
    "odp", "atb", "ats", "vá", "ynt", "cevap", "bls", "balas", "trả lời",  # pl, lv, lt, hu, tr, id, vi
    "на", "отв", "ответ", "відп", "απ", "σχετ",  # bg, ru, uk, el
    "回复", "答复", "回覆", "答覆", "返信", "회신", "답장", "رد", "השב", "תגובה",  # zh, ja, ko, ar, he
)  # fmt: skip
FORWARD_PREFIXES: tuple[str, ...] = (
    "fwd", "fw", "wg", "wtr", "tr", "tf", "rv", "reenv", "i", "enc", "doorst", "vb", "vl", "videreadresseret",
    "pd", "továbbítás", "ilt", "i̇lt", "trs", "chuyển tiếp", "пер", "перес", "прд", "πρθ",
    "转发", "轉寄", "轉發", "転送", "전달", "إعادة توجيه", "הועבר",
)  # fmt: skip

_NUMBER = r"(?:[ ]?(?:\[\d{1,4}\]|\(\d{1,4}\)|[\^*]\d{1,4}))?"  # `Re[2]:`, `Re(3):`, `Re^2:`
_COLON = r"[ \u00a0\u3000]?[:：﹕][ \u00a0\u3000\t]*"


def _leading(words: tuple[str, ...]) -> re.Pattern[str]:
    ordered = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?:(?:{ordered}){_NUMBER}{_COLON})+", re.IGNORECASE)


_REPLIES = _leading(REPLY_PREFIXES)
_FORWARDS = _leading(FORWARD_PREFIXES)
_TAG = re.compile(r"(\[[^\[\]]{1,60}\])[ \t]*")  # of a mailing list or a ticket system


def reply_subject(subject: str) -> str:
    """Return the subject of an answer: `Re: ` once, in place of every such prefix in front, also behind a `[tag]`."""
    return f"Re: {_without(_REPLIES, subject)}".strip()


def forward_subject(subject: str) -> str:
    """Return the subject of a forward: `Fwd: ` once; what it was an answer to stays told (`Fwd: Re: …`)."""
    return f"Fwd: {_without(_FORWARDS, subject)}".strip()


def bare_subject(subject: str) -> str:
    """Return a subject without prefixes of answers and forwards, however many stand in front in whatever order."""
    while (rest := _without(_REPLIES, _without(_FORWARDS, subject))) != subject:
        subject = rest
    return subject


def _without(prefixes: re.Pattern[str], subject: str) -> str:
    rest = subject.strip()
    if found := prefixes.match(rest):
        rest = rest[found.end() :]
    tag = _TAG.match(rest)
    if tag and (behind := prefixes.match(rest, tag.end())):
        rest = f"{tag[1]} {rest[behind.end() :]}"
    return rest
