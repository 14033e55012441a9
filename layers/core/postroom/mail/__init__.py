"""What the rooms that read mail share. All below is pure: bytes and values in, values out."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.mail.phrase_index import PhraseIndex, phrases
else:
    __getattr__ = lazily(
        __name__,
        {
            "phrase_index": ["PhraseIndex", "phrases"],
        },
    )

__all__ = [
    "PhraseIndex",
    "phrases",
]
