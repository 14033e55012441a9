"""Caps on automatic replies: they hold even against a peer that strips every header (docs/threat-model.md 7, X10).

The caps are data; the adapter that counts decides nothing. A cap withholds our reply, never the incoming mail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from postroom.mail.headers import canonical_address, domain_owner, provider_of
from postroom.model import Cap

SENDER = "sender-and-mailbox"
DOMAIN = "domain-and-mailbox"
THREAD = "thread"
INSTALLATION = "installation"

WINDOWS: Mapping[str, timedelta | None] = MappingProxyType(
    {SENDER: timedelta(hours=24), DOMAIN: timedelta(hours=24), THREAD: None, INSTALLATION: timedelta(hours=1)}
)
"""Within which time a cap's limit holds; None: as long as what is counted lasts."""

_SHARED = frozenset({DOMAIN, INSTALLATION})
_THREAD_LASTS = timedelta(days=365)


def caps_on(*, sender: str, mailbox: str, thread_id: str, limits: Mapping[str, int], now: datetime) -> Iterator[Cap]:
    """Yield the caps that one automatic reply must pass, narrowest first; `limits` are by name.

    A sender is counted by person, not by spelling (`canonical_address`): a peer that tags its address at random is
    still one sender. A domain is counted as a whole, subdomains too, so that made-up names under it end somewhere;
    that of a provider of mailboxes for everybody is not, since its people have nothing to do with each other.
    """
    person = canonical_address(sender)
    domain = person.rpartition("@")[2]
    yield _cap(SENDER, f"{mailbox}\x1f{person}", limits, now)
    if domain and provider_of(domain) is None:
        yield _cap(DOMAIN, f"{mailbox}\x1f{domain_owner(domain)}", limits, now)
    yield _cap(THREAD, thread_id, limits, now)
    yield _cap(INSTALLATION, "all", limits, now)


def _cap(name: str, counted: str, limits: Mapping[str, int], now: datetime) -> Cap:
    """Make a cap. One a window is a rolling window; more are counted in fixed ones, whose number is part of the key."""
    window, key, limit, shared = WINDOWS[name], f"{name}#{counted}", limits[name], name in _SHARED
    if window is None:
        return Cap(name, key, limit, now + _THREAD_LASTS)
    if limit == 1:
        return Cap(name, key, limit, now + window, shared)
    numbered = f"{key}#{int(now.timestamp() // window.total_seconds())}"
    return Cap(name, numbered, limit, now + 2 * window, shared)
