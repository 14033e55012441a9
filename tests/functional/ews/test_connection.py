"""Testing the connection of an EWS mailbox: each way to fail names its step and what to do (C09)."""

from __future__ import annotations

from typing import Any

import pytest
from postroom.adapters.ews import EwsConnector
from postroom.adapters.probe import NetworkProbe
from postroom.model.configuration.mailbox import Type
from postroom.services.mailboxes.connection_check import ConnectionTest, check_connection
from postroom_cli.mailservers import Authority
from postroom_cli.mailservers.ews import EwsServer
from postroom_cli.mailservers.ews_store import Code, Mailbox, Planted, Status

from tests.functional.ews.opening import LOOPBACK, PASSWORD, mailbox
from tests.support.mails import mail
from tests.unit.services.polling.fakes import Secrets


def check(ews: EwsServer, *, secret: str = PASSWORD, **options: Any) -> ConnectionTest:
    return check_connection(
        mailbox(ews, **options),
        connectors={Type.EWS: EwsConnector(LOOPBACK)},
        secrets=Secrets(),
        probe=NetworkProbe(allowed_networks=LOOPBACK),
        secret=secret,
    )


@pytest.mark.feature("C09")
def test_a_good_connection_passes_every_step_and_counts(ews: EwsServer, box: Mailbox) -> None:
    box.deliver(mail())
    result = check(ews)
    assert [(step.name, step.ok) for step in result.steps] == [
        (name, True) for name in ("dns", "connect", "tls", "login", "folder", "count")
    ]
    assert (result.ok, result.messages) == (True, 1)
    assert result.seconds < 11


@pytest.mark.feature("C09")
@pytest.mark.parametrize(
    ("options", "planted", "step", "code"),
    [
        pytest.param({"server": "https://nowhere.invalid/"}, None, "dns", "dns_not_found", id="no such host"),
        pytest.param({"server": "https://localhost:1/"}, None, "connect", "connect_refused", id="nobody listens"),
        pytest.param(
            {"ca_certificate": Authority("Another").pem},
            None,
            "tls",
            "certificate_untrusted",
            id="unknown authority",
        ),
        pytest.param({"secret": "wrong"}, None, "login", "login_refused", id="wrong password"),
        pytest.param({}, Status(404), "login", "not_ews", id="another page"),
        pytest.param({}, Status(403), "login", "ews_blocked", id="EWS is switched off"),
        pytest.param({}, Code("ErrorAccessDenied"), "login", "mailbox_not_permitted", id="no right to the mailbox"),
        pytest.param({"folder_path": "Nowhere"}, None, "folder", "folder_missing", id="no such folder"),
    ],
)
def test_a_connection_that_fails_names_step_code_and_remedy(
    ews: EwsServer, options: dict[str, Any], planted: Planted | None, step: str, code: str
) -> None:
    if planted is not None:
        ews.plant("GetFolder", planted)
    result = check(ews, **options)
    failed = result.steps[-1]
    assert (failed.name, failed.code, failed.ok) == (step, code, False)
    assert all(before.ok for before in result.steps[:-1])
    assert failed.remedy
