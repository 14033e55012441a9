"""Looks at up to twenty mailboxes in one request to Microsoft Graph (JSON batching, learn.microsoft.com/graph).

A part that says anything else than what lies in its folder leads to its mailbox being opened by itself, where that is
asked again, and told as it would be without a batch. Only a part that asks to wait is believed at once.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from postroom.adapters.graph.client import IMMUTABLE, LATER, TRIES, VERSION, patience, read_page, refusal, user_path
from postroom.adapters.graph.newest_page import is_busy, newest, stays
from postroom.adapters.net import AT_A_TIME, Answer, HttpClient, Network, trace_of
from postroom.adapters.oauth import graph_of, wanted
from postroom.errors import PostroomError, Transient
from postroom.model import Position
from postroom.model.configuration import Mailbox

MOST = 20  # requests in one batch
ANSWERED_WITHIN = 10.0  # seconds; after that the mailboxes are better opened one by one

Verdict = bool | PostroomError
"""True: open it, something is there or nobody knows; False: nothing new; an error: what the server said."""


@dataclass(frozen=True, slots=True)
class Look:
    """One mailbox to look at, and its folder's id."""

    mailbox: Mailbox
    position: Position
    folder: str

    @property
    def path(self) -> str:
        """Return what the mailbox is asked, without its name."""
        return newest(f"/mailFolders/{quote(self.folder, safe='')}/messages")

    def part(self, one: str) -> dict[str, Any]:
        """Write the part of a batch that asks it."""
        return {"id": one, "method": "GET", "url": user_path(self.mailbox.user) + self.path, "headers": IMMUTABLE}


def company(mailbox: Mailbox) -> Hashable | None:
    """Say what mailboxes of one batch have in common; None for one that cannot even ask for a token."""
    try:
        return (wanted(mailbox), graph_of(mailbox), mailbox.ca_certificate)
    except PostroomError:
        return None


def ask_together(
    looks: Sequence[Look],
    *,
    token: str,
    deadline: float,
    allowed_networks: Sequence[Network],
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[Mailbox, Verdict]]:
    """Look at mailboxes of one company; each verdict comes as soon as it is known, and some may be missing.

    Raises what the connection raises.
    """
    for batch in _batches(looks):
        yield from _Batch(batch, token=token, deadline=deadline, allowed_networks=allowed_networks, sleep=sleep).ask()


def _batches(looks: Sequence[Look]) -> Iterator[list[Look]]:
    """Cut into batches that the server takes: no more than four requests to the same mailbox at once."""
    rest = list(looks)
    while rest:
        batch: list[Look] = []
        of_user: Counter[str] = Counter()
        for look in rest:
            if len(batch) < MOST and of_user[look.mailbox.user.lower()] < AT_A_TIME:
                batch.append(look)
                of_user[look.mailbox.user.lower()] += 1
        chosen = set(map(id, batch))
        rest = [look for look in rest if id(look) not in chosen]
        yield batch


class _Batch:
    """One batch, asked again for the parts that were told to wait a little."""

    def __init__(
        self,
        looks: Sequence[Look],
        *,
        token: str,
        deadline: float,
        allowed_networks: Sequence[Network],
        sleep: Callable[[float], None],
    ) -> None:
        self._looks = {str(number): look for number, look in enumerate(looks)}
        self._deadline = deadline
        self._sleep = sleep
        self._base = graph_of(looks[0].mailbox).rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        self._http = HttpClient(
            deadline=deadline,
            connect_timeout=min(look.mailbox.connect_timeout.total_seconds() for look in looks),
            timeout=min(ANSWERED_WITHIN, *(look.mailbox.protocol_timeout.total_seconds() for look in looks)),
            allowed_networks=allowed_networks,
            ca_pem=looks[0].mailbox.ca_certificate,
        )

    def ask(self) -> Iterator[tuple[Mailbox, Verdict]]:
        """Ask and judge, each as soon as its answer is there."""
        try:
            waiting = dict(self._looks)
            for left in reversed(range(TRIES)):
                parts = self._send(waiting)
                waits: dict[str, float] = {}
                for one, look in waiting.items():
                    part = parts.get(one)
                    wait = patience(part.answer, deadline=self._deadline) if part and left else None
                    if wait is None:
                        yield look.mailbox, _judge(look, part)
                    else:
                        waits[one] = wait
                if not waits:
                    return
                waiting = {one: waiting[one] for one in waits}
                self._sleep(max(waits.values()))
        finally:
            self._http.close()

    def _send(self, looks: Mapping[str, Look]) -> dict[str, _Part]:
        """Send the batch; answers by id, all the same where the batch as a whole was told to wait."""
        body = json.dumps({"requests": [look.part(one) for one, look in looks.items()]}).encode("utf-8")
        began = time.monotonic()
        for look in looks.values():
            _note(look, ">", f"GET {look.path}, with {len(looks) - 1} others in a batch")
        whole = self._http.ask("POST", f"{self._base}/{VERSION}/$batch", step="list", headers=self._headers, body=body)
        parts = _parts(whole) if whole.status == 200 else {}
        if whole.status in LATER:
            parts = dict.fromkeys(looks, _Part(whole, {}))
        for one, look in looks.items():
            said = str(parts[one].answer.status) if one in parts else f"no part in an answer with {whole.status}"
            _note(look, "<", f"{said}, {time.monotonic() - began:.3f} s")
        return parts


@dataclass(frozen=True, slots=True)
class _Part:
    """What one mailbox was answered; `content` where it is 200, and the answer's body where it is not."""

    answer: Answer
    content: Mapping[str, Any]


def _parts(whole: Answer) -> dict[str, _Part]:
    """Read the parts of an answer; one that makes no sense is as good as absent."""
    found: dict[str, _Part] = {}
    parts = whole.json().get("responses")
    for part in parts if isinstance(parts, list) else ():
        if not isinstance(part, dict) or type(part.get("status")) is not int:
            continue
        headers, body = part.get("headers"), part.get("body")
        named = {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
        content = body if isinstance(body, dict) else {}
        data = b"" if part["status"] == 200 else json.dumps(content).encode("utf-8")
        found[str(part.get("id"))] = _Part(Answer(part["status"], named, data), content)
    return found


def _judge(look: Look, part: _Part | None) -> Verdict:
    if part is None:
        return True
    if part.answer.status == 200:
        page = read_page(part.content)
        return page is None or is_busy(page, look.position, stays=stays(look.mailbox))
    error = refusal(part.answer, on=look.mailbox.name, step="list")
    return error if isinstance(error, Transient) and error.retry_after is not None else True


def _note(look: Look, direction: str, line: str) -> None:
    trace = trace_of(look.mailbox)
    if trace is not None:
        trace("list", direction, line.encode("utf-8", "backslashreplace"))
