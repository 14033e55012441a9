"""Testing the connection of a Graph mailbox: each way to fail names its step and what to do (C09)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from postroom.adapters.probe import NetworkProbe
from postroom.errors import LoginRefused, PostroomError
from postroom.model.configuration.mailbox import Mailbox, Type
from postroom.services.mailboxes.connection_check import ConnectionTest, check_connection
from postroom_cli.mailservers.graph_calls import error
from postroom_cli.mailservers.https import Reply

from tests.functional.graph.conftest import LOOPBACK, Site
from tests.support import certificates
from tests.unit.services.polling.fakes import Secrets

pytestmark = pytest.mark.feature("C09", "G24")


class Tokens:
    """Implements ports.Tokens."""

    def __init__(self, given: str | PostroomError) -> None:
        self.given = given

    def access_token(self, mailbox: Mailbox, *, deadline: float, refused: str = "") -> str:
        if isinstance(self.given, PostroomError):
            raise self.given
        return self.given


def check(site: Site, *, token: str | PostroomError = "token-1", **options: Any) -> ConnectionTest:
    return check_connection(
        site.mailbox(**options),
        connectors={Type.GRAPH: site.connector},
        secrets=Secrets(),
        probe=NetworkProbe(allowed_networks=LOOPBACK),
        tokens=Tokens(token),
    )


def test_a_good_connection_passes_every_step_and_counts_a_large_folder_in_one_request(site: Site) -> None:
    site.service.deliver(*[b"x"] * 5_000)
    result = check(site)
    steps = [(step.name, step.ok) for step in result.steps]
    assert steps == [(name, True) for name in ("dns", "connect", "tls", "login", "folder", "count")]
    assert (result.ok, result.messages) == (True, 5_000)
    assert len(site.service.seen) == 2


def test_a_number_that_is_not_told_is_counted(site: Site) -> None:
    site.service.deliver(b"x", b"y")
    folder = site.service._folder
    site.service._folder = lambda call, one: Reply(200, folder(call, one).body.replace(b"totalItem", b"x"))  # type: ignore[method-assign]
    assert check(site).messages == 2


REFUSED = LoginRefused("No consent", step="login", code="consent_missing")


@pytest.mark.parametrize(
    ("options", "answer", "step", "code"),
    [
        pytest.param({"server": "https://nowhere.invalid"}, None, "dns", "dns_not_found", id="no such host"),
        pytest.param({"server": "https://localhost:1"}, None, "connect", "connect_refused", id="nobody listens"),
        pytest.param(
            {"ca_certificate": certificates.unknown_authority().certificate_pem},
            None,
            "tls",
            "certificate_untrusted",
            id="unknown authority",
        ),
        pytest.param({"token": REFUSED}, None, "login", "consent_missing", id="no token"),
        pytest.param({"token": "wrong"}, None, "login", "token_refused", id="token refused"),
        pytest.param({}, lambda: error(403, "ErrorAccessDenied"), "login", "permission_missing", id="no permission"),
        pytest.param({}, lambda: error(404, "ErrorInvalidUser"), "login", "mailbox_missing", id="no mailbox"),
        pytest.param({"folder_path": "Nowhere"}, None, "folder", "folder_missing", id="no such folder"),
        pytest.param({}, lambda: error(429, "x", retry_after="900"), "folder", "throttled", id="asked too much"),
        pytest.param({}, lambda: Reply(200, b"<html>"), "folder", "not_graph", id="another page"),
    ],
)
def test_every_failure_names_its_step_its_code_and_what_to_do(
    site: Site, options: dict[str, Any], answer: Callable[[], Reply] | None, step: str, code: str
) -> None:
    if answer is not None:
        site.service.fail("GET", ".*", answer, times=9)
    result = check(site, **options)
    failed = result.steps[-1]
    assert (failed.name, failed.ok, failed.code) == (step, False, code)
    assert failed.remedy
    assert not result.ok
