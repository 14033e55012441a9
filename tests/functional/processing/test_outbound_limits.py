"""An outbound mail's item stays within what DynamoDB takes, however large the mail and however long it waits."""

from __future__ import annotations

import base64
import random
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from postroom import bootstrap
from postroom.adapters.clock import utc_now
from postroom.adapters.outbox import history as kept
from postroom.errors import Invalid
from postroom.model.interaction import Status
from postroom.model.outbound import OutboxState

from tests.functional.processing.test_outbound import CALL, _client_error, answer, replied, send
from tests.support.aws_stack import AwsStack
from tests.support.mails import mail


def test_a_mail_that_waits_for_a_setting_for_months_tells_of_its_first_tries_and_of_its_last_reason(
    configured: AwsStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(kept._MOST, "deferred", 3)
    outbound_id = replied(configured)
    answers: list[Any] = []

    def refused(client: Any, operation: str, arguments: Any) -> Any:
        if operation == "SendEmail":
            answers.append(operation)
            raise _client_error("MailFromDomainNotVerifiedException", 400)
        return CALL(client, operation, arguments)

    moment = utc_now()
    with patch("botocore.client.BaseClient._make_api_call", refused):
        for _ in range(5):
            moment += timedelta(hours=5)
            with patch("postroom.bootstrap.clients.utc_now", lambda moment=moment: moment):
                bootstrap.forget()
                outbound = send(configured, outbound_id)
    assert (len(answers), outbound.tries, outbound.state) == (5, 5, OutboxState.DEFERRED)
    assert outbound.due is not None
    assert outbound.due > moment
    assert "MailFromDomainNotVerifiedException" in outbound.reason
    history = configured.outbox.history(outbound_id)
    assert len(history) == 4
    assert "(the last of 5 in all)" in history[-1].detail


def test_a_reply_too_large_to_be_kept_is_refused_with_the_field_named_and_nothing_is_written(
    configured: AwsStack,
) -> None:
    picture = base64.b64encode(random.Random(7).randbytes(600_000)).decode()
    interaction_id = configured.process(mail("Auto-Submitted: auto-generated"))
    with pytest.raises(Invalid) as refused:
        answer(configured, interaction_id, html=f'<p>Look:</p><img src="data:image/png;base64,{picture}">')
    assert [problem.path for problem in refused.value.problems] == ["html"]
    interaction = configured.interactions.get(interaction_id)
    assert interaction is not None
    assert interaction.status is Status.QUEUED
