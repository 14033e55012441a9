"""Ask DNS for SRV, MX and addresses, with short timeouts; one silence, and nothing more is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dns.exception
import dns.name
import dns.resolver
from postroom.services.mailboxes.guess import Srv

SECONDS = 2.0  # for one question


class DnsResolver:
    """Implements services.guess.Resolver with the name servers of this machine, or the given ones."""

    def __init__(self, *, nameservers: Sequence[str] = (), port: int = 53, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._offline = False
        self._resolver: dns.resolver.Resolver | None = None
        try:
            self._resolver = dns.resolver.Resolver(configure=not nameservers)
        except dns.exception.DNSException:  # the machine has no name servers
            self._offline = True
        if self._resolver is not None and nameservers:
            self._resolver.nameservers = list(nameservers)
            self._resolver.port = port

    def srv(self, name: str) -> Sequence[Srv] | None:
        """Return the records; None when no name server answers."""
        found = self._ask(name, "SRV")
        if found is None:
            return None
        return [Srv(one.priority, one.weight, one.port, one.target.to_text()) for one in found]

    def mx(self, domain: str) -> Sequence[str] | None:
        """Return the hosts, most preferred first; None when no name server answers."""
        found = self._ask(domain, "MX")
        if found is None:
            return None
        return [one.exchange.to_text() for one in sorted(found, key=lambda one: one.preference)]

    def exists(self, host: str) -> bool | None:
        """Tell whether the name has an address; None when no name server answers."""
        found = self._ask(host, "A")
        if found == []:
            found = self._ask(host, "AAAA")
        return None if found is None else bool(found)

    def _ask(self, name: str, kind: str) -> list[Any] | None:
        if self._offline or self._resolver is None:
            return None
        try:
            answer = self._resolver.resolve(
                dns.name.from_text(name), kind, lifetime=self._seconds, search=False, raise_on_no_answer=False
            )
        except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel):
            return []
        except (dns.exception.DNSException, OSError):
            self._offline = True
            return None
        return list(answer)
