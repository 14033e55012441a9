"""Which addresses and ports administrators' hosts may have (docs/threat-model.md 3), and what failures are called."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import pytest
from postroom.adapters.net import connect
from postroom.errors import ConnectFailed, DeadlineExceeded, Permanent

REFUSED_FORMS = [
    "0.0.0.0",
    "0.0.0.1",
    "0.255.255.255",
    "10.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.0",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.0.1.1",
    "127.255.255.255",
    "169.254.0.1",
    "169.254.100.1",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "169.254.255.255",
    "168.63.129.16",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "::7f00:1",
    "::10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "64:ff9b:1:ffff::a9fe:a9fe",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "3fff:fff::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
    "5f00::1",
    "8000::1",
    "1::1",
    "2606:4700::5efe:10.0.0.1",
    "2606:4700::200:5efe:127.0.0.1",
]

ALLOWED_FORMS = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:800::200e",
    "2001:4860:4860::8888",
    "2400:cb00::1",
]

TEXT_FORMS = [
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "localhost",
    "0",
    "0x0",
    "0.0",
    "10.1",
    "192.168.257",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "::ffff:7f00:1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
]


def test_there_are_at_least_eighty_refused_forms() -> None:
    assert len(set(REFUSED_FORMS)) >= 80


@pytest.mark.parametrize("form", REFUSED_FORMS)
def test_no_address_of_our_own_side_may_be_connected_to(form: str) -> None:
    assert connect.refusal(ip_address(form))


@pytest.mark.parametrize("form", ALLOWED_FORMS)
def test_public_addresses_may(form: str) -> None:
    assert connect.refusal(ip_address(form)) == ""


@pytest.mark.parametrize("form", TEXT_FORMS)
def test_no_other_notation_gets_round_the_table(form: str) -> None:
    with pytest.raises((Permanent, ConnectFailed)) as raised:
        connect.open_stream(form, 993, deadline=time.monotonic() + 5)
    assert raised.value.code in ("address_refused", "dns_not_found")
    assert raised.value.step == "dns"


@pytest.mark.parametrize("form", ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "168.63.129.16"])
def test_no_allow_list_opens_the_metadata_endpoints(form: str) -> None:
    everything = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    assert connect.refusal(ip_address(form), allowed=everything)
    assert not connect.refusal(ip_address("10.1.2.3"), allowed=everything)


def answers(*addresses: str) -> object:
    """A resolver that gives these addresses."""

    def getaddrinfo(_host: str, port: int, **_options: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return getaddrinfo


@pytest.mark.fault(9)
def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers("1.1.1.1", "10.0.0.7"))
    with pytest.raises(Permanent) as raised:
        connect.open_stream("mail.example.com", 993, deadline=time.monotonic() + 5)
    assert raised.value.code == "address_refused"
    assert "10.0.0.7" in str(raised.value)


@pytest.mark.fault(9)
def test_a_name_that_flips_after_it_was_checked_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, listening: socket.socket
) -> None:
    turns = iter(["127.0.0.1", "10.0.0.7"])
    asked = []

    def flipping(host: str, port: int, **_options: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(turns), port))]

    monkeypatch.setattr(socket, "getaddrinfo", flipping)
    stream = connect.open_stream(
        "mail.example.com",
        listening.getsockname()[1],
        deadline=time.monotonic() + 5,
        allowed=[ip_network("127.0.0.0/8")],
    )
    stream.close()
    assert asked == ["mail.example.com"]


@pytest.mark.fault(9)
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "dns_not_found"),
        (socket.gaierror(socket.EAI_AGAIN, "later"), "dns_timed_out"),
        (UnicodeError("label too long"), "dns_not_found"),
    ],
    ids=["unknown", "no-answer", "impossible"],
)
def test_names_that_cannot_be_resolved(monkeypatch: pytest.MonkeyPatch, error: Exception, code: str) -> None:
    def failing(*_arguments: object, **_options: object) -> list[object]:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", failing)
    with pytest.raises(ConnectFailed) as raised:
        connect.open_stream("mail.example.com", 993, deadline=time.monotonic() + 5)
    assert (raised.value.step, raised.value.code) == ("dns", code)


@pytest.mark.fault(9)
def test_a_name_server_that_hangs_is_left_behind_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hanging(*_arguments: object, **_options: object) -> list[object]:
        released.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    started = time.monotonic()
    with pytest.raises(ConnectFailed) as raised:
        connect.open_stream("hanging.example.com", 993, deadline=started + 0.3)
    released.set()
    assert raised.value.code == "dns_timed_out"
    assert time.monotonic() - started < 8


@pytest.mark.parametrize(
    ("joined", "questions"), [(600.0, 1), (0.0, 2)], ids=["asked lately", "asked long ago, and perhaps in vain"]
)
def test_who_needs_a_name_that_is_being_resolved_waits_for_that_answer(
    monkeypatch: pytest.MonkeyPatch, joined: float, questions: int
) -> None:
    asked = []
    released = threading.Event()

    def slow(host: str, port: int, **_options: object) -> list[object]:
        asked.append(host)
        released.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    monkeypatch.setattr(connect, "JOINED", joined)
    host = f"shared-{questions}.example.com"
    with pytest.raises(ConnectFailed):  # the one who asked first, and could wait no longer
        connect.resolve(host, 993, until=time.monotonic(), on=host)
    threading.Timer(0.05, released.set).start()
    assert connect.resolve(host, 993, until=time.monotonic() + 10, on=host) == (ip_address("1.1.1.1"),)
    assert asked == [host] * questions


@pytest.mark.parametrize("address", ["127.0.0.1", "2606:4700::1111"])
def test_an_address_needs_no_name_server(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    assert connect.resolve(address, 993, until=time.monotonic() + 5, on=address) == (ip_address(address),)


@pytest.mark.parametrize("host", ["", " ", "fe80::1%eth0", "a\nb", "x" * 254, "127.0.0.1\x00.example.com"], ids=ascii)
def test_what_is_no_host_name_is_not_even_asked(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    with pytest.raises(ConnectFailed) as raised:
        connect.open_stream(host, 993, deadline=time.monotonic() + 5)
    assert raised.value.step == "dns"


@pytest.mark.parametrize("port", [22, 80, 3306, 6379, 8080, 9001])
def test_only_mail_ports_and_https_outside_the_allow_list(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers("1.1.1.1"))
    with pytest.raises(Permanent) as raised:
        connect.open_stream("mail.example.com", port, deadline=time.monotonic() + 5)
    assert raised.value.code == "port_refused"


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A server that accepts nothing by itself."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        yield server


LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.mark.fault(10)
def test_a_closed_port_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectFailed) as raised:
        connect.open_stream("127.0.0.1", port, deadline=time.monotonic() + 5, allowed=LOOPBACK)
    assert (raised.value.step, raised.value.code) == ("connect", "connect_refused")


@pytest.mark.fault(10)
def test_a_black_hole_ends_at_the_time_out(listening: socket.socket) -> None:
    address = listening.getsockname()
    filling = []
    for _ in range(4):  # the queue of those waiting to be accepted is full after two; further SYNs get no answer
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(address)
        filling.append(sock)
    started = time.monotonic()
    try:
        with pytest.raises((ConnectFailed, DeadlineExceeded)) as raised:
            connect.open_stream("127.0.0.1", address[1], deadline=started + 5, timeout=0.5, allowed=LOOPBACK)
    finally:
        for sock in filling:
            sock.close()
    assert raised.value.step == "connect"
    assert time.monotonic() - started < 4.5
