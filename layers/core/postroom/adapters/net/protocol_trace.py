"""The protocol trace of a mailbox (`enable_debug`, G10): commands and answers in the log, without any secret in them.

The login is left out as a whole: passwords and tokens travel in many forms there (quoted, base64, as literals, echoed
in refusals), and a filter that must know them all is one that fails some day. What mails contain is left out too.
"""

from __future__ import annotations

import logging

from postroom.adapters.net.stream import Trace
from postroom.model.configuration import Mailbox

logger = logging.getLogger(__name__)

LONGEST = 200  # characters of a line


def trace_of(mailbox: Mailbox) -> Trace | None:
    """Return what writes the trace of a mailbox; None where it is switched off."""
    if not mailbox.enable_debug:
        return None

    def write(step: str, direction: str, data: bytes) -> None:
        for line in data.rstrip(b"\r\n").split(b"\r\n"):
            text = line[:LONGEST].decode("utf-8", "backslashreplace")
            shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
            extra = {"mailbox": mailbox.name, "step": step, "direction": direction, "line": shown}
            logger.info("protocol", extra=extra)

    return write
