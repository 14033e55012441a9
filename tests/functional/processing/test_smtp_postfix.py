"""Sending by SMTP against Postfix's smtp-sink: a server we did not write decides the states as ours does."""

from __future__ import annotations

import pytest
from postroom.model.outbound import OutboxState

from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_smtp import reply_and_send
from tests.support.aws_stack import AwsStack
from tests.support.smtp_sink import smtp_sink

# The same cases run against our own server with every change.
pytestmark = pytest.mark.slow

# Options of smtp-sink(1): -f refuses with 5xx, -r with 4xx, -q drops the connection, at the command named.
CASES: dict[str, tuple[tuple[str, ...], OutboxState]] = {
    "taken": ((), OutboxState.SENT),
    "mail-5xx": (("-f", "mail"), OutboxState.FAILED),
    "rcpt-5xx": (("-f", "rcpt"), OutboxState.FAILED),
    "data-5xx": (("-f", "data"), OutboxState.FAILED),
    "dot-5xx": (("-f", "."), OutboxState.FAILED),
    "mail-4xx": (("-r", "mail"), OutboxState.DEFERRED),
    "rcpt-4xx": (("-r", "rcpt"), OutboxState.DEFERRED),
    "data-4xx": (("-r", "data"), OutboxState.DEFERRED),
    "dot-4xx": (("-r", "."), OutboxState.DEFERRED),
    "mail-drop": (("-q", "mail"), OutboxState.DEFERRED),
    "rcpt-drop": (("-q", "rcpt"), OutboxState.DEFERRED),
    "data-drop": (("-q", "data"), OutboxState.DEFERRED),
    "dot-drop": (("-q", "."), OutboxState.UNCERTAIN),
}


@pytest.mark.fault(69)
@pytest.mark.fault(70)
@pytest.mark.parametrize(("options", "state"), CASES.values(), ids=CASES.keys())
def test_what_postfix_says_at_each_stage_decides_the_state(
    stack: AwsStack, options: tuple[str, ...], state: OutboxState
) -> None:
    with smtp_sink(*options) as sink:
        server = {
            "name": "smtp-client",
            "type": "smtp",
            "host": "127.0.0.1",
            "port": sink.port,
            "security": "none",
            "authentication": "anonymous",
            "timeout": "00:00:05",
        }
        stack.configure(**{**CONFIGURATION, "outbound_servers": [server]})
        outbound = reply_and_send(stack)
    assert outbound.state is state, outbound.reason
