"""Requests to Microsoft Graph for one mailbox: headers, paging, waiting when told to, and what its answers mean."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from postroom.adapters.net import Answer, HttpClient, Streamed, retry_after
from postroom.errors import (
    AccessRefused,
    FolderMissing,
    MailboxLocked,
    Permanent,
    PostroomError,
    ServerMisbehaved,
    Transient,
)
from postroom.model.configuration import is_microsoft_graph

PATIENCE = 20.0  # seconds; a longer Retry-After ends the session, and the mailbox is tried again later
TRIES = 3
RESERVE = 3.0  # seconds kept before the deadline
PAGES = 2_000  # more would be a server that pages in circles

VERSION = "v1.0"
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}  # an id stays the same when the message is moved within the mailbox

GONE = frozenset({404, 410})
GATEWAY = frozenset({502, 503, 504})  # of the service, or of one message that takes Exchange too long
LATER = frozenset({429, 502, 503, 504})

_CODE = re.compile(r"[A-Za-z0-9_.]{1,60}")

# Codes that say that there is no such mailbox, whatever the status (learn.microsoft.com/graph/errors, seen 2026). For a
# while they come of mailboxes that are there, too (microsoft-graph-docs issues 2914, 10482).
NO_MAILBOX = frozenset(
    {
        "MailboxNotEnabledForRESTAPI",
        "MailboxNotSupportedForRESTAPI",
        "ErrorInvalidUser",
        "ErrorNonExistentMailbox",
        "Request_ResourceNotFound",
        "ResourceNotFound",
    }
)
NO_MESSAGE = frozenset({"ErrorItemNotFound", "ErrorMessageNotFound"})


class NextPageLost(Exception):
    """The address of the next page is void; listing has to begin again."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a collection; `count`: how many there are in all, where that was asked and told; `more`: pages."""

    rows: tuple[dict[str, Any], ...]
    count: int | None
    more: str


class Graph:
    """One mailbox of Microsoft Graph, with the token that opens it."""

    def __init__(
        self, http: HttpClient, *, base: str, user: str, token: str, on: str, sleep: Callable[[float], None]
    ) -> None:
        self.http = http
        self.on = on
        self._base = base.rstrip("/")
        self._root = f"{self._base}/{VERSION}{user_path(user)}"
        self._sleep = sleep
        self.opened = False  # the token was taken once
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", **IMMUTABLE}

    def get(self, path: str, *, step: str) -> dict[str, Any]:
        """Get a JSON object; whatever stands in between may answer with 200 and a page of its own."""
        found = self.ask("GET", path, step=step).json()
        if not found:
            raise self._not_graph(step)
        return found

    def page(self, path: str, *, step: str) -> Page:
        """Get the first page of a collection."""
        return self._page(self.get(path, step=step), step=step)

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
        url, shown = self._url(path), self._shown(path)
        for left in reversed(range(TRIES)):
            answer = self.http.ask(method, url, step=step, headers=headers, body=body, shown=shown)
            if 200 <= answer.status < 300 or answer.status in besides:
                return answer
            error = refusal(answer, on=self.on, step=step, opened=self.opened)
            if not (left and self._waited(answer)):
                raise error
        raise AssertionError("the last try returns or raises")

    def value(self, message_id: str, *, step: str) -> Streamed:
        """Ask for a whole message as MIME; the caller reads the status and the body, and leaves it."""
        headers = self._headers | {"Accept": "*/*"}
        path = f"/messages/{quote(message_id, safe='')}/$value"
        url, shown = self._url(path), self._shown(path)
        for _left in range(TRIES - 1):
            streamed = self.http.stream("GET", url, step=step, headers=headers, shown=shown)
            if streamed.status not in LATER or not self._waited(streamed):
                return streamed
        return self.http.stream("GET", url, step=step, headers=headers, shown=shown)

    def pages(self, path: str, *, step: str) -> Iterator[Page]:
        """Get a collection page by page; raises NextPageLost when a later page is not there any more."""
        page = self.page(path, step=step)
        for _number in range(PAGES):
            yield page
            if not page.more:
                return
            found = self.ask("GET", page.more, step=step, besides=(400, *GONE))
            if found.status != 200:
                raise NextPageLost
            page = self._page(found.json(), step=step)
        raise ServerMisbehaved("The pages have no end", on=self.on, step=step)

    def refusal(self, answer: Answer, *, step: str) -> PostroomError:
        """Say what an answer to this mailbox means."""
        return refusal(answer, on=self.on, step=step, opened=self.opened)

    def _page(self, answer: Mapping[str, Any], *, step: str) -> Page:
        page = read_page(answer)
        if page is None:
            raise self._not_graph(step)
        return page

    def _not_graph(self, step: str) -> ServerMisbehaved:
        return ServerMisbehaved(
            "The answer is not Microsoft Graph's",
            on=self.on,
            step=step,
            code="not_graph",
            remedy="Look at `server`, and at what stands between; it is tried again by itself.",
        )

    def _shown(self, path: str) -> str:
        """Say what a trace says of a path: without the user's address, and of a next page no more than that."""
        if path.startswith("/"):
            return path
        return urlsplit(path).path.removeprefix(urlsplit(self._root).path) + "?(next page)"

    def _url(self, path: str) -> str:
        if path.startswith("/"):
            return self._root + path
        # The token must not go to another host because a page says so.
        if _place(path) != _place(self._base):
            page = urlsplit(path)
            if is_microsoft_graph(path) and page.path.startswith(f"/{VERSION}/"):  # as gateways hand it on; we ask ours
                return f"{self._base}{page.path}?{page.query}"
            raise ServerMisbehaved("The next page is said to be on another server", on=self.on, code="foreign_page")
        return path

    def _waited(self, answer: Answer | Streamed) -> bool:
        """Wait as long as the answer asks for, if it does and there is time; tell whether to ask again."""
        wait = patience(answer, deadline=self.http.deadline)
        if wait is None:
            return False
        if isinstance(answer, Streamed):
            answer.__exit__()
        self._sleep(wait)
        return True


def _place(url: str) -> tuple[str, str]:
    """Return scheme and host; a user name before the host, which requests would log in with, makes it another."""
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower().removesuffix(":443")


def user_path(user: str) -> str:
    """Return the path of a mailbox."""
    return f"/users/{quote(user, safe='@')}"


def read_page(answer: Mapping[str, Any]) -> Page | None:
    """Read a page of a collection; None when it is none."""
    rows = answer.get("value")
    if not isinstance(rows, list):
        return None
    count, more = answer.get("@odata.count"), answer.get("@odata.nextLink")
    return Page(
        tuple(row for row in rows if isinstance(row, dict)),
        # -1 where Exchange did not count (microsoft-graph-docs issue 3848).
        count if type(count) is int and count >= 0 else None,
        more if isinstance(more, str) else "",
    )


def refusal(answer: Answer, *, on: str, step: str, opened: bool = False) -> PostroomError:
    """Say what an answer means; only its status and code are told, since its text may hold anything."""
    code = error_code(answer)
    told = f"{answer.status} {code}".strip()
    if answer.status == 401 and opened:
        # Tokens last an hour or so. A session that outlasts its own is no reason to stop the mailbox: whether
        # consent was revoked shows when it is opened again.
        return Transient(
            f"The access token ended in the middle of the work ({told})", on=on, step=step, code="token_ended"
        )
    if answer.status == 401:
        return AccessRefused(
            f"Microsoft Graph refused the access token ({told})",
            on=on,
            step="login",
            code="token_refused",
            remedy="Authorise again, or check client id, tenant and secret; then enable the mailbox.",
        )
    if code in NO_MAILBOX:
        return Permanent(
            f"There is no such mailbox in Exchange Online ({told})",
            on=on,
            step="login",
            code="mailbox_missing",
            remedy="Correct `login` or `address`; the mailbox needs a licence, or must be a shared mailbox.",
        )
    if answer.status == 403 and step == "act":  # what was fetched until now goes on being fetched
        return Transient(
            f"The application may not change messages ({told})",
            on=on,
            step=step,
            code="read_only",
            remedy="Grant it Mail.ReadWrite with admin consent; the mail is stored here already.",
        )
    if answer.status == 403:
        return AccessRefused(
            f"The application may not open this mailbox ({told})",
            on=on,
            step="login",
            code="permission_missing",
            remedy="Grant it Mail.ReadWrite with admin consent, and include the mailbox in its access policy. "
            "Microsoft may take an hour to apply that; it is tried again every hour.",
        )
    if answer.status in GONE and step in ("folder", "list"):
        return FolderMissing(f"The folder is not there ({told})", on=on, step="folder")
    wait = retry_after(answer.headers, now=datetime.now(UTC))
    if answer.status == 429 or (answer.status == 503 and wait is not None):
        return MailboxLocked(
            f"Microsoft Graph is asked too much ({told})",
            on=on,
            step=step,
            code="throttled",
            remedy="It is tried again by itself; fewer mailboxes or a longer cycle_time help if it goes on.",
            retry_after=wait,
        )
    if answer.status >= 500 or answer.status in GONE:
        return Transient(
            f"Microsoft Graph does not work now ({told})", on=on, step=step, code="unavailable", retry_after=wait
        )
    return ServerMisbehaved(f"Microsoft Graph refused a request ({told})", on=on, step=step, code="command_refused")


def patience(answer: Answer | Streamed, *, deadline: float) -> float | None:
    """Return how long to wait before the same is asked again; None when that is not wanted, or takes too long."""
    if answer.status not in LATER:
        return None
    wait = retry_after(answer.headers, now=datetime.now(UTC))
    if wait is None or wait > PATIENCE or time.monotonic() + wait + RESERVE > deadline:
        return None
    return wait


def is_gone(answer: Answer) -> bool:
    """Tell whether it is the message that is not there, and not its mailbox, or the service behind a gateway."""
    return answer.status == 410 or (answer.status == 404 and error_code(answer) in NO_MESSAGE)


def error_code(answer: Answer) -> str:
    """Read Graph's error code; empty when there is none that can be told."""
    error = answer.json().get("error")
    code = str(error.get("code", "")) if isinstance(error, dict) else ""
    return code if _CODE.fullmatch(code) else ""
