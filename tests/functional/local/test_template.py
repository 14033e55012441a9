"""The repository's own template can be made and driven on one machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postroom.environment import SETTINGS
from postroom_cli.local.functions import Function, Handler, Invoker, LambdaContext
from postroom_cli.local.runner import LocalRunner

TEMPLATE = Path(__file__).parents[3] / "template.yaml"


def _idle(_function: Function) -> Handler:
    def handler(_event: Any, _context: LambdaContext) -> None:
        return None

    return handler


@pytest.fixture(scope="module")
def runner() -> Iterator[LocalRunner]:
    with LocalRunner(TEMPLATE, invoker=Invoker(_idle)) as running:
        yield running


def test_functions_together_have_every_setting(runner: LocalRunner) -> None:
    assert {setting.variable for setting in SETTINGS.values()} <= set(runner.environment)


def test_mail_servers_of_this_machine_are_allowed(runner: LocalRunner) -> None:
    assert runner.environment["PRIVATE_MAIL_NETWORKS"] == "127.0.0.0/8,::1/128"


def test_the_table_has_the_indexes_of_the_template(runner: LocalRunner) -> None:
    table = runner.aws("dynamodb").describe_table(TableName=runner.environment["TABLE_NAME"])["Table"]
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == {
        "by_message_id",
        "by_customer",
        "by_due",
        "by_list",
        "by_thread",
    }


def test_queues_lead_to_their_dead_letters(runner: LocalRunner) -> None:
    sqs = runner.aws("sqs")
    dead_letters = sqs.list_dead_letter_source_queues(QueueUrl=runner.environment["INBOUND_DEAD_LETTER_QUEUE_URL"])
    assert dead_letters["queueUrls"] == [runner.environment["INBOUND_QUEUE_URL"]]


def test_a_raw_message_is_announced_and_a_configuration_is_not(runner: LocalRunner) -> None:
    for bucket in ("RAW_BUCKET", "CONTENT_BUCKET"):
        runner.aws("s3").put_object(Bucket=runner.environment[bucket], Key="raw/x.eml", Body=b"x")
    inbound = next(poller for poller in runner.pollers if poller.trigger.queue_name.endswith("-InboundQueue"))
    assert runner.wait_until(lambda: inbound.batches >= 1, seconds=10)


def test_what_ses_says_of_a_mail_comes_back(runner: LocalRunner) -> None:
    tracking = next(poller for poller in runner.pollers if poller.trigger.queue_name.endswith("-TrackingQueue"))
    runner.aws("sesv2").send_email(
        FromEmailAddress="support@example.com",
        Destination={"ToAddresses": ["someone@example.net"]},
        Content={"Raw": {"Data": b"From: support@example.com\r\n\r\nhello"}},
        ConfigurationSetName=runner.environment["CONFIGURATION_SET"],
        EmailTags=[{"Name": "postroom-outbound", "Value": "o1"}],
    )
    assert runner.wait_until(lambda: tracking.batches >= 1, seconds=10)
