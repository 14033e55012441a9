"""A mail that is rewritten, by a replay or a restored attachment, keeps what others do to it at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from postroom.adapters.aws.s3 import S3Contents
from postroom.adapters.clock import utc_now
from postroom.adapters.dynamo.interaction_changes import DynamoInteractionChanges
from postroom.errors import Conflict
from postroom.model.event_kinds import EventKind
from postroom.model.interaction import Event, Interaction, Status

from tests.functional.processing.test_outbound import answer, verified
from tests.support.aws_stack import AwsStack
from tests.support.mails import mail

__all__ = ["verified"]


def joined(stack: AwsStack, interaction_id: str) -> None:
    other = stack.process(mail(message_id="<other@x>", body="another"))
    assert stack.interactions.join_thread(interaction_id, thread_id=other, parent_id=other)


def is_done(now: Interaction) -> bool:
    return now.status is Status.DONE


def is_member(now: Interaction) -> bool:
    return now.thread_id != now.id


@pytest.mark.parametrize(
    ("meanwhile", "holds"),
    [(answer, is_done), (joined, is_member)],
    ids=["answered", "put into its thread"],
)
def test_what_happens_while_a_mail_is_rewritten_is_not_undone(
    verified: AwsStack, meanwhile: Callable[[AwsStack, str], object], holds: Callable[[Interaction], bool]
) -> None:
    interaction_id = verified.process(mail())
    before = verified.interactions.get(interaction_id)
    assert before is not None

    class Raced(DynamoInteractionChanges):
        def _item(self, wanted: str) -> Any:
            read = super()._item(wanted)
            meanwhile(verified, wanted)
            return read

    contents = S3Contents(verified.client("s3"), verified.environment["CONTENT_BUCKET"])
    changes = Raced(verified.client("dynamodb"), verified.table, contents)
    event = Event(at=utc_now(), what=EventKind.REPLAYED, detail="queue", who="ann")
    with pytest.raises(Conflict, match="changed meanwhile"):
        changes.rewrite(before, replace(before, queue="other"), body=None, event=event)
    now = verified.interactions.get(interaction_id)
    assert now is not None
    assert holds(now)
    assert "replayed" not in {one.what for one in verified.interactions.history(interaction_id)}
