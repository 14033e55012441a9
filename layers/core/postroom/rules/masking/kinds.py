"""The built-in kinds of masking: numbers that prove themselves by a checksum or by their form.

Each kind is a pattern for candidates and a check of the candidate without its separators.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Between two digits of a number people type, and mail programs break: spaces, dashes, full stops, slashes, line ends
# with the mark of a quote, soft hyphens, zero-width and control characters. Our text of HTML has bars between cells.
_SEPARATOR = r"[\s\p{Zs}\p{Cf}\p{Cc}\p{Pd}\x{2212}./>·|_]{0,5}"
_GROUPED = r"[\s\p{Zs}\p{Cf}\p{Cc}\p{Pd}.>]{1,4}"
_DIGIT = r"\p{Nd}"


def _digits(least: int) -> str:
    return rf"{_DIGIT}(?:{_SEPARATOR}{_DIGIT}){{{least - 1},}}"


@dataclass(frozen=True, slots=True)
class Kind:
    """`candidate` is an RE2 pattern; `check` gets a token's or window's plain characters; lengths bound the window."""

    name: str
    description: str
    candidate: str
    check: Callable[[str], bool]
    lengths: tuple[int, ...]
    """Plain lengths tried, the likeliest first."""
    whole: bool = False
    """The candidate is checked as it was found, not window by window."""
    lengths_at: Callable[[str, int], tuple[int, ...]] | None = None
    """The lengths that are possible at a place, where what stands there tells."""


def luhn(digits: str) -> bool:
    """Say whether the last digit is right by ISO/IEC 7812-1, annex B."""
    values = digits.encode("ascii")
    return (sum(values[-1::-2]) + sum(values[-2::-2].translate(_DOUBLED)) - ord("0") * len(values)) % 10 == 0


_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")


def _card(digits: str) -> bool:
    return luhn(digits) and digits.strip("0") != ""


# ISO 13616: length by country, from the registry.
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "AO CV GW LY MZ PT ST",
        26: "DZ IR IS TR",
        27: "BI CF CG CM DJ FR GA GQ GR IT KM MC MG MR SM TD",
        28: "AL AZ BF BJ BY CI CY DO GT HN HU LB MA ML NE NI PL SN SV TG",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}


def _iban_lengths(plain: str, start: int) -> tuple[int, ...]:
    length = _IBAN_LENGTHS.get(plain[start : start + 2].upper())
    return (length,) if length and plain[start + 2 : start + 4].isdigit() else ()


def _iban(text: str) -> bool:
    text = text.upper()
    if _IBAN_LENGTHS.get(text[:2]) != len(text) or not text[2:4].isdigit():
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def _ssn(digits: str) -> bool:
    # SSA: areas 000, 666 and 900–999, group 00 and serial 0000 were never given out.
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _nino(text: str) -> bool:
    text = text.upper()
    never_given = ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
    return text[0] not in "DFIQUV" and text[1] not in "DFIOQUV" and text[:2] not in never_given


def _sin(digits: str) -> bool:
    return digits[0] not in "08" and luhn(digits)


def _german_tax(digits: str) -> bool:
    # ISO 7064 MOD 11,10.
    if digits[0] == "0":
        return False
    product = 10
    for digit in digits[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def _nir(text: str) -> bool:
    text = text.upper().replace("2A", "19", 1).replace("2B", "18", 1) if text[5:7].upper() in ("2A", "2B") else text
    return text.isdigit() and text[0] in "123478" and 97 - int(text[:13]) % 97 == int(text[13:])


def _bsn(digits: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
    return total % 11 == 0 and total != 0


def _dni(text: str) -> bool:
    text = text.upper()
    number = text[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[-1]


_CODICE_ODD_DIGITS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_CODICE_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (*_CODICE_ODD_DIGITS, *_CODICE_ODD_DIGITS, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)


def _codice_fiscale(text: str) -> bool:
    text = text.upper()
    total = sum(
        (int(character) if character.isdigit() else ord(character) - 65) if place % 2 else _CODICE_ODD[character]
        for place, character in enumerate(text[:15])
    )
    return chr(65 + total % 26) == text[15]


def _cpf(digits: str) -> bool:
    if len(set(digits)) == 1:
        return False
    for length in (9, 10):
        total = sum(int(digit) * (length + 1 - place) for place, digit in enumerate(digits[:length]))
        if total * 10 % 11 % 10 != int(digits[length]):
            return False
    return True


def _pesel(digits: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), strict=False))
    return (10 - total % 10) % 10 == int(digits[10])


def _always(_text: str) -> bool:
    return True


_CARD_LENGTHS = (16, 15, 14, 13, 19, 18, 17)
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "card", "payment card: 13 to 19 digits with a right check digit (Luhn)", _digits(13), _card, _CARD_LENGTHS
        ),
        Kind(
            "iban",
            "bank account number (IBAN) with the right length and check digits",
            rf"[A-Za-z]{{2}}{_SEPARATOR}{_DIGIT}{_SEPARATOR}{_DIGIT}(?:{_SEPARATOR}[A-Za-z0-9\p{{Nd}}]){{11,}}",
            _iban,
            tuple(sorted(set(_IBAN_LENGTHS.values()))),
            lengths_at=_iban_lengths,
        ),
        Kind(
            "us-ssn",
            "US social security number, written in its three groups",
            rf"\b{_DIGIT}{{3}}{_GROUPED}{_DIGIT}{{2}}{_GROUPED}{_DIGIT}{{4}}\b",
            _ssn,
            (9,),
            whole=True,
        ),
        Kind("ca-sin", "Canadian social insurance number (Luhn)", _digits(9), _sin, (9,)),
        Kind(
            "uk-nino",
            "UK national insurance number",
            rf"\b[A-Za-z]{{2}}{_SEPARATOR}{_DIGIT}(?:{_SEPARATOR}{_DIGIT}){{5}}{_SEPARATOR}[A-Da-d]\b",
            _nino,
            (9,),
            whole=True,
        ),
        Kind("de-tax-id", "German tax identification number", _digits(11), _german_tax, (11,)),
        Kind(
            "fr-nir",
            "French social security number",
            rf"\b[1-478](?:{_SEPARATOR}{_DIGIT}){{5}}{_SEPARATOR}[0-9ABab](?:{_SEPARATOR}{_DIGIT}){{8}}\b",
            _nir,
            (15,),
            whole=True,
        ),
        Kind("nl-bsn", "Dutch citizen service number", _digits(9), _bsn, (9,)),
        Kind(
            "es-dni",
            "Spanish identity number (DNI or NIE)",
            rf"\b(?:{_DIGIT}|[XYZxyz]){_SEPARATOR}{_DIGIT}(?:{_SEPARATOR}{_DIGIT}){{6}}{_SEPARATOR}[A-Za-z]\b",
            _dni,
            (9,),
            whole=True,
        ),
        Kind(
            "it-fiscal-code",
            "Italian fiscal code",
            r"\b[A-Za-z]{6}[0-9]{2}[A-Za-z][0-9]{2}[A-Za-z][0-9]{3}[A-Za-z]\b",
            _codice_fiscale,
            (16,),
            whole=True,
        ),
        Kind("br-cpf", "Brazilian tax number (CPF)", _digits(11), _cpf, (11,)),
        Kind("pl-pesel", "Polish identity number (PESEL)", _digits(11), _pesel, (11,)),
        Kind(
            "email",
            "e-mail address",
            r"[\p{L}\p{Nd}._%+-]+@[\p{L}\p{Nd}-]+(?:\.[\p{L}\p{Nd}-]+)+",
            _always,
            (),
            whole=True,
        ),
        Kind(
            "phone",
            "telephone number in international form",
            rf"\+{_DIGIT}(?:[\s\p{{Zs}}\p{{Cf}}\p{{Pd}}./()]{{0,3}}{_DIGIT}){{6,14}}",
            _always,
            (),
            whole=True,
        ),
    )
}


def windows(tokens: list[tuple[int, int]], kind: Kind, plain: str, limit: int) -> tuple[list[tuple[int, int]], int]:
    """Return the parts of a candidate that pass the kind's check, as positions in `plain`, and how many were checked.

    `tokens` are the runs of `plain` that were written without a separator: a number begins and ends where one does, so
    that no part of a longer number is taken for another. Ends early when more than `limit` had to be checked.
    """
    ends = {end for _, end in tokens}
    found: list[tuple[int, int]] = []
    checks = done = 0
    for start, _ in tokens:
        if start < done:
            continue
        for length in kind.lengths_at(plain, start) if kind.lengths_at else kind.lengths:
            if start + length in ends:
                checks += 1
                if kind.check(plain[start : start + length]):
                    done = start + length
                    found.append((start, done))
                    break
        if checks > limit:
            break
    return found, checks
