"""A masked number is nowhere but in the raw message: not in the table, the contents, the logs or `why`."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from tests.functional.cli.conftest import Command, postroom  # noqa: F401 - the fixture of the command
from tests.functional.processing.conftest import CONFIGURATION
from tests.support.aws_stack import AwsStack
from tests.support.mails import mail

CARD = "4111111111111111"
REPORT = f"""\
--b

The mail to <bob@example.net> failed: 550 5.1.1 user unknown {CARD}
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; bob@example.net
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no {CARD}
--b
Content-Type: application/pdf; name="{CARD}.exe"

{CARD}
--b--
"""
MAILS = {
    "letter": mail(sender=f'"{CARD}" <ann@example.org>', subject=f"My card {CARD}", body=f"It is {CARD}."),
    "answer of a machine": mail(f"Auto-Submitted: auto-replied; {CARD}", "Return-Path: <>", subject=f"Away {CARD}"),
    "report": mail(
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        sender="MAILER-DAEMON@example.net",
        return_path="<>",
        body=REPORT.replace("\n", "\r\n"),
    ),
    "hopeless": mail(*(f"X-{number}: {CARD}" for number in range(10_001))),
}


def stored(stack: AwsStack) -> str:
    """Return all that is kept of mail but the raw messages, as one text."""

    def readable(value: Any) -> str:
        if isinstance(value, bytes | bytearray):
            try:
                return zlib.decompress(value).decode("utf-8", "replace")
            except zlib.error:
                return bytes(value).decode("utf-8", "replace")
        return str(value)

    items = stack.client("dynamodb").scan(TableName=stack.table)["Items"]
    text = [json.dumps(items, default=readable)]
    bucket = stack.environment["CONTENT_BUCKET"]
    for row in stack.client("s3").list_objects_v2(Bucket=bucket).get("Contents", []):
        if not row["Key"].startswith("quarantine/"):
            text.append(readable(stack.contents.get(row["Key"])))
    text += [json.dumps(stack.queued("OUTBOUND_QUEUE_URL"))]
    return "\n".join(text)


@pytest.mark.feature("C15")
@pytest.mark.parametrize("raw", MAILS.values(), ids=MAILS)
def test_a_masked_number_is_kept_logged_and_told_nowhere(
    postroom: Command,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    raw: bytes,
) -> None:
    postroom.stack.configure(**{**CONFIGURATION, "masking_patterns": [{"name": "cards", "kind": "card"}]})
    with caplog.at_level("DEBUG", logger="postroom"):
        interaction_id = postroom.stack.process(raw)
    kept = stored(postroom.stack)
    assert interaction_id in kept
    assert CARD not in kept
    assert CARD not in caplog.text
    for command in (["why", interaction_id], ["interaction", "show", interaction_id], ["interaction", "list"]):
        told = postroom(*command)
        assert told.status == 0, command
        assert CARD not in told.out + told.err, command
