"""boto3's sessions and clients, made once for all tests of a process: making one takes longer than what it is asked.

A client holds nothing of a test, since moto answers below it, and each stack begins with a full quota of retries. What
a test wants to hear of the calls of handlers, whose clients are those of `boto3.client`, it says with `listen`; clients
that tests make of a session are not heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any
from unittest.mock import patch

import boto3
import botocore.session
from boto3.session import Session
from botocore.retries import quota

Listener = Callable[..., Any]

EVENTS = ("provide-client-params", "before-call", "after-call")
_listeners: dict[str, list[Listener]] = {event: [] for event in EVENTS}
_sessions: dict[str, Session] = {}
_clients: dict[tuple[int, str, str], Any] = {}
_quotas: list[quota.RetryQuota] = []

# Each session would read the descriptions of all services anew.
botocore.session.create_loader = cache(botocore.session.create_loader)


@contextmanager
def kept_clients() -> Iterator[None]:
    """Give out kept sessions and clients, and forget at the end who listened."""
    for one in _quotas:
        one.release(quota.RetryQuota.INITIAL_CAPACITY)
    with patch.object(boto3, "client", _heard), patch.object(boto3, "Session", _session):
        try:
            yield
        finally:
            for listeners in _listeners.values():
                listeners.clear()


def listen(event: str, listener: Listener) -> None:
    """Hear an event of botocore (one of `EVENTS`) of all clients of handlers, as long as the stack stands."""
    _listeners[event].append(listener)


@contextmanager
def listening(event: str, listener: Listener) -> Iterator[None]:
    """Hear an event only while entered."""
    listen(event, listener)
    try:
        yield
    finally:
        with suppress(ValueError):  # the stack ended before
            _listeners[event].remove(listener)


class _KeptSession(Session):
    """A session whose clients are kept."""

    def client(self, service_name: str, **settings: Any) -> Any:  # type: ignore[override]
        """Return the client of a service with these settings."""
        shown = {name: vars(value) if name == "config" else value for name, value in settings.items()}
        key = id(self), service_name, repr(shown)
        if key not in _clients:
            with patch.object(quota, "RetryQuota", _quota):
                _clients[key] = super().client(service_name, **settings)  # type: ignore[call-overload]  # of any kind
        return _clients[key]


def _session(*arguments: Any, **settings: Any) -> Session:
    return _kept_session(repr((arguments, settings)), lambda: _KeptSession(*arguments, **settings))


def _heard(service: str, **settings: Any) -> Any:
    return _kept_session("heard", _heard_session).client(service, **settings)  # type: ignore[call-overload]


def _kept_session(key: str, make: Callable[[], Session]) -> Session:
    if key not in _sessions:
        _sessions[key] = make()
    return _sessions[key]


def _heard_session() -> Session:
    made = botocore.session.get_session()
    for event in EVENTS:
        made.register(event, _teller(_listeners[event]))
    return _KeptSession(botocore_session=made)


def _teller(listeners: list[Listener]) -> Listener:
    def tell(**event: Any) -> Any:
        answers = [listener(**event) for listener in [*listeners]]
        return next((answer for answer in answers if answer is not None), None)

    return tell


def _quota() -> quota.RetryQuota:
    made = _RetryQuota()
    _quotas.append(made)
    return made


_RetryQuota = quota.RetryQuota
