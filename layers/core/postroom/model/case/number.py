"""What people call a case by."""

from __future__ import annotations

import hashlib

NUMBER_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0 and O, no 1, I and L."""


def case_number(case_id: str, letters: int = 10) -> str:
    """Derive what people say on the phone: ten letters and digits without look-alikes, grouped (`Z7QK3-M2P9R`).

    Two cases of one number are told apart by more letters.
    """
    digest = int.from_bytes(hashlib.sha256(f"case\x00{case_id}".encode()).digest(), "big")
    word = ""
    for _letter in range(letters):
        digest, rest = divmod(digest, len(NUMBER_LETTERS))
        word += NUMBER_LETTERS[rest]
    return "-".join(word[start : start + 5] for start in range(0, letters, 5))


def parse_case_number(text: str) -> str | None:
    """Read a case's number as people write it, without its hyphen; None for what is none."""
    word = "".join(text.split()).replace("-", "").upper()
    return word if len(word) >= 10 and set(word) <= set(NUMBER_LETTERS) else None
