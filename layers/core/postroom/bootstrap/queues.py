"""What functions that serve a queue do with a message that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.bootstrap import clients

if TYPE_CHECKING:
    from postroom.sqs_records import PutOff


def put_off() -> PutOff:
    """Let a message that failed come back to its queue; its client is made when the first one fails."""

    def late(*, queue: str, receipt: str, seconds: int) -> None:
        from postroom.adapters.aws import SqsVisibility, aws_errors

        with aws_errors("letting a message come back"):
            client = clients.client("sqs")
        SqsVisibility(client)(queue=queue, receipt=receipt, seconds=seconds)

    return late
