"""A reply that arrives while its thread is moved is found where its parent is (fault 124), through the real handler."""

from __future__ import annotations

from collections.abc import Sequence
from unittest.mock import patch

import pytest
from postroom.adapters.clock import utc_now
from postroom.adapters.dynamo.interaction_changes import DynamoInteractionChanges
from postroom.adapters.dynamo.interactions import DynamoInteractions
from postroom.model.event_kinds import EventKind
from postroom.services.interactions import split_merge

from tests.support.aws_stack import AwsStack
from tests.support.mails import mail

REPLY = mail(
    "In-Reply-To: <1@example.org>",
    "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org",
    message_id="<2@example.org>",
    subject="Re: Where is my parcel?",
)


@pytest.mark.fault(106)
@pytest.mark.fault(124)
def test_a_reply_written_after_its_parent_was_moved_follows_it(configured: AwsStack) -> None:
    first = configured.process(mail())
    other = configured.process(mail(message_id="<3@example.org>", body="another matter"))
    changes = DynamoInteractionChanges(configured.client("dynamodb"), configured.table, configured.contents)
    look_up = DynamoInteractions.by_message_ids
    merged: list[str] = []

    def then_merge(store: DynamoInteractions, message_ids: Sequence[str]) -> object:
        found = look_up(store, message_ids)
        if "<1@example.org>" in message_ids and not merged:
            done = split_merge.merge(
                first, other, threads=configured.interactions, moves=changes, who="ann", clock=utc_now
            )
            merged.extend(done.moved)
        return found  # what an index said before

    with patch.object(DynamoInteractions, "by_message_ids", then_merge):
        reply = configured.process(REPLY)
    assert merged
    found = configured.interactions.get(reply)
    assert found is not None
    assert (found.parent_id, found.thread_id) == (first, other)
    assert reply in configured.interactions.thread(other)
    assert EventKind.THREAD_HEALED in {event.what for event in configured.interactions.history(reply)}
