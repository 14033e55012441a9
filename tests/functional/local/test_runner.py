"""The runner makes a template's resources and drives functions from queues, buckets, schedules and HTTP."""

from __future__ import annotations

import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from postroom_cli.local.aws_server import SENT_MAIL_PATH, LocalAws
from postroom_cli.local.functions import Function, Handler, Invoker, LambdaContext
from postroom_cli.local.intrinsics import TemplateProblem
from postroom_cli.local.runner import LocalRunner
from postroom_cli.local.state import write_state

TEMPLATE = """
Parameters:
  PrivateMailNetworks: {Type: String, Default: ""}
Globals:
  Function: {Handler: app.handler, Timeout: 5, Environment: {Variables: {INBOUND_QUEUE_URL: !Ref Inbound}}}
Resources:
  Dead: {Type: AWS::SQS::Queue}
  Inbound:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 600
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}
  Raw:
    Type: AWS::S3::Bucket
    Properties:
      NotificationConfiguration:
        QueueConfigurations:
          - {Event: "s3:ObjectCreated:*", Queue: !GetAtt Inbound.Arn,
             Filter: {S3Key: {Rules: [{Name: prefix, Value: raw/}]}}}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/worker/
      Environment: {Variables: {NETWORKS: !Ref PrivateMailNetworks, RAW_BUCKET: !Ref Raw}}
      Events:
        Messages:
          Type: SQS
          Properties: {Queue: !GetAtt Inbound.Arn, BatchSize: 10, FunctionResponseTypes: [ReportBatchItemFailures]}
  Ticker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/ticker/
      Events:
        Tick: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute)}}
  Api:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/api/
      Events:
        All: {Type: HttpApi, Properties: {Method: ANY, Path: "/{proxy+}"}}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


class Code:
    """Handlers in place of the repository's, and what they were called with."""

    def __init__(self) -> None:
        self.calls: dict[str, list[Any]] = {"worker": [], "ticker": [], "api": []}
        self.answers: dict[str, Callable[[Any], Any]] = {}
        self.contexts: list[LambdaContext] = []

    def load(self, function: Function) -> Handler:
        def handler(event: Any, context: LambdaContext) -> Any:
            self.contexts.append(context)
            self.calls[function.verb_noun].append(event)
            answer = self.answers.get(function.verb_noun)
            return answer(event) if answer else None

        return handler

    def bodies(self) -> list[str]:
        return [record["body"] for event in self.calls["worker"] for record in event["Records"]]


@pytest.fixture
def code() -> Code:
    return Code()


@pytest.fixture
def runner(template: Path, code: Code) -> Iterator[LocalRunner]:
    with LocalRunner(template, retry_after=0, invoker=Invoker(code.load)) as running:
        yield running


def _send(runner: LocalRunner, *bodies: str) -> None:
    for body in bodies:
        runner.aws("sqs").send_message(QueueUrl=runner.environment["INBOUND_QUEUE_URL"], MessageBody=body)


def _waiting(runner: LocalRunner, name: str) -> int:
    sqs = runner.aws("sqs")
    attributes = sqs.get_queue_attributes(
        QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], AttributeNames=["All"]
    )["Attributes"]
    return sum(int(attributes[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible", "Delayed"))


def test_messages_reach_the_function_and_are_deleted(runner: LocalRunner, code: Code) -> None:
    _send(runner, "a", "b")
    assert runner.wait_until(lambda: {"a", "b"} <= set(code.bodies()), seconds=10)
    assert runner.wait_until(lambda: _waiting(runner, "postroom-local-Inbound") == 0, seconds=10)
    record = code.calls["worker"][-1]["Records"][0]
    assert record["eventSource"] == "aws:sqs"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert 0 < code.contexts[-1].get_remaining_time_in_millis() <= 5000


@pytest.mark.fault(47)
def test_only_the_failed_message_of_a_batch_comes_again_and_ends_as_a_dead_letter(
    runner: LocalRunner, code: Code
) -> None:
    code.answers["worker"] = lambda event: {
        "batchItemFailures": [
            {"itemIdentifier": record["messageId"]} for record in event["Records"] if record["body"] == "bad"
        ]
    }
    _send(runner, "good", "bad")
    assert runner.wait_until(lambda: _waiting(runner, "postroom-local-Dead") == 1, seconds=10)
    assert code.bodies().count("good") == 1
    assert code.bodies().count("bad") == 2  # maxReceiveCount


def test_a_handler_that_raises_keeps_the_whole_batch(runner: LocalRunner, code: Code) -> None:
    def fail(_event: Any) -> None:
        raise RuntimeError("broken")

    code.answers["worker"] = fail
    _send(runner, "a", "b")
    assert runner.wait_until(lambda: _waiting(runner, "postroom-local-Dead") >= 2, seconds=10)
    assert code.bodies().count("a") == code.bodies().count("b") == 2


def test_a_stored_object_becomes_an_event_with_its_key_quoted(runner: LocalRunner, code: Code) -> None:
    for key in ("raw/a+b é.eml", "other/c"):
        runner.aws("s3").put_object(Bucket=runner.environment["RAW_BUCKET"], Key=key, Body=b"x")

    def keys() -> list[str]:
        events = [json.loads(body) for body in code.bodies()]
        return [record["s3"]["object"]["key"] for event in events for record in event.get("Records", ())]

    assert runner.wait_until(lambda: bool(keys()), seconds=10)
    assert keys() == ["raw%2Fa%2Bb+%C3%A9.eml"]


def test_a_schedule_fires_at_the_start_and_when_asked(runner: LocalRunner, code: Code) -> None:
    assert runner.wait_until(lambda: len(code.calls["ticker"]) == 1, seconds=10)
    runner.invoke("ticker")
    assert [event["detail-type"] for event in code.calls["ticker"]] == ["Scheduled Event"] * 2


def _ask(url: str, *, headers: dict[str, str] | None = None, data: bytes | None = None) -> tuple[int, Any]:
    request = urllib.request.Request(url, headers=headers or {}, data=data)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_request_reaches_the_api_as_format_two(runner: LocalRunner, code: Code) -> None:
    code.answers["api"] = lambda event: {"statusCode": 201, "body": json.dumps({"path": event["rawPath"]})}
    status, answer = _ask(f"{runner.api_url}/mailboxes/a%20b?x=1&x=2", headers=bearer(runner), data=b"{}")
    assert (status, answer) == (201, {"path": "/mailboxes/a b"})
    event = code.calls["api"][0]
    assert event["version"] == "2.0"
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["pathParameters"] == {"proxy": "mailboxes/a b"}
    assert event["body"] == "{}"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "evil.example"}, id="a name that was made to resolve to the loopback"),
        pytest.param({"Origin": "https://evil.example"}, id="a page of another site"),
        pytest.param({"Origin": "http://localhost:1"}, id="a page of another port"),
        pytest.param({"Origin": "null"}, id="a page of no site"),
        pytest.param({"Host": "127.0.0.1.evil.example"}, id="a name that begins like the loopback"),
        pytest.param({"Host": "evil.example@127.0.0.1]"}, id="a name that is none"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="a picture or form of another site"),
    ],
)
def test_a_web_page_can_use_neither_the_local_api_nor_the_local_aws(
    runner: LocalRunner, code: Code, headers: dict[str, str]
) -> None:
    # With the key: a page that had it could still not ask.
    assert _ask(f"{runner.api_url}/mailboxes", headers={**bearer(runner), **headers})[0] == 403
    assert _ask(f"{runner.state.endpoint_url}/", headers={**bearer(runner), **headers})[0] == 403
    assert code.calls["api"] == []


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer ", "Bearer local", "Basic {key}", "AWS4-HMAC-SHA256 Credential=local/20261121/eu-central-1/s3/x"],
    ids=["none", "empty", "another", "another-kind", "of-another-run"],
)
def test_without_the_key_of_the_run_neither_answers(runner: LocalRunner, code: Code, authorization: str) -> None:
    headers = {"Authorization": authorization.format(key=runner.state.api_key)} if authorization else {}
    assert _ask(f"{runner.api_url}/mailboxes", headers=headers)[0] == 401
    for path in ("/", SENT_MAIL_PATH, "/moto-api/data.json", "/?X-Amz-Credential=local/20261121/x"):
        status, answer = _ask(f"{runner.state.endpoint_url}{path}", headers=headers)
        assert (status, answer["__type"]) == (403, "AccessDeniedException")
    assert code.calls["api"] == []


def test_the_key_is_another_in_each_run_and_only_its_owner_can_read_it(runner: LocalRunner, tmp_path: Path) -> None:
    assert len(runner.state.api_key) >= 32
    assert runner.state.api_key != LocalAws().key
    assert runner.state.environment["AWS_ACCESS_KEY_ID"] == runner.state.api_key
    written = write_state(tmp_path / "state", runner.state)
    assert written.stat().st_mode & 0o077 == 0


def bearer(runner: LocalRunner) -> dict[str, str]:
    return {"Authorization": f"Bearer {runner.state.api_key}"}


def test_functions_get_their_variables_and_the_local_aws_only(
    template: Path, code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    with LocalRunner(template, invoker=Invoker(code.load)) as runner:
        assert os.environ["NETWORKS"] == "127.0.0.0/8,::1/128"
        assert os.environ["AWS_ENDPOINT_URL"] == runner.state.endpoint_url
        assert "AWS_PROFILE" not in os.environ
        assert "AWS_SESSION_TOKEN" not in os.environ
        process = runner.local_aws
    assert os.environ["AWS_PROFILE"] == "production"
    assert "NETWORKS" not in os.environ
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("queue-", "schedule-", "http"))]
    with pytest.raises(OSError):
        urllib.request.urlopen(process.endpoint_url, timeout=2)


def test_an_unknown_resource_type_stops_the_runner_with_its_name(template: Path, code: Code) -> None:
    template.write_text(TEMPLATE + "  Odd: {Type: AWS::Batch::JobQueue}\n")
    with (
        pytest.raises(TemplateProblem, match="AWS::Batch::JobQueue"),
        LocalRunner(template, invoker=Invoker(code.load)),
    ):
        pass


def test_two_values_of_one_variable_are_refused(template: Path, code: Code) -> None:
    template.write_text(TEMPLATE + "      Environment: {Variables: {INBOUND_QUEUE_URL: other}}\n")
    with pytest.raises(TemplateProblem, match="INBOUND_QUEUE_URL"), LocalRunner(template, invoker=Invoker(code.load)):
        pass


def test_a_sent_mail_is_kept_byte_for_byte() -> None:
    import boto3

    with LocalAws() as aws:
        ses = boto3.Session(aws.key, "local", region_name="eu-central-1").client("sesv2", endpoint_url=aws.endpoint_url)
        content = b"From: a@x.example\r\nSubject: \xfc\r\n\r\n\xff\x00"
        answer = ses.send_email(
            FromEmailAddress="a@x.example",
            Destination={"ToAddresses": ["b@y.example"]},
            Content={"Raw": {"Data": content}},
            EmailTags=[{"Name": "postroom-outbound", "Value": "o1"}],
        )
        (mail,) = aws.sent_mail()
        ses.close()
    import base64

    assert base64.b64decode(mail["content"]) == content
    assert mail["message_id"] == answer["MessageId"]
    assert mail["tags"] == {"postroom-outbound": "o1"}
    assert mail["recipients"] == ["b@y.example"]
