"""Read dates of headers as senders write them (RFC 5322 §3.3, §4.3; RFC 822; asctime; ISO 8601)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
# What senders in other languages put instead (seen: Outlook Express and webmailers in German, French, Spanish, Dutch).
_MONTHS |= {"mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12, "fév": 2, "avr": 4, "aoû": 8, "déc": 12}
_MONTHS |= {
    "ene": 1,
    "abr": 4,
    "ago": 8,
    "dic": 12,
    "maa": 3,
    "mei": 5,
    "gen": 1,
    "mag": 5,
    "giu": 6,
    "lug": 7,
    "set": 9,
}
# RFC 5322 §4.3: the named zones; military letters carry no information and mean UTC.
_ZONES: dict[str, float] = {
    "ut": 0,
    "gmt": 0,
    "utc": 0,
    "z": 0,
    "est": -5,
    "edt": -4,
    "cst": -6,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
}
_ZONES |= {"pst": -8, "pdt": -7, "cet": 1, "cest": 2, "met": 1, "mest": 2, "mez": 1, "mesz": 2, "bst": 1, "west": 1}
_ZONES |= {
    "eet": 2,
    "eest": 3,
    "msk": 3,
    "jst": 9,
    "kst": 9,
    "ist": 5.5,
    "aest": 10,
    "aedt": 11,
    "hst": -10,
    "akst": -9,
}
_TIME = r"(\d{1,2})\s{0,2}[:.]\s{0,2}(\d{1,2})(?:[:.](\d{1,2}))?(?:[.,]\d+)?"
_ZONE = r"(?:\s*(?:GMT|UTC)?\s*([+-])\s*(\d{1,2}):?(\d{2})|\s*([A-Za-z]{1,5}))?"
_RFC = re.compile(rf"(\d{{1,2}})[\s-]+([^\W\d_]{{3,10}})\.?[\s,-]+(\d{{2,4}})(?:[\s,]+{_TIME}{_ZONE})?")
_ASCTIME = re.compile(rf"([^\W\d_]{{3}})\s+(\d{{1,2}}),?\s+{_TIME}{_ZONE}\s+(\d{{4}})")
_ISO = re.compile(rf"(\d{{4}})-(\d{{1,2}})-(\d{{1,2}})(?:[T\s]+{_TIME}{_ZONE})?")
# What nearly all write: with it, the other forms need not be searched for.
_COMMON = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))? "
    r"([+-])(\d\d)(\d\d)(?: \([^()\d]*\))?",
    re.ASCII,
)
_COMMENT = re.compile(r"\([^()]*\)")


def parse_date(value: str) -> datetime | None:
    """Return the point in time with its zone (UTC where none is given); None for what is no date."""
    if match := _COMMON.fullmatch(value):
        day, name, year, *time = match.groups()
        return _moment(int(year), _month(name), int(day), [*time, None])
    text = value[:300]
    if "(" in text:
        text = _COMMENT.sub(" ", text)
    if match := _ISO.search(text):
        year, month, day, *time = match.groups()
        return _moment(int(year), int(month), int(day), time)
    if match := _ASCTIME.search(text):
        name, day, *time, year = match.groups()
        return _moment(int(year), _month(name), int(day), time)
    if match := _RFC.search(text):
        day, name, year, *time = match.groups()
        return _moment(_full_year(year), _month(name), int(day), time)
    return None


def _month(name: str) -> int:
    return _MONTHS.get(name[:3].lower(), 0)


def _full_year(text: str) -> int:
    """Complete a year of two or three digits (RFC 5322 §4.3)."""
    year = int(text)
    if len(text) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(text) == 3 else year


def _moment(year: int, month: int, day: int, time: list[str | None]) -> datetime | None:
    hour, minute, second, sign, hours, minutes, name = time
    try:
        return datetime(
            year,
            month,
            day,
            int(hour or 0),
            int(minute or 0),
            min(int(second or 0), 59),  # RFC 5322 §3.3 allows the leap second, Python does not
            tzinfo=_zone(sign, hours, minutes, name),
        )
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _zone(sign: str | None, hours: str | None, minutes: str | None, name: str | None) -> timezone:
    if sign and hours:
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if offset < timedelta(hours=24):
            return timezone(-offset if sign == "-" else offset)
        return UTC
    shift = _ZONES.get((name or "").lower(), 0)
    return timezone(timedelta(hours=shift)) if shift else UTC
