"""Which UIDs are stored, in bitmaps of 4,096 each: 512 bytes, and much less packed, where they follow each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

SEGMENT = 4_096  # UIDs in a bitmap


@dataclass(frozen=True, slots=True)
class StoredUids:
    """The bitmaps of one series, by segment number; asked with UIDs as decimal text."""

    bitmaps: Mapping[int, bytes] = field(default_factory=dict)

    def __contains__(self, uid: object) -> bool:
        if not isinstance(uid, str) or not uid.isdecimal():
            return False
        segment, bit = divmod(int(uid), SEGMENT)
        bitmap = self.bitmaps.get(segment, b"")
        return bit // 8 < len(bitmap) and bool(bitmap[bit // 8] >> bit % 8 & 1)


def by_segment(uids: Collection[str]) -> Mapping[int, list[int]]:
    """Sort UIDs into segments: number of the segment → bits in its bitmap."""
    found: dict[int, list[int]] = defaultdict(list)
    for uid in uids:
        segment, bit = divmod(int(uid), SEGMENT)
        found[segment].append(bit)
    return found


def with_bits(bitmap: bytes, bits: Collection[int]) -> bytes:
    """Return a bitmap with more bits set; it is as long as its highest bit wants it."""
    grown = bytearray(bitmap)
    grown.extend(bytes(max(0, max(bits, default=0) // 8 + 1 - len(grown))))
    for bit in bits:
        grown[bit // 8] |= 1 << bit % 8
    return bytes(grown)
