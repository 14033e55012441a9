"""A deployed stack is found by its name, and says where everything is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from postroom.environment import SETTINGS
from postroom_cli.local.template import REGION
from postroom_cli.stack import output_name

from tests.functional.cli.conftest import Command

TEMPLATE = Path(__file__).parents[3] / "template.yaml"
USED = (
    "table", "raw_bucket", "content_bucket", "poll_queue", "ews_poll_queue", "inbound_queue", "outbound_queue",
    "credentials_key",
)  # fmt: skip


@pytest.mark.parametrize("setting", USED)
def test_the_template_puts_out_what_the_command_needs(setting: str) -> None:
    outputs = TEMPLATE.read_text("utf-8").partition("\nOutputs:\n")[2]
    assert re.search(rf"^  {output_name(setting)}:", outputs, re.MULTILINE)


def test_a_deployed_stack_is_found_by_its_outputs(postroom: Command) -> None:
    outputs = {output_name(name): {"Value": postroom.stack.environment[SETTINGS[name].variable]} for name in USED[:3]}
    body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": outputs}
    postroom.stack.client("cloudformation").create_stack(StackName="prod", TemplateBody=json.dumps(body))
    deployed = ("--stack", "prod", "--region", REGION)
    assert postroom(*deployed, "config", "history", "--json").json == []
    missing = postroom(*deployed, "dlq", "list", "--json")
    assert missing.status == 3
    assert "PollQueue" in missing.json["error"]["message"]
    unknown = postroom("--stack", "other", "--region", REGION, "config", "history", "--json")
    assert unknown.status == 3
    assert "no stack other" in unknown.json["error"]["message"]


def test_every_queue_that_has_dead_letters_is_listed_deployed_or_on_this_machine(postroom: Command) -> None:
    """From the template's own outputs: a queue that is added to it is listed without another word."""
    template = TEMPLATE.read_text("utf-8").partition("\nOutputs:\n")[2]
    named = sorted(re.findall(r"^  (\w+)DeadLetters:", template, re.MULTILINE))
    expected = sorted("-".join(re.findall("[A-Z][a-z]+", one)).lower() for one in named)
    assert "tracking" in expected
    here = postroom("dlq", "list", "--json").json
    assert [row["queue"] for row in here] == expected
    sqs = postroom.stack.client("sqs")
    every = {url.rpartition("-")[2]: url for url in sqs.list_queues()["QueueUrls"]}
    outputs = {
        name: {"Value": every[name]} for one in named for name in (f"{one}Queue", f"{one}DeadLetters") if name in every
    }
    body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": outputs}
    postroom.stack.client("cloudformation").create_stack(StackName="prod", TemplateBody=json.dumps(body))
    deployed = postroom("--stack", "prod", "--region", REGION, "dlq", "list", "--json").json
    assert deployed == here
