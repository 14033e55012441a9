"""Read a message from its bytes."""

from postroom.mail.reader.limits import LIMITS, Limits, Unreadable
from postroom.mail.reader.part import Context, Message
from postroom.mail.reader.structure import read_root


def read(raw: bytes, *, limits: Limits = LIMITS) -> Message:
    """Read a message; raises Unreadable, with the limit's name, only for the hopeless."""
    if len(raw) > limits.message_bytes:
        raise Unreadable(f"larger than {limits.message_bytes} bytes", "message_bytes")
    buffer = raw
    if b"\n" not in raw and b"\r" in raw:
        buffer = raw.replace(b"\r", b"\n")  # lines ended by CR alone; the offsets stay true
    return read_root(Context(buffer, read_root, limits, raw=raw), 0, len(buffer))
