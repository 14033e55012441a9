"""The ports of SMTP: what the configuration says is dialled where none is given, is dialled."""

from __future__ import annotations

from pathlib import Path

import pytest
from postroom.adapters.transports import smtp
from postroom.errors import Transient
from postroom.model.configuration.document import SMTP_PORTS, OutboundServer, SmtpSecurity

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("given", [None, 2525], ids=["no port", "a port"])
@pytest.mark.parametrize("security", SmtpSecurity)
def test_the_port_of_the_table_is_dialled_unless_one_is_given(
    security: SmtpSecurity, given: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialled = []

    def refuse(_host: str, port: int, **_options: object) -> None:
        dialled.append(port)
        raise Transient("nobody answers", on="smtp.example.com", step="connect", code="refused")

    monkeypatch.setattr(smtp, "open_stream", refuse)
    server = OutboundServer.model_validate(
        {"name": "out", "type": "smtp", "host": "smtp.example.com", "security": security.value, "port": given}
    )
    transport = smtp.SmtpTransport(server, password="")
    with pytest.raises(Transient):
        transport._open(0.0, helo="example.com")
    assert dialled == [given or SMTP_PORTS[security]]


def test_the_schema_tells_each_port_of_the_table() -> None:
    says = OutboundServer.model_fields["port"].description
    assert says == "Empty: 25 with none, 25 with start-tls, 587 with start-tls-required, 465 with ssl-tls."


def test_the_guide_tells_each_port_of_the_table() -> None:
    guide = " ".join((ROOT / "docs" / "deploy.md").read_text(encoding="utf-8").split())
    assert "587 with `start-tls-required`, 465 with `ssl-tls`, and 25 with `start-tls` or `none`" in guide
    assert sorted(SMTP_PORTS.values()) == [25, 25, 465, 587]
