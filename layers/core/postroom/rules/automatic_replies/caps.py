"""Caps on automatic replies: they hold even against a peer that strips every header (docs/threat-model.md 7, X10).

The caps are data; the adapter that counts decides nothing. A cap withholds our reply, never the incoming mail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from postroom.mail.headers import canonical_address, domain_owner, provider_of
from postroom.model import Decision, Outcome
from postroom.model import DecisionRule as Rule


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `most` automatic replies for one key within `window`; no window counts for the key's whole life."""

    name: str
    most: int
    window: timedelta | None


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter to raise by one, conditionally: refused when it already stands at `cap.most`."""

    cap: Cap
    key: str


SENDER = Cap("sender-and-mailbox", most=1, window=timedelta(hours=24))
DOMAIN = Cap("domain-and-mailbox", most=100, window=timedelta(hours=24))
THREAD = Cap("thread", most=3, window=None)
INSTALLATION = Cap("installation", most=1_000, window=timedelta(hours=1))

CAPS: tuple[Cap, ...] = (SENDER, DOMAIN, THREAD, INSTALLATION)


def counters(
    *, sender: str, mailbox: str, thread_id: str, installation_cap: Cap = INSTALLATION, thread_cap: Cap = THREAD
) -> Iterator[Counter]:
    """Yield the counters that one automatic reply must pass, narrowest first.

    A sender is counted by person, not by spelling (`canonical_address`): a peer that tags its address at random is
    still one sender. A domain is counted as a whole, subdomains too, so that made-up names under it end somewhere;
    that of a provider of mailboxes for everybody is not, since its people have nothing to do with each other.
    """
    person = canonical_address(sender)
    domain = person.rpartition("@")[2]
    yield Counter(SENDER, f"{mailbox}\x1f{person}")
    if domain and provider_of(domain) is None:
        yield Counter(DOMAIN, f"{mailbox}\x1f{domain_owner(domain)}")
    yield Counter(thread_cap, thread_id)
    yield Counter(installation_cap, "all")


def refused_by(cap: Cap) -> Decision:
    """Return the decision that a full counter makes."""
    period = "a thread" if cap.window is None else f"within {_hours(cap.window)}"
    return Decision(
        Rule.AUTO_REPLY,
        Outcome.SUPPRESSED,
        f"cap {cap.name}: {cap.most} automatic replies {period} is the most",
    )


def _hours(window: timedelta) -> str:
    hours = window.total_seconds() / 3600
    return f"{hours:g} hour" if hours == 1 else f"{hours:g} hours"
