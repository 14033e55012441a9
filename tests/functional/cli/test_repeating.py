"""What is given again harms nothing and is told truly: secrets, replays; and what is read is read to its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ReadTimeoutError
from postroom.adapters.dynamo.notices import DynamoNotices
from postroom.model.event_kinds import EventKind
from postroom.model.interaction import Event
from postroom.model.outbound import OutboxState

from tests.functional.cli.conftest import Command
from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_large_headers import MAILS
from tests.functional.processing.test_outbound import CALL, replied, send
from tests.support.mails import mail

MEGABYTE = 2**20


def smtp(**changes: Any) -> dict[str, Any]:
    server = {"name": "smtp-client", "type": "smtp", "host": "localhost", "port": 1, "user": "u", **changes}
    return {**CONFIGURATION, "outbound_servers": [server]}


def test_a_secret_that_is_stored_while_what_waits_for_it_cannot_be_tried_is_told_so_and_may_be_given_again(
    postroom: Command,
) -> None:
    postroom.stack.configure(**smtp(password={"secret": "smtp"}))
    outbound_id = replied(postroom.stack)
    assert send(postroom.stack, outbound_id).code == "secret_missing"
    postroom.stack.queued("OUTBOUND_QUEUE_URL")

    def lost(client: Any, operation: str, arguments: Any) -> Any:
        if operation == "Query":
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        return CALL(client, operation, arguments)

    with patch("botocore.client.BaseClient._make_api_call", lost):
        ran = postroom("secret", "set", "smtp", "--json", stdin="hunter2\n")
    error = ran.json["error"]
    assert ran.status != 0
    assert "The secret smtp is stored" in error["message"]
    assert "same command" in error["remedy"]
    assert postroom("secret", "set", "smtp", "--json", stdin="hunter2\n").json["sent_again"] == [outbound_id]
    assert postroom("secret", "set", "smtp", "--json", stdin="hunter2\n").json["sent_again"] == []
    assert postroom.stack.queued("OUTBOUND_QUEUE_URL") == [{"v": 1, "outbound": outbound_id}]
    outbound = postroom.stack.outbox.get(outbound_id)
    assert outbound is not None
    assert (outbound.state, outbound.tries) == (OutboxState.NEW, 0)


@pytest.mark.parametrize("days", [-400, -2])
def test_a_secret_that_is_valid_until_a_day_that_has_passed_is_refused_and_not_stored(
    postroom: Command, days: int
) -> None:
    day = (datetime.now(UTC) + timedelta(days=days)).date()
    ran = postroom("secret", "set", "smtp", "--valid-until", str(day), "--json", stdin="hunter2\n")
    assert ran.status == 2
    (problem,) = ran.json["error"]["problems"]
    assert problem["path"] == "--valid-until"
    assert f"{day} has passed" in problem["problem"]
    assert "or later" in problem["remedy"]
    assert postroom("secret", "remove", "smtp").status == 3


def test_a_mail_that_was_wrapped_as_too_large_is_replayed_as_what_it_is(postroom: Command) -> None:
    postroom.stack.configure(**CONFIGURATION)
    large = postroom.stack.process(MAILS["subject"]().encode())
    small = postroom.stack.process(mail(body="My card is 4111 1111 1111 1111."))
    postroom.stack.configure(**{**CONFIGURATION, "masking_patterns": [{"name": "cards", "kind": "card"}]})
    ran = postroom("replay", large, small, "--apply", "--json")
    told = {line["interaction_id"]: line for line in ran.lines}
    assert ran.status == 6
    assert "too large" in told[large]["problem"]
    assert "wrapped" in told[large]["problem"]
    assert told[small]["applied"]
    interaction = postroom.stack.interactions.get(large)
    assert interaction is not None
    assert "too large" in (interaction.wrap_reason or "")
    assert "stays wrapped" in postroom("replay", large).err


def test_a_replay_of_many_goes_on_after_one_whose_raw_message_is_gone(postroom: Command) -> None:
    postroom.stack.configure(**CONFIGURATION)
    gone = postroom.stack.process(mail(body="one", message_id="<1@x>"))
    here = postroom.stack.process(mail(body="My card is 4111 1111 1111 1111.", message_id="<2@x>"))
    interaction = postroom.stack.interactions.get(gone)
    assert interaction is not None
    bucket = postroom.stack.environment["RAW_BUCKET"]
    postroom.stack.client("s3").delete_object(Bucket=bucket, Key=interaction.raw_key)
    postroom.stack.configure(**{**CONFIGURATION, "masking_patterns": [{"name": "cards", "kind": "card"}]})
    ran = postroom("replay", gone, here, "--apply", "--json")
    told = {line["interaction_id"]: line for line in ran.lines}
    assert (ran.status, told[here]["applied"], told[gone]["applied"]) == (6, True, False)
    assert told[gone]["problem"]


def test_a_history_and_the_notices_of_a_day_are_read_to_their_end(postroom: Command) -> None:
    stack = postroom.stack
    stack.configure(**CONFIGURATION)
    interaction_id = stack.process(mail())
    at = datetime(2026, 6, 1, tzinfo=UTC)
    notices = DynamoNotices(stack.client("dynamodb"), stack.table)
    detail = "x" * (MEGABYTE // 4)  # five of them are more than DynamoDB answers at once
    for number in range(6):
        moment = at + timedelta(seconds=number)
        stack.interactions.add_event(interaction_id, Event(at=moment, what=EventKind.REPLAYED, detail=detail))
        notices.add(at=moment, what=EventKind.UNMATCHED_REPORT, detail=detail)
    assert [event.at.second for event in stack.interactions.history(interaction_id)] == list(range(6))
    assert [event.at.second for event in notices.of_day(at)] == list(range(6))
