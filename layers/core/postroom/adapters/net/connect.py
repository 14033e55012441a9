"""Connections to hosts that administrators name: resolved once, every address checked, connected to what was checked.

Python's `is_private` and `is_global` miss several ranges (64:ff9b:1::/48, 192.88.99.0/24, 168.63.129.16, IPv4 inside
IPv6), so the table is our own (docs/threat-model.md 3).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from postroom.adapters.net.happy_eyeballs import AT_MOST, Address, connect_any
from postroom.adapters.net.stream import Stream
from postroom.errors import ConnectFailed, Permanent

Network = IPv4Network | IPv6Network

JOINED = 0.5  # seconds that a question to the resolver may be under way for others to wait for its answer

PORTS = frozenset({25, 110, 143, 443, 465, 587, 993, 995, 2525})  # mail and https

# Not even the deploy-time allow-list opens these: whoever reaches them reads credentials.
NEVER: tuple[tuple[Network, str], ...] = (
    (ip_network("169.254.169.254/32"), "the instance metadata endpoint"),
    (ip_network("169.254.170.0/24"), "the container credentials endpoint"),
    (ip_network("169.254.100.0/24"), "the Lambda runtime endpoint"),
    (ip_network("168.63.129.16/32"), "the Azure host endpoint"),
    (ip_network("100.100.100.200/32"), "the Alibaba metadata endpoint"),
    (ip_network("fd00:ec2::/32"), "the instance metadata endpoint"),
)

REFUSED: tuple[tuple[Network, str], ...] = (
    (ip_network("0.0.0.0/8"), "this network (RFC 1122)"),
    (ip_network("10.0.0.0/8"), "a private network (RFC 1918)"),
    (ip_network("100.64.0.0/10"), "shared address space (RFC 6598)"),
    (ip_network("127.0.0.0/8"), "loopback (RFC 1122)"),
    (ip_network("169.254.0.0/16"), "link-local (RFC 3927)"),
    (ip_network("172.16.0.0/12"), "a private network (RFC 1918)"),
    (ip_network("192.0.0.0/24"), "protocol assignments (RFC 6890)"),
    (ip_network("192.0.2.0/24"), "documentation (RFC 5737)"),
    (ip_network("192.31.196.0/24"), "AS112 (RFC 7535)"),
    (ip_network("192.52.193.0/24"), "multicast tunnelling (RFC 7450)"),
    (ip_network("192.88.99.0/24"), "6to4 relays (RFC 7526)"),
    (ip_network("192.168.0.0/16"), "a private network (RFC 1918)"),
    (ip_network("192.175.48.0/24"), "AS112 (RFC 7534)"),
    (ip_network("198.18.0.0/15"), "benchmarks (RFC 2544)"),
    (ip_network("198.51.100.0/24"), "documentation (RFC 5737)"),
    (ip_network("203.0.113.0/24"), "documentation (RFC 5737)"),
    (ip_network("224.0.0.0/4"), "multicast (RFC 5771)"),
    (ip_network("240.0.0.0/4"), "reserved (RFC 1112)"),
    # IPv6: what lies outside 2000::/3 is refused as a whole below; these lie inside, or deserve their own name.
    (ip_network("::/128"), "unspecified"),
    (ip_network("::1/128"), "loopback (RFC 4291)"),
    (ip_network("::ffff:0:0/96"), "IPv4 inside IPv6 (RFC 4291)"),
    (ip_network("::ffff:0:0:0/96"), "IPv4 inside IPv6 (RFC 2765)"),
    (ip_network("::/96"), "IPv4 inside IPv6 (RFC 4291)"),
    (ip_network("64:ff9b::/96"), "NAT64 (RFC 6052)"),
    (ip_network("64:ff9b:1::/48"), "NAT64 (RFC 8215)"),
    (ip_network("100::/64"), "discard (RFC 6666)"),
    (ip_network("2001::/32"), "Teredo, IPv4 inside IPv6 (RFC 4380)"),
    (ip_network("2001::/23"), "protocol assignments (RFC 2928)"),
    (ip_network("2001:db8::/32"), "documentation (RFC 3849)"),
    (ip_network("2002::/16"), "6to4, IPv4 inside IPv6 (RFC 3056)"),
    (ip_network("3fff::/20"), "documentation (RFC 9637)"),
    (ip_network("fc00::/7"), "a private network (RFC 4193)"),
    (ip_network("fe80::/10"), "link-local (RFC 4291)"),
    (ip_network("fec0::/10"), "site-local (RFC 3879)"),
    (ip_network("ff00::/8"), "multicast (RFC 4291)"),
)

_GLOBAL_UNICAST = ip_network("2000::/3")
_ISATAP = {0x00005EFE, 0x02005EFE}  # RFC 5214 §6.1: the upper half of the interface identifier


def refusal(address: Address, *, allowed: Sequence[Network] = ()) -> str:
    """Say why an address is refused; empty when it may be connected to."""
    for network, why in NEVER:
        if address in network:
            return why
    if any(address in network for network in allowed):
        return ""
    for network, why in REFUSED:
        if address in network:
            return why
    if isinstance(address, IPv6Address):
        if address not in _GLOBAL_UNICAST:
            return "not a global unicast address (RFC 4291)"
        if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
            return "ISATAP, IPv4 inside IPv6 (RFC 5214)"
    return ""


def open_stream(
    host: str,
    port: int,
    *,
    deadline: float,
    timeout: float = AT_MOST,
    allowed: Sequence[Network] = (),
) -> Stream:
    """Resolve, check every address, and connect to the first of those checked that answers.

    `timeout` bounds both, in seconds; one address alone gets ten at most.

    Raises Permanent (a refused address or port), ConnectFailed or DeadlineExceeded, with step `dns` or `connect`.
    """
    on = f"{host}:{port}"
    until = min(deadline, time.monotonic() + timeout)
    addresses = resolve(host, port, until=until, on=on)
    for address in addresses:
        if why := refusal(address, allowed=allowed):
            raise Permanent(
                f"The server's address {address} is {why}",
                on=on,
                step="dns",
                code="address_refused",
                remedy="Enter a public mail server; a private one needs the stack parameter PrivateMailNetworks.",
            )
        if port not in PORTS and not any(address in network for network in allowed):
            raise Permanent(
                f"Port {port} is neither a mail port nor https",
                on=on,
                step="connect",
                code="port_refused",
                remedy=f"Use one of {', '.join(str(known) for known in sorted(PORTS))}.",
            )
    if not addresses:
        raise ConnectFailed("The server's name has no address", on=on, step="dns", code="dns_not_found")
    return Stream(connect_any(addresses, port, until=until, on=on), deadline=deadline, on=on)


def resolve(host: str, port: int, *, until: float, on: str) -> tuple[Address, ...]:
    """Resolve once, within the deadline; names, and addresses in every notation the system understands.

    Mailboxes of one server that are looked at together ask its name server together, once. An address as it is usually
    written needs no resolver.
    """
    if "%" in host or not host.isprintable() or not host.strip() or len(host) > 253:
        raise ConnectFailed("The server's name is not a host name", on=on, step="dns", code="dns_not_found")
    with suppress(ValueError):
        return (ip_address(host),)
    answer = _question(host, port).answer(until)
    if answer is None:
        raise ConnectFailed("The name server did not answer in time", on=on, step="dns", code="dns_timed_out")
    if isinstance(answer, socket.gaierror) and answer.errno == socket.EAI_AGAIN:
        raise ConnectFailed("The name server did not answer", on=on, step="dns", code="dns_timed_out") from answer
    if isinstance(answer, (OSError, UnicodeError)):
        raise ConnectFailed("The server's name does not exist", on=on, step="dns", code="dns_not_found") from answer
    return answer


class _Question:
    """What the resolver is being asked. It cannot be interrupted, so a thread waits for it, and is left behind."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._answer: tuple[Address, ...] | OSError | UnicodeError | None = None
        self._thread = threading.Thread(target=self._look_up, name="dns", daemon=True)
        self._since = time.monotonic()
        self._thread.start()

    def joins(self) -> bool:
        """Tell whether who asks now may wait for this answer: one that is late may never come."""
        return self._thread.is_alive() and time.monotonic() - self._since < JOINED

    def answer(self, until: float) -> tuple[Address, ...] | OSError | UnicodeError | None:
        """Wait for the answer; None when there is none by then."""
        self._thread.join(max(0.0, until - time.monotonic()))
        return self._answer

    def _look_up(self) -> None:
        try:
            rows = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            self._answer = tuple(dict.fromkeys(ip_address(str(row[4][0]).partition("%")[0]) for row in rows))
        except (OSError, UnicodeError) as error:  # UnicodeError: a label of more than 63 characters
            self._answer = error


_questions: dict[tuple[str, int], _Question] = {}  # the last one about each server
_asking = threading.Lock()


def _question(host: str, port: int) -> _Question:
    with _asking:
        question = _questions.get((host, port))
        if question is None or not question.joins():
            question = _questions[host, port] = _Question(host, port)
        return question
