"""What the free text of a mail server's refusal says, where no response code does: of credentials, of a pause.

Servers say why in words of their own. Only words that name the credentials make a refusal final; whatever else is said
at a login (that the server shuts down, that it cannot process the request now) passes.
"""

from __future__ import annotations

import re

_CREDENTIALS = re.compile(
    r"authenticat|authori[sz]|credential|password|passwd|invalid (login|user|account)|unknown user"
    r"|no such (user|account)|user (name )?(is )?unknown|access denied|not (permitted|enabled)|disabled"
    r"|log[io]n (failed|failure|invalid|incorrect|rejected|denied|error|refused)|(incorrect|wrong|bad|denied) "
    r"(login|user)",
    re.IGNORECASE,
)
_PASSING = re.compile(
    r"temporar|try again|try later|internal|unavailable|not available|timed? ?out|shut(ting)? ?down|overload"
    r"|maintenance|restart|backend|unable to (process|connect|contact)|too (many|busy)|now\b|later\b|moment",
    re.IGNORECASE,
)
_PAUSE = re.compile(
    r"(?:backoff time|wait|again|retry|later|after|every|in)\b\D{0,30}?(\d{1,9})\s*"
    r"(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?)\b",
    re.IGNORECASE,
)


def names_credentials(text: str) -> bool:
    """Tell whether a refusal says that name or password are wrong, and nothing of what passes by itself."""
    return bool(_CREDENTIALS.search(text)) and not _PASSING.search(text)


def passes(text: str) -> bool:
    """Tell whether a refusal says that it will pass by itself."""
    return bool(_PASSING.search(text))


def pause_told(text: str) -> float | None:
    """Read after how many seconds a server wants to be asked again; None when it does not say.

    Exchange Online: "Request is throttled. Suggested Backoff Time: 299961 milliseconds".
    """
    found = _PAUSE.search(text)
    if found is None:
        return None
    unit = found[2].lower()
    return int(found[1]) * (0.001 if unit.startswith(("ms", "milli")) else 60.0 if unit.startswith("m") else 1.0)
