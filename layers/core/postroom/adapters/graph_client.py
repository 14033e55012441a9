"""Requests to Microsoft Graph for one mailbox: headers, paging, waiting when told to, and what its answers mean."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from postroom.adapters.http import Answer, HttpClient, Streamed, retry_after
from postroom.errors import (
    FolderMissing,
    LoginRefused,
    MailboxLocked,
    Permanent,
    PostroomError,
    ServerMisbehaved,
    Transient,
)

PATIENCE = 20.0  # seconds; a longer Retry-After ends the session, and the mailbox is tried again later
TRIES = 3
RESERVE = 3.0  # seconds kept before the deadline
PAGES = 2_000  # more would be a server that pages in circles

GONE = frozenset({404, 410})
LATER = frozenset({429, 502, 503, 504})

_CODE = re.compile(r"[A-Za-z0-9_.]{1,60}")

# Codes that say that there is no such mailbox, whatever the status (learn.microsoft.com/graph/errors, seen 2026).
NO_MAILBOX = frozenset(
    {"MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "ErrorInvalidUser", "Request_ResourceNotFound"}
)


class NextPageLost(Exception):
    """The address of the next page is void; listing has to begin again."""


class Graph:
    """One mailbox of Microsoft Graph, with the token that opens it."""

    def __init__(
        self, http: HttpClient, *, base: str, user: str, token: str, on: str, sleep: Callable[[float], None]
    ) -> None:
        self.http = http
        self.on = on
        self._base = base.rstrip("/")
        self._root = f"{self._base}/v1.0/users/{quote(user, safe='@')}"
        self._sleep = sleep
        self.opened = False  # the token was taken once
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            # An id stays the same when the message is moved within the mailbox.
            "Prefer": 'IdType="ImmutableId"',
        }

    def get(self, path: str, *, step: str) -> dict[str, Any]:
        """Get a JSON object."""
        return self.ask("GET", path, step=step).json()

    def ask(
        self,
        method: str,
        path: str,
        *,
        step: str,
        content: Mapping[str, Any] | None = None,
        besides: Collection[int] = (),
    ) -> Answer:
        """Ask; waits and asks again where told to. Raises for all but 2xx and the statuses `besides`."""
        body = None if content is None else json.dumps(content).encode("utf-8")
        headers = self._headers | ({"Content-Type": "application/json"} if body is not None else {})
        for left in reversed(range(TRIES)):
            answer = self.http.ask(method, self._url(path), step=step, headers=headers, body=body)
            if 200 <= answer.status < 300 or answer.status in besides:
                return answer
            error = self.refusal(answer, step=step)
            if not (left and self._waited(answer)):
                raise error
        raise AssertionError("the last try returns or raises")

    def value(self, message_id: str, *, step: str) -> Streamed:
        """Ask for a whole message as MIME; the caller reads the status and the body, and leaves it."""
        headers = self._headers | {"Accept": "*/*"}
        url = self._url(f"/messages/{quote(message_id, safe='')}/$value")
        for _left in range(TRIES - 1):
            streamed = self.http.stream("GET", url, step=step, headers=headers)
            if streamed.status not in LATER or not self._waited(streamed):
                return streamed
        return self.http.stream("GET", url, step=step, headers=headers)

    def pages(self, path: str, *, step: str) -> Iterator[list[dict[str, Any]]]:
        """Get a collection page by page; raises NextPageLost when a later page is not there any more."""
        answer = self.get(path, step=step)
        for _number in range(PAGES):
            rows = answer.get("value")
            yield [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
            link = answer.get("@odata.nextLink")
            if not isinstance(link, str):
                return
            found = self.ask("GET", link, step=step, besides=(400, *GONE))
            if found.status != 200:
                raise NextPageLost
            answer = found.json()
        raise ServerMisbehaved("The pages have no end", on=self.on, step=step)

    def refusal(self, answer: Answer, *, step: str) -> PostroomError:
        """Say what an answer means; only its status and code are told, since its text may hold anything."""
        code = error_code(answer)
        told = f"{answer.status} {code}".strip()
        if answer.status == 401 and self.opened:
            # Tokens last an hour or so. A session that outlasts its own is no reason to stop the mailbox: whether
            # consent was revoked shows when it is opened again.
            return Transient(
                f"The access token ended in the middle of the work ({told})", on=self.on, step=step, code="token_ended"
            )
        if answer.status == 401:
            return LoginRefused(
                f"Microsoft Graph refused the access token ({told})",
                on=self.on,
                step="login",
                code="token_refused",
                remedy="Authorise again, or check client id, tenant and secret; then enable the mailbox.",
            )
        if code in NO_MAILBOX:
            return Permanent(
                f"There is no such mailbox in Exchange Online ({told})",
                on=self.on,
                step="login",
                code="mailbox_missing",
                remedy="Correct `login` or `address`; the mailbox needs a licence, or must be a shared mailbox.",
            )
        if answer.status == 403:
            return LoginRefused(
                f"The application may not open this mailbox ({told})",
                on=self.on,
                step="login",
                code="permission_missing",
                remedy="Grant it Mail.ReadWrite with admin consent, and include the mailbox in its access policy.",
            )
        if answer.status in GONE:
            return FolderMissing(f"The folder is not there ({told})", on=self.on, step="folder")
        if answer.status in (429, 503):
            wait = retry_after(answer.headers, now=datetime.now(UTC))
            later = f", in {wait:.0f} seconds" if wait is not None else ""
            return MailboxLocked(
                f"Microsoft Graph asks to come later{later} ({told})",
                on=self.on,
                step=step,
                code="throttled",
                remedy="It is tried again by itself; fewer mailboxes or a longer cycle_time help if it goes on.",
            )
        if answer.status >= 500:
            return Transient(f"Microsoft Graph does not work now ({told})", on=self.on, step=step, code="unavailable")
        return ServerMisbehaved(
            f"Microsoft Graph refused a request ({told})", on=self.on, step=step, code="command_refused"
        )

    def _url(self, path: str) -> str:
        if path.startswith("/"):
            return self._root + path
        # The token must not go to another host because a page says so.
        ours, theirs = urlsplit(self._base), urlsplit(path)
        if (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc):
            raise ServerMisbehaved("The next page is said to be on another server", on=self.on, code="foreign_page")
        return path

    def _waited(self, answer: Answer | Streamed) -> bool:
        """Wait as long as the answer asks for, if it does and there is time; tell whether to ask again."""
        if answer.status not in LATER:
            return False
        wait = retry_after(answer.headers, now=datetime.now(UTC))
        if wait is None or wait > PATIENCE or time.monotonic() + wait + RESERVE > self.http.deadline:
            return False
        if isinstance(answer, Streamed):
            answer.__exit__()
        self._sleep(wait)
        return True


def error_code(answer: Answer) -> str:
    """Read Graph's error code; empty when there is none that can be told."""
    error = answer.json().get("error")
    code = str(error.get("code", "")) if isinstance(error, dict) else ""
    return code if _CODE.fullmatch(code) else ""
