"""Read message identifiers (RFC 5322 §3.6.4) as senders write them; stored form `<local@domain>`."""

from __future__ import annotations

import re

from postroom.mail.reader import Message

# Each run is read once: a count that may be tried again at every place of it multiplies the time by itself.
_BRACKETED = re.compile(r"<([^<>]++)>")
_WORD = re.compile(r"[^\s<>,;\"()]++")
_LONGEST = 1_000
_MAX_REFERENCES = 1_000


def identifiers(value: str) -> tuple[str, ...]:
    """Return the message identifiers in a header value, in order, each once, white space within them removed."""
    bracketed = (match for match in _BRACKETED.findall(value) if len(match) <= _LONGEST)
    found = [f"<{inner}>" for inner in ("".join(match.split()) for match in bracketed) if inner]
    if not found and "@" in value:
        # Brackets left out, or only one of them.
        words = (word for word in _WORD.findall(value) if len(word) <= _LONGEST)
        found = [f"<{word}>" for word in words if "@" in word[1:-1]]
    return tuple(dict.fromkeys(found))[:_MAX_REFERENCES]


def message_id(message: Message) -> str | None:
    """Return the message's own identifier; None when it has none that could be one."""
    value = message.header("message-id")
    found = identifiers(value)
    if found:
        return found[0]
    word = "".join(value.strip("<> \t").split())
    return f"<{word[:1000]}>" if word else None


def in_reply_to(message: Message) -> tuple[str, ...]:
    """Return the identifiers in In-Reply-To; old senders put phrases and addresses around them (RFC 822 §4.6.2)."""
    found = dict.fromkeys(found for value in message.headers("in-reply-to") for found in identifiers(value))
    return tuple(found)[:_MAX_REFERENCES]


def references(message: Message) -> tuple[str, ...]:
    """Return the identifiers in References, oldest first."""
    found = tuple(dict.fromkeys(found for value in message.headers("references") for found in identifiers(value)))
    return found[:_MAX_REFERENCES]
