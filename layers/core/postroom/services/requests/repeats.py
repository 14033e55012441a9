"""Idempotency keys: the same request again gets the same answer, and does nothing."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from postroom.errors import Conflict, Transient
from postroom.model import short_id
from postroom.ports import Clock, RequestMemory

KEPT = timedelta(hours=24)
HELD = timedelta(seconds=60)
"""Longer than the API's functions may run: whoever began has ended by then, one way or the other."""

LARGEST_ANSWER = 300_000  # bytes; an item of DynamoDB has 400 KB

Answer = dict[str, Any]
"""What a function answers API Gateway: statusCode, headers, body."""


def operation(caller: str, key: str) -> str:
    """Derive the id of what a request makes: the same caller with the same key never makes a second one."""
    return short_id("operation", caller, key)


@dataclass(frozen=True, slots=True)
class Repeats:
    """Remembers answers by caller and key, for a day."""

    memory: RequestMemory
    clock: Clock

    def once(
        self, caller: str, key: str, request: tuple[str, str, str], act: Callable[[], Answer]
    ) -> tuple[Answer, bool]:
        """Answer a request (method, path, body), or return the answer that it had, and True.

        Only what came about is kept: after a refusal or an error the same request is made anew. Raises Conflict for
        another request under the same key, Transient while the first one is still being answered.
        """
        name = operation(caller, key)
        # Of a typed password not even the hash is kept that a reader of the table could try words on.
        fingerprint = hmac.digest(key.encode(), "\x00".join(request).encode("utf-8", "surrogatepass"), "sha256").hex()
        now = self.clock()
        earlier = self.memory.begin(name, fingerprint=fingerprint, now=now, held_until=now + HELD)
        if earlier is not None:
            return _earlier(earlier.answer, hmac.compare_digest(earlier.fingerprint, fingerprint)), True
        answer = act()
        status = int(answer["statusCode"])
        text = json.dumps(_kept(answer))
        if status < 300 and len(text) <= LARGEST_ANSWER:
            self.memory.finish(name, answer=text, fingerprint=fingerprint, until=self.clock() + KEPT)
        elif status != 500:  # of what nobody foresaw it is not known what came of it: it is held as long as it may run
            self.memory.give_up(name, fingerprint=fingerprint, now=self.clock())
        return answer, False


def _earlier(answer: str | None, same: bool) -> Answer:
    if not same:
        raise Conflict(
            "Another request was made with this Idempotency-Key",
            code="key_reused",
            remedy="Use a new key for a new request.",
        )
    if answer is None:
        raise Transient(
            "The same request is being answered now", code="in_progress", retry_after=2, remedy="Ask again in seconds."
        )
    found: Answer = json.loads(answer)
    return found


def _kept(answer: Mapping[str, Any]) -> Answer:
    return {name: answer[name] for name in ("statusCode", "headers", "body", "isBase64Encoded") if name in answer}
