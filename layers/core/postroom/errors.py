"""Everything that can go wrong, as one tree: Permanent parks, Transient retries, Invalid goes back to who asked.

Adapters translate the errors of their library once, at the border, with ``raise … from error``. Every error says what
failed, on what, and what an administrator can do.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class PostroomError(Exception):
    """Say what failed (`what`), on which object (`on`), and what to do (`remedy`).

    `code` is stable for machines; `step` names the step of an exchange that failed (dns, connect, tls, …);
    `retry_after`: so many seconds from now the other side has asked to be left alone.
    """

    code = "error"
    remedy = "Look at the log of this function for the moment of the error."

    def __init__(
        self,
        what: str,
        *,
        on: str = "",
        remedy: str = "",
        code: str = "",
        step: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.on = on
        self.remedy = remedy or type(self).remedy
        self.code = code or type(self).code
        self.step = step
        self.retry_after = retry_after

    def __str__(self) -> str:
        where = f" ({self.on})" if self.on else ""
        return f"{self.what}{where}. {self.remedy}"

    def hide(self, secret: str) -> None:
        """Take out a secret that the other side has repeated, be it in base64 or cut off; its cause quotes it too."""
        told = _without(self.what, secret)
        if told != self.what:
            self.what = told
            self.args = (told,)
            self.__cause__ = None


_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_PIECE = 8  # characters of a secret that are as good as all of it: servers' texts are cut, in front and behind
_SHORTEST_END = 3  # of a secret that a text ends with: what follows was cut off
_CUT = re.compile(r"(?:\.{2,}|…|[\s\"')\]])*$")
NOT_SHOWN = "(not shown)"


def _without(text: str, secret: str) -> str:
    """Take out a secret, each piece of it, and words in base64 that hold one."""
    if not secret:
        return text
    size = min(_PIECE, len(secret))
    pieces = {secret[start : start + size] for start in range(len(secret) - size + 1)}
    encoded = {piece.encode("utf-8", "surrogatepass") for piece in pieces}

    def judged(word: re.Match[str]) -> str:
        letters = word[0].rstrip("=").translate(_STANDARD)
        # It may begin anywhere in a group of four when its beginning was cut off.
        for start in range(4):
            rest = letters[start:]
            whole = rest[:-1] if len(rest) % 4 == 1 else rest
            plain = base64.b64decode(whole + "=" * (-len(whole) % 4))
            if any(plain[at : at + size] in encoded for at in range(len(plain) - size + 1)):
                return NOT_SHOWN
        return word[0]

    return _BASE64.sub(judged, _without_end(_without_pieces(text, pieces, size), secret))


_STANDARD = str.maketrans("-_", "+/")


def _without_pieces(text: str, pieces: set[str], size: int) -> str:
    """Take out each run of a text that consists of pieces."""
    shown: list[str] = []
    at = 0
    while at < len(text):
        end = at
        for start in range(at, len(text) - size + 1):
            if text[start : start + size] not in pieces or start > end:
                break
            end = start + size
        if end > at:
            shown.append(NOT_SHOWN)
            at = end
        else:
            shown.append(text[at])
            at += 1
    return "".join(shown)


def _without_end(text: str, secret: str) -> str:
    """Take out the beginning of a secret with which a text ends, be it before an ellipsis or a closing quote."""
    cut = _CUT.search(text)
    kept = text[: cut.start()] if cut else text
    for length in range(min(len(secret), _PIECE) - 1, _SHORTEST_END - 1, -1):
        if kept.endswith(secret[:length]):
            return kept[:-length] + NOT_SHOWN + text[len(kept) :]
    return text


class Transient(PostroomError):
    """Worth another try by itself: network, throttling, a locked mailbox, a server that says 'later'."""

    code = "transient"
    remedy = "It is tried again by itself."


class Permanent(PostroomError):
    """No retry will help: a person must change something, or the message is set aside."""

    code = "permanent"


class TooLarge(Permanent):
    """More than the table takes for one mail: names, addresses or a subject without end."""

    code = "too_large"


class Invalid(PostroomError):
    """Input that is refused; nothing was changed. Carries every problem, not only the first."""

    code = "invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "; ".join(str(problem) for problem in self.problems) or "Invalid input", remedy="Nothing was changed."
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """One refused value: its path in the file or request, what is wrong with it, and the remedy."""

    path: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem} {self.remedy}"


class NotFound(PostroomError):
    """The object named does not exist."""

    code = "not_found"
    remedy = "Check the name or id; `list` shows what there is."


def no_such(noun: str, *, on: str) -> NotFound:
    """Word that there is no mailbox, queue, … of this name; of one that the asker may not know of, it is told alike."""
    return NotFound(f"There is no such {noun}", on=on)


class Forbidden(PostroomError):
    """Who asks may know of the object, and may not do this to it."""

    code = "forbidden"
    remedy = "Ask an administrator for a role that allows it."


class Conflict(PostroomError):
    """Somebody else changed it first, or it exists already, or it is still in use."""

    code = "conflict"
    remedy = "Read it again and repeat the change."


class Outdated(Conflict):
    """The object has another version than who changes it has read; nothing was changed."""

    code = "outdated"
    remedy = "Look at what it is now, and repeat the change with its ETag if it still makes sense."


class Moved(Outdated):
    """An object that a change was made from is another one by now; `objects` holds both values of each.

    Nothing was changed. Whoever asked looks at what is there, and decides again.
    """

    def __init__(self, objects: Sequence[MovedObject]) -> None:
        names = ", ".join(one.object for one in objects)
        super().__init__(f"{names} {'was' if len(objects) == 1 else 'were'} changed meanwhile", on=names)
        self.objects = tuple(objects)


@dataclass(frozen=True, slots=True)
class MovedObject:
    """An object that moved: its version and content now, and the content that was wanted; None: no such object."""

    object: str
    version: str | None
    current: Mapping[str, Any] | None
    wanted: Mapping[str, Any] | None


class VersionMissing(PostroomError):
    """A change that does not say which version it was made from."""

    code = "version_missing"
    remedy = "Read the object, and send its ETag in If-Match."


# --- what a mail server can do to us; adapters/{imap,pop3,ews,graph,smtp,oauth} raise these ---


class ConnectFailed(Transient):
    """DNS, TCP or a dead network: back-off and probe."""

    code = "connect_failed"
    remedy = "Check the server name and port; it is tried again by itself."


class TlsFailed(Permanent):
    """Certificate or protocol not acceptable; no credentials were sent."""

    code = "tls_failed"
    remedy = "Install a valid certificate on the mail server, or give the mailbox the CA that signed it."


class LoginRefused(Permanent):
    """Wrong credentials or revoked consent: no hammering, a person must act."""

    code = "login_refused"
    remedy = "Enter the right password or authorise again, then enable the mailbox."


class AccessRefused(LoginRefused):
    """The login itself is good, or is a token, but does not open this: asking again locks nobody out.

    Microsoft takes up to an hour and more to apply a permission or an access policy, and says the same meanwhile.
    """

    code = "access_refused"


class LoginUnclear(Transient):
    """A login that failed for a reason that names no wrong credentials: asked again, with growing pauses.

    A server that shuts down, a directory that does not answer and an account that is locked for minutes all say
    something; a pause that grows locks nobody out, should the password be wrong after all.
    """

    code = "login_unclear"
    remedy = "It is tried again by itself, less and less often; if the password is wrong, enter the right one."


class MailboxLocked(Transient):
    """Someone else holds the mailbox (POP3 [IN-USE]) or too many connections are open."""

    code = "mailbox_locked"
    remedy = "Another program holds the mailbox; it is tried again in ten minutes."


class FolderMissing(Permanent):
    """The configured folder is not there or not readable."""

    code = "folder_missing"
    remedy = "Correct `folder_path`, or create the folder on the server."


class ServerMisbehaved(Transient):
    """An answer that breaks the protocol, or a dropped connection in the middle of one."""

    code = "server_misbehaved"
    remedy = "It is tried again by itself; tell the mail server's operator if it goes on."


class DeadlineExceeded(Transient):
    """The wall-clock deadline of an exchange has passed: a hanging or dripping server."""

    code = "deadline_exceeded"
    remedy = "The server answered too slowly; it is tried again by itself."


class LeaseLost(Transient):
    """Another poller took the mailbox over; whatever we still wanted to write must not be written."""

    code = "lease_lost"


class NotOpened(Permanent):
    """A mailbox could not be opened as a change would have it, so nothing was changed; the step says where it ended."""

    code = "not_opened"


class SendRefused(Permanent):
    """The next server refused the mail for good (5xx)."""

    code = "send_refused"
    remedy = "Correct the recipient or the content and send again."


class SendDeferred(Transient):
    """Not sent, and certainly not sent: safe to try again."""

    code = "send_deferred"


class SendUncertain(PostroomError):
    """Whether the mail left is unknown; it must never be repeated blindly (X09)."""

    code = "send_uncertain"
    remedy = "Ask the recipient or the mail server's log; then mark it sent, or send it again on purpose."
