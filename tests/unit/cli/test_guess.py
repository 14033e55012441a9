"""`postroom mailbox guess` against a name server on loopback."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dns.message
import dns.rcode
import dns.rrset
import pytest
from postroom_cli.commands import guessing
from postroom_cli.dns import DnsResolver
from postroom_cli.main import run

ZONE = {
    ("acme.example.", "MX"): ("20 mx2.acme.example.", "10 mx1.rzone.de."),
    ("_imaps._tcp.acme.example.", "SRV"): ("0 1 993 imap.acme.example.",),
    ("v6.acme.example.", "AAAA"): ("2001:db8::1",),
}


@contextmanager
def name_server(zone: Mapping[tuple[str, str], tuple[str, ...]], *, silent: bool = False) -> Iterator[int]:
    """Answer questions by UDP from a zone until the block ends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                data, client = sock.recvfrom(4096)
                if data == b"end":
                    return
                if silent:
                    continue
                query = dns.message.from_wire(data)
                question = query.question[0]
                answer = dns.message.make_response(query)
                name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
                if found := zone.get((name, kind)):
                    answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *found))
                elif not any(known == name for known, _kind in zone):
                    answer.set_rcode(dns.rcode.NXDOMAIN)
                sock.sendto(answer.to_wire(), client)

        thread = threading.Thread(target=serve)
        thread.start()
        port = sock.getsockname()[1]
        try:
            yield port
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
                ending.sendto(b"end", ("127.0.0.1", port))
            thread.join()


def test_the_adapter_asks_and_tells_absence_from_silence() -> None:
    with name_server(ZONE) as port:
        asked = DnsResolver(nameservers=["127.0.0.1"], port=port)
        assert asked.mx("acme.example") == ["mx1.rzone.de.", "mx2.acme.example."]
        (record,) = asked.srv("_imaps._tcp.acme.example") or ()
        assert (record.port, record.target) == (993, "imap.acme.example.")
        assert asked.srv("_imaps._tcp.other.example") == []
        assert asked.mx("v6.acme.example") == []
        assert asked.exists("v6.acme.example") is True
        assert asked.exists("no.acme.example") is False
        assert asked.exists(f"{'x' * 70}.acme.example") is False
    with name_server(ZONE, silent=True) as port:
        asked = DnsResolver(nameservers=["127.0.0.1"], port=port, seconds=0.3)
        started = time.monotonic()
        assert asked.mx("acme.example") is None
        assert [asked.exists(f"{number}.acme.example") for number in range(20)] == [None] * 20
        assert time.monotonic() - started < 5  # silent once: not asked again


def test_the_command_proposes_the_best_first_with_what_to_type(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with name_server(ZONE) as port:
        monkeypatch.setattr(guessing, "_resolver", lambda: DnsResolver(nameservers=["127.0.0.1"], port=port))
        assert run(["mailbox", "guess", "support@acme.example", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["server"] for one in document["proposals"]] == [
        "imap.acme.example",
        "imap.strato.de",
        "pop3.strato.de",
    ]
    assert document["proposals"][0]["command"] == (
        "postroom mailbox add NAME --address support@acme.example --type IMAP --server imap.acme.example "
        "--set security=ssl-tls --password"
    )


def test_the_command_works_without_a_network_and_refuses_what_is_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mailbox", "guess", "a@outlook.com", "--offline"]) == 0
    told = capsys.readouterr().out
    assert "outlook.office365.com" in told
    assert "--password" not in told  # Microsoft takes none
    assert run(["mailbox", "guess", "nobody", "--offline"]) == 2
