"""Read a message: our own reader, lenient with what real senders do and firm with what only attackers do.

The bytes are gone through once and kept as offsets into one buffer; header values, names and bodies are decoded when
asked for. Nothing here raises on any input, except `Unreadable` for what is beyond a limit.
"""

from postroom.mail.reader.file_names import MAX_NAMES
from postroom.mail.reader.header_fields import JOINED
from postroom.mail.reader.limits import LIMITS, Limits, Unreadable
from postroom.mail.reader.message import read
from postroom.mail.reader.part import Context, Message, Part
from postroom.mail.reader.structure import read_root

__all__ = [
    "JOINED",
    "LIMITS",
    "MAX_NAMES",
    "Context",
    "Limits",
    "Message",
    "Part",
    "Unreadable",
    "read",
    "read_root",
]
