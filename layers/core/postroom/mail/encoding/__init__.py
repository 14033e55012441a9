"""Bytes to text: charsets and transfer encodings."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.mail.encoding import iso2022jp
    from postroom.mail.encoding.charset import GuessBudget, decode, decode_checked
    from postroom.mail.encoding.transfer import IDENTITY, decode_base64, decode_transfer, encoding_of
    from postroom.mail.encoding.uuencode import find_files
else:
    __getattr__ = lazily(
        __name__,
        {
            "charset": ["GuessBudget", "decode", "decode_checked"],
            "transfer": ["IDENTITY", "decode_base64", "decode_transfer", "encoding_of"],
            "uuencode": ["find_files"],
        },
    )

__all__ = [
    "IDENTITY",
    "GuessBudget",
    "decode",
    "decode_base64",
    "decode_checked",
    "decode_transfer",
    "encoding_of",
    "find_files",
    "iso2022jp",
]
