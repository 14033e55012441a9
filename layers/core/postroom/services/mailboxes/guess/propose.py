"""Propose server settings for an address, best first: known providers, DNS (RFC 6186, MX), common host names.

A proposal is no proof: nothing is connected to here, `test_connection` does that. What DNS says is not authenticated,
so that a server outside the address's own domain is to be confirmed by a person (RFC 6186 §6).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from postroom.errors import Invalid, Problem
from postroom.model.configuration import MailboxAddress, Security, Type, split_mailbox
from postroom.services.mailboxes.guess.providers import PROVIDERS, Provider


@dataclass(frozen=True, slots=True)
class Srv:
    """One SRV record (RFC 2782); the target "." says that the service is not there."""

    priority: int
    weight: int
    port: int
    target: str


class Resolver(Protocol):
    """Asks DNS. None: no name server answered; empty: there is no such record."""

    def srv(self, name: str) -> Sequence[Srv] | None: ...

    def mx(self, domain: str) -> Sequence[str] | None:
        """Return the hosts, most preferred first."""
        ...

    def exists(self, host: str) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """Settings to try. `source`: what says so; `note`: what to see to; `server` None: the type has a fixed one."""

    type: Type
    server: str | None
    port: int | None
    security: Security
    login: str
    oauth: bool
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Guess:
    """What can be proposed; `notes`: why there may be nothing, or less than there could be."""

    address: str
    proposals: tuple[Proposal, ...]
    notes: tuple[str, ...] = ()


_ADDRESS: TypeAdapter[str] = TypeAdapter(MailboxAddress)

# RFC 6186 §3.2, §3.3 and RFC 8314 §3: the variants with TLS from the first byte come first.
_SRV = (
    ("_imaps", Type.IMAP, Security.SSL_TLS),
    ("_imap", Type.IMAP, Security.START_TLS_REQUIRED),
    ("_pop3s", Type.POP3, Security.SSL_TLS),
    ("_pop3", Type.POP3, Security.START_TLS_REQUIRED),
)

_COMMON = (
    ("imap", Type.IMAP, 993),
    ("mail", Type.IMAP, 993),
    ("pop3", Type.POP3, 995),
    ("pop", Type.POP3, 995),
    ("mail", Type.POP3, 995),
)


def guess(address: str, resolver: Resolver | None) -> Guess:
    """Propose; `resolver` None: without DNS. Raises Invalid for what is no address."""
    try:
        bare = split_mailbox(_ADDRESS.validate_python(address)).address
    except ValidationError as error:
        problem = Problem("ADDRESS", f"{address!r} is no e-mail address.", "Write it like support@example.com.")
        raise Invalid([problem]) from error
    domain = bare.rpartition("@")[2].lower()
    if provider := next((known for known in PROVIDERS if domain in known.domains), None):
        proposals = list(_of_provider(provider, bare, f"{provider.name}, by the domain"))
        return _finish(bare, proposals, () if proposals else (provider.note,))
    found: list[Proposal] = []
    notes: list[str] = []
    absent: set[tuple[Type, Security]] = set()
    offline = resolver is None
    if resolver is not None:
        services = {label: resolver.srv(f"{label}._tcp.{domain}") for label, _type, _security in _SRV}
        offline = None in services.values()
        for label, type_, security in _SRV:
            if any(record.target in (".", "") for record in services[label] or ()):
                absent.add((type_, security))
        found += _of_srv(services, domain, bare)
        hosts = resolver.mx(domain)
        offline = offline or hosts is None
        for provider in _by_mx(hosts or ()):
            found += _of_provider(provider, bare, f"{provider.name}, by its MX")
            if not provider.services:
                notes.append(provider.note)
    if offline:
        notes.append("DNS was not asked or did not answer: only common names are proposed where it is silent.")
    # A provider's own servers are certain; guessing names below the domain beside them would only mislead.
    if not found:
        found += _common(domain, bare, resolver)
    kept = [one for one in found if (one.type, one.security) not in absent]
    if not kept and not notes:
        notes.append(f"Nothing in DNS tells where mail of {domain} is fetched; ask who runs its mail server.")
    return _finish(bare, kept, notes)


def _finish(bare: str, found: Sequence[Proposal], notes: Sequence[str]) -> Guess:
    first: dict[tuple[Type, str | None, int | None], Proposal] = {}
    for one in found:
        first.setdefault((one.type, one.server, one.port), one)
    return Guess(bare, tuple(first.values()), tuple(dict.fromkeys(note for note in notes if note)))


def _of_provider(provider: Provider, bare: str, source: str) -> Iterator[Proposal]:
    for service in provider.services:
        yield Proposal(
            service.type, service.server, service.port, service.security, bare, provider.oauth, source, provider.note
        )


def _of_srv(services: dict[str, Sequence[Srv] | None], domain: str, bare: str) -> list[Proposal]:
    ranked = []
    for order, (label, type_, security) in enumerate(_SRV):
        for record in services[label] or ():
            host = record.target.rstrip(".").lower()
            if not host:
                continue
            own = host == domain or host.endswith(f".{domain}")
            note = (
                "" if own else f"{host} is outside {domain}: make sure that it is the right one (RFC 6186, section 6)."
            )
            proposal = Proposal(type_, host, record.port, security, bare, False, "DNS (RFC 6186)", note)
            # RFC 6186 §3.4: the priorities tell across services which one the domain prefers.
            ranked.append(((record.priority, order, -record.weight, host, record.port), proposal))
    return [proposal for _rank, proposal in sorted(ranked, key=lambda pair: pair[0])]


def _by_mx(hosts: Sequence[str]) -> Iterator[Provider]:
    names = [host.rstrip(".").lower() for host in hosts]
    seen: set[str] = set()
    # The most preferred host first, and of several ends that fit the longest: olc.protection… before protection….
    for name in names:
        fitting = [
            (len(end), provider)
            for provider in PROVIDERS
            for end in provider.mx
            if name == end or name.endswith(f".{end}")
        ]
        for _length, provider in sorted(fitting, key=lambda pair: -pair[0])[:1]:
            if provider.name not in seen:
                seen.add(provider.name)
                yield provider


def _common(domain: str, bare: str, resolver: Resolver | None) -> Iterator[Proposal]:
    answers: dict[str, bool | None] = {}
    for label, type_, port in _COMMON:
        host = f"{label}.{domain}"
        if host not in answers:
            answers[host] = resolver.exists(host) if resolver else None
        if answers[host] is not False:
            note = "" if answers[host] else "Not looked up."
            yield Proposal(type_, host, port, Security.SSL_TLS, bare, False, "common host name", note)
