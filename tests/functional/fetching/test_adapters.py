"""The adapters of fetching against a mocked AWS: what they ask for, and what they make of the answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from postroom.adapters.aws.client import aws_errors
from postroom.adapters.aws.s3 import S3Contents, S3RawMessages
from postroom.adapters.aws.sqs import SqsQueue
from postroom.adapters.dynamo.mailbox_states import DynamoMailboxStates
from postroom.adapters.dynamo.secrets import SecretWriter, StoredSecrets
from postroom.errors import Invalid, LeaseLost, NotFound, Permanent, PostroomError, Transient
from postroom.model.configuration.mailbox import SecretReference
from postroom.model.identity import raw_key
from postroom.model.mailbox_state import Aside, Balance, Health, HealthState, LeftAlone, MailboxState, Position, Record
from postroom.model.traffic import Traffic

from tests.support.aws_calls import AwsCalls, aws_calls, item_size
from tests.support.aws_stack import AwsStack

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SPAN = timedelta(minutes=5)


@pytest.fixture
def calls(stack: AwsStack) -> Iterator[AwsCalls]:
    """Count the calls of clients made in the test."""
    with aws_calls() as counted:
        yield counted


@pytest.fixture
def states(stack: AwsStack, calls: AwsCalls) -> DynamoMailboxStates:
    """The states of mailboxes, freshly started."""
    return DynamoMailboxStates(boto3.client("dynamodb"), stack.table, stack.contents)


FULL = MailboxState(
    mailbox="support",
    position=Position(
        epoch="7",
        floor="3",
        cursor="9",
        known=frozenset({"11", "12"}),
        problems={"5": 3, "10": 1},
        asides={
            "5": Aside(LeftAlone.GIVEN_UP, refused=2, due=NOW + SPAN, reason="NO"),
            "6": Aside(LeftAlone.OVERSIZE, done="delete"),
        },
        prints={"11": "0a1b2c3d"},
        connected=NOW - SPAN,
        catching_up=True,
        records={"9": Record(1200, 1_790_000_000), "12": Record(None, 1_790_000_001), "8": Record(5, None)},
        kept="9",
        exists=9,
        compared=NOW,
        restored=1,
    ),
    health=Health(
        state=HealthState.RETRYING,
        step="act",
        code="server_misbehaved",
        reason="No",
        remedy="Wait.",
        since=NOW,
        failures=2,
        next_try=NOW + SPAN,
        last_success=NOW - SPAN,
    ),
    balances=((NOW, Balance(listed=9, stored=4, known=1, oversize=1, problem=2, left=1)),) * 8,
    waiting=NOW - SPAN,
    traffic=(Traffic(NOW - 40 * SPAN, fetches=3, mails=40, size=5_000_000), Traffic(NOW, fetches=1, mails=2, size=3)),
    config_digest="0123456789abcdef",
    begun_anew=(NOW, "The object is missing"),
)


def saved(states: DynamoMailboxStates, state: MailboxState) -> MailboxState:
    """Save through a lease, and read it back."""
    lease = states.take_lease(states.load([state.mailbox])[state.mailbox], owner="me", now=NOW, expires=NOW + SPAN)
    assert lease is not None
    states.save(lease, state, release=True)
    return states.load([state.mailbox], consistent=True)[state.mailbox]


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(FULL, id="everything"),
        pytest.param(MailboxState("support", position=Position()), id="nothing known yet, but looked at"),
        pytest.param(MailboxState("support", position=Position(known=frozenset({"ä/ü", "x" * 200}))), id="odd ids"),
    ],
)
def test_a_state_is_read_back_as_it_was_saved(states: DynamoMailboxStates, state: MailboxState) -> None:
    found = saved(states, state)
    assert replace(found, lease=None) == state
    assert found.lease is not None
    assert found.lease.expires < NOW


def test_a_mailbox_never_polled_has_an_empty_state(states: DynamoMailboxStates) -> None:
    assert states.load(["a", "b"]) == {"a": MailboxState("a"), "b": MailboxState("b")}


def test_a_hundred_and_fifty_states_are_read_in_two_requests(states: DynamoMailboxStates, calls: AwsCalls) -> None:
    assert len(states.load([f"box{number}" for number in range(150)])) == 150
    assert calls.of("dynamodb", "BatchGetItem") == 2


def test_the_state_of_an_ordinary_mailbox_is_below_a_kilobyte(states: DynamoMailboxStates, stack: AwsStack) -> None:
    saved(states, replace(FULL, health=Health(last_success=NOW)))
    item = stack.client("dynamodb").get_item(
        TableName=stack.table, Key={"pk": {"S": "MB#support"}, "sk": {"S": "state"}}
    )
    assert item_size(item["Item"]) < 768


def hashes(count: int) -> list[str]:
    """So many ids that no compression makes short."""
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]


def test_a_long_list_of_ids_lies_in_the_content_bucket_and_is_read_once(
    states: DynamoMailboxStates, stack: AwsStack, calls: AwsCalls
) -> None:
    ids = frozenset(hashes(2_000))
    saved(states, MailboxState("support", position=Position(epoch="1", known=ids)))
    contents = S3Contents(boto3.client("s3"), stack.environment["CONTENT_BUCKET"])  # whose calls are counted
    fresh = DynamoMailboxStates(boto3.client("dynamodb"), stack.table, contents)
    calls.reset()
    for _ in range(3):
        position = fresh.load(["support"])["support"].position
        assert position is not None
        assert position.known == ids
    assert calls.of("s3") == 1
    found = fresh.load(["support"])["support"]
    more = replace(found, position=Position(epoch="1", known=ids | {"another"}))
    saved(fresh, more)
    objects = stack.client("s3").list_objects_v2(Bucket=stack.environment["CONTENT_BUCKET"], Prefix="positions/")
    assert objects["KeyCount"] == 1  # what was replaced is removed
    saved(fresh, replace(more, position=Position(epoch="1", known=frozenset({"few"}))))
    objects = stack.client("s3").list_objects_v2(Bucket=stack.environment["CONTENT_BUCKET"], Prefix="positions/")
    assert objects["KeyCount"] == 0


def test_a_list_of_ids_that_another_poller_has_removed_is_put_anew(
    states: DynamoMailboxStates, stack: AwsStack
) -> None:
    long = MailboxState("support", position=Position(epoch="1", known=frozenset(hashes(2_000))))
    saved(states, long)
    other = DynamoMailboxStates(boto3.client("dynamodb"), stack.table, stack.contents)
    other.load(["support"], consistent=True)
    saved(other, replace(long, position=Position(epoch="1", known=frozenset({"few"}))))  # and removes the object
    states.load(["support"], consistent=True)
    saved(states, long)
    found = DynamoMailboxStates(boto3.client("dynamodb"), stack.table, stack.contents).load(
        ["support"], consistent=True
    )
    assert found["support"].position == long.position


def test_a_list_of_ids_that_is_replaced_while_it_is_read_is_read_again(
    states: DynamoMailboxStates, stack: AwsStack
) -> None:
    long = MailboxState("support", position=Position(epoch="1", known=frozenset(hashes(2_000))))
    saved(states, long)
    saved(states, MailboxState("other", position=Position(epoch="1")))
    few = replace(long, position=Position(epoch="1", known=frozenset({"few"})))

    class Overtaken(S3Contents):
        def get(self, key: str) -> bytes:
            saved(states, few)  # and removes the object
            return super().get(key)

    contents = Overtaken(boto3.client("s3"), stack.environment["CONTENT_BUCKET"])
    found = DynamoMailboxStates(boto3.client("dynamodb"), stack.table, contents).load(["support", "other"])
    assert found["support"].position == few.position
    assert found["other"].position == Position(epoch="1")


class Denied(S3Contents):
    """A bucket whose objects may not be read."""

    def get(self, key: str) -> bytes:
        raise Transient("AWS refused while reading content: AccessDenied", on=key, code="aws_denied")


class Missing(Denied):
    """What S3 says of a missing object to whoever may not list the bucket."""

    def holds(self, key: str) -> bool:
        super().delete(key)
        return super().holds(key)


class Damaged(S3Contents):
    """A bucket that holds something else than was put there."""

    def get(self, key: str) -> bytes:
        return super().get(key)[:-20]


class Lost(S3Contents):
    """A bucket from which objects were removed."""

    def get(self, key: str) -> bytes:
        super().delete(key)
        return super().get(key)


@pytest.mark.parametrize(
    ("bucket", "lost", "trouble"),
    [
        pytest.param(Lost, "is missing", "", id="missing"),
        pytest.param(Missing, "is missing", "", id="missing and denied"),
        pytest.param(Damaged, "is damaged", "", id="damaged"),
        pytest.param(Denied, "", "AccessDenied", id="denied"),
    ],
)
def test_a_list_of_ids_that_cannot_be_read_concerns_its_mailbox_alone(
    states: DynamoMailboxStates, stack: AwsStack, bucket: type[S3Contents], lost: str, trouble: str
) -> None:
    long = Position(epoch="1", cursor="9", known=frozenset(hashes(2_000)), connected=NOW, place="here")
    saved(states, MailboxState("support", position=long, health=Health(last_success=NOW)))
    saved(states, MailboxState("other", position=Position(epoch="1")))
    fresh = DynamoMailboxStates(
        boto3.client("dynamodb"), stack.table, bucket(boto3.client("s3"), stack.environment["CONTENT_BUCKET"])
    )
    found = fresh.load(["support", "other"])
    assert found["other"].position == Position(epoch="1")
    support = found["support"]
    assert support.position == Position(connected=NOW, catching_up=True)
    assert support.health == Health(last_success=NOW)
    assert (bool(support.lost), lost in support.lost) == (bool(lost), True)
    assert trouble in (support.trouble.what if support.trouble else "")
    assert (support.trouble is None or support.trouble.step == "state") is True
    assert bool(support.trouble) is bool(trouble)


def test_a_list_of_ids_never_comes_back_under_a_key_that_another_poller_may_be_about_to_remove(
    states: DynamoMailboxStates, stack: AwsStack
) -> None:
    few, many = (
        MailboxState("support", position=Position(epoch="1", known=frozenset(hashes(count))))
        for count in (2_000, 3_000)
    )
    removed: list[str] = []

    class Slow(S3Contents):
        def delete(self, key: str) -> None:
            removed.append(key)

    slow = DynamoMailboxStates(
        boto3.client("dynamodb"), stack.table, Slow(boto3.client("s3"), stack.environment["CONTENT_BUCKET"])
    )
    saved(slow, few)
    saved(slow, many)  # its removal of the first list is on its way
    saved(states, few)
    for key in removed:
        stack.contents.delete(key)
    found = DynamoMailboxStates(boto3.client("dynamodb"), stack.table, stack.contents).load(["support"])
    assert removed
    assert found["support"].position == few.position


def test_a_lease_is_taken_by_one_and_every_later_write_of_the_other_fails(states: DynamoMailboxStates) -> None:
    read = states.load(["support"])["support"]
    first = states.take_lease(read, owner="a", now=NOW, expires=NOW + SPAN)
    assert first is not None
    assert states.take_lease(read, owner="b", now=NOW + 2 * SPAN, expires=NOW + 3 * SPAN) is None  # read before that
    again = states.load(["support"], consistent=True)["support"]
    assert states.take_lease(again, owner="b", now=NOW, expires=NOW + SPAN) is None  # still held
    second = states.take_lease(again, owner="b", now=NOW + 2 * SPAN, expires=NOW + 3 * SPAN)
    assert second is not None
    assert second.token == first.token + 1
    with pytest.raises(LeaseLost):
        states.save(first, FULL, release=True)
    states.save(second, FULL, release=False)
    assert states.load(["support"], consistent=True)["support"].position == FULL.position


@pytest.mark.fault(7)
def test_a_lease_of_a_poller_whose_clock_was_far_ahead_locks_nobody_out(states: DynamoMailboxStates) -> None:
    states.take_lease(states.load(["support"])["support"], owner="ahead", now=NOW, expires=NOW + timedelta(days=400))
    read = states.load(["support"])["support"]
    assert states.take_lease(read, owner="me", now=NOW, expires=NOW + SPAN) is not None


def test_health_alone_leaves_everything_else_as_it_is(states: DynamoMailboxStates) -> None:
    saved(states, FULL)
    states.save_health("support", Health(), config_digest="other")
    found = states.load(["support"], consistent=True)["support"]
    assert replace(found, lease=None) == replace(FULL, health=Health(), config_digest="other")


def test_a_raw_message_is_stored_once_and_read_back_with_what_was_known_of_it(stack: AwsStack, tmp_path: Path) -> None:
    raw = S3RawMessages(stack.client("s3"), stack.environment["RAW_BUCKET"])
    path = tmp_path / "mail"
    path.write_bytes(b"\x00binary\r\n")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    key = raw_key("support", NOW, "1/2", sha256)
    assert raw.put_if_absent(key, path, sha256=sha256, metadata={"uid": "2"}) is True
    assert raw.put_if_absent(key, path, sha256=sha256, metadata={"uid": "3"}) is False
    stored = raw.get(key)
    assert (stored.content, stored.metadata) == (path.read_bytes(), {"uid": "2"})
    assert [found for found, _at in raw.keys_of_hour(NOW)] == [key]
    with pytest.raises(NotFound):
        raw.get(key + "x")


@pytest.mark.parametrize("there", [True, False], ids=["there", "missing"])
def test_a_refused_read_of_a_raw_message_is_told_from_a_missing_one(stack: AwsStack, there: bool) -> None:
    client, bucket = stack.client("s3"), stack.environment["RAW_BUCKET"]
    if there:
        client.put_object(Bucket=bucket, Key="raw/x", Body=b"x")
    # As S3 answers for a missing object where the role may list some prefixes only.
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, "GetObject")
    with patch.object(client, "get_object", side_effect=denied), pytest.raises(PostroomError) as raised:
        S3RawMessages(client, bucket).get("raw/x")
    assert isinstance(raised.value, NotFound) is not there


def test_many_messages_go_ten_to_a_request_each_with_its_delay(stack: AwsStack, calls: AwsCalls) -> None:
    queue = SqsQueue(boto3.client("sqs"), stack.environment["POLL_QUEUE_URL"])
    queue.send_many([({"number": number}, 0) for number in range(25)])
    assert calls.of("sqs", "SendMessageBatch") == 3
    assert sorted(message["number"] for message in stack.queued("POLL_QUEUE_URL")) == list(range(25))
    queue.send_many([({"number": 1}, 59)])
    assert stack.queued("POLL_QUEUE_URL") == []


def test_messages_that_sqs_refuses_are_sent_again_and_then_reported() -> None:
    class Refusing:
        requests: list[list[str]]

        def __init__(self, *refusals: list[str]) -> None:
            self.refusals = list(refusals)
            self.requests = []

        def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
            self.requests.append([entry["Id"] for entry in Entries])
            return {"Failed": [{"Id": name} for name in self.refusals.pop(0)]}

    client: Any = Refusing(["1"], [])
    SqsQueue(client, "https://sqs/queue").send_many([({}, 0), ({}, 0)])
    assert client.requests == [["0", "1"], ["1"]]
    client = Refusing(["0"], ["0"], ["0"])
    with pytest.raises(Transient):
        SqsQueue(client, "https://sqs/queue").send_many([({}, 0)])


def make_secrets(stack: AwsStack) -> tuple[SecretWriter, StoredSecrets]:
    key = stack.environment["CREDENTIALS_KEY_ID"]
    dynamo, kms = boto3.client("dynamodb"), boto3.client("kms")
    return SecretWriter(table=stack.table, dynamo=dynamo, kms=kms, key_id=key), StoredSecrets(
        table=stack.table, dynamo=dynamo, kms=kms, key_id=key, secrets_manager=boto3.client("secretsmanager")
    )


@pytest.mark.feature("G17")
def test_a_secret_is_stored_encrypted_bound_to_its_name_and_read_once(stack: AwsStack, calls: AwsCalls) -> None:
    writer, secrets = make_secrets(stack)
    writer.put("support", "canary-päss", now=NOW)
    item = boto3.client("dynamodb").get_item(
        TableName=stack.table, Key={"pk": {"S": "SECRET#support"}, "sk": {"S": "0"}}
    )
    assert "canary" not in str(item["Item"]).encode("unicode_escape").decode()
    assert "canary" not in repr(secrets) + repr(writer)
    calls.reset()
    for _ in range(3):
        assert secrets.reveal(SecretReference(secret="support")) == "canary-päss"
    assert calls.of("kms", "Decrypt") == 1
    # Copied under another name, the ciphertext is worth nothing: the encryption context is part of it.
    boto3.client("dynamodb").put_item(TableName=stack.table, Item={**item["Item"], "pk": {"S": "SECRET#other"}})
    with pytest.raises(PostroomError):
        secrets.reveal(SecretReference(secret="other"))


@pytest.mark.fault(18)
def test_a_secret_is_read_anew_only_when_asked(stack: AwsStack, calls: AwsCalls) -> None:
    writer, secrets = make_secrets(stack)
    reference = SecretReference(secret="support")
    writer.put("support", "old", now=NOW)
    assert secrets.reveal(reference) == "old"
    writer.put("support", "new", now=NOW)
    assert secrets.reveal(reference) == "old"
    assert secrets.reveal(reference, fresh=True) == "new"
    assert secrets.reveal(reference) == "new"


def test_a_secret_of_secrets_manager_is_read_by_reference(stack: AwsStack, calls: AwsCalls) -> None:
    _writer, secrets = make_secrets(stack)
    arn = boto3.client("secretsmanager").create_secret(Name="theirs", SecretString="word")["ARN"]
    assert secrets.reveal(SecretReference(secretsmanager=arn)) == "word"


@pytest.mark.fault(83)
@pytest.mark.parametrize(
    "reference", [{"secret": "none"}, {"secretsmanager": "arn:aws:secretsmanager:us-east-1:1:secret:none"}]
)
def test_a_missing_secret_says_so_and_how_to_enter_it(
    stack: AwsStack, calls: AwsCalls, reference: dict[str, str]
) -> None:
    _writer, secrets = make_secrets(stack)
    with pytest.raises(NotFound) as raised:
        secrets.reveal(SecretReference.model_validate(reference))
    assert raised.value.code == "secret_missing"
    assert raised.value.remedy


@pytest.mark.parametrize("value", ["", "x" * 4097])
def test_a_secret_has_one_to_4096_bytes(stack: AwsStack, calls: AwsCalls, value: str) -> None:
    writer, _secrets = make_secrets(stack)
    with pytest.raises(Invalid):
        writer.put("support", value, now=NOW)


def client_error(code: str, status: int = 400, **extra: Any) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}, **extra}
    return ClientError(response, "Operation")


@pytest.mark.parametrize(
    ("error", "expected", "code"),
    [
        pytest.param(client_error("ThrottlingException"), Transient, "aws_busy", id="throttled"),
        pytest.param(client_error("InternalError", 500), Transient, "aws_busy", id="500"),
        pytest.param(client_error("SlowDown", 503), Transient, "aws_busy", id="503"),
        pytest.param(client_error("ConditionalRequestConflict", 409), Transient, "aws_busy", id="409 of a put"),
        pytest.param(client_error("AccessDeniedException"), Transient, "aws_denied", id="denied: mail waits"),
        pytest.param(client_error("NoSuchBucket", 404), Transient, "aws_denied", id="bucket gone: mail waits"),
        pytest.param(client_error("ValidationException"), Permanent, "aws_refused", id="our mistake"),
        pytest.param(
            client_error("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}]),
            Transient,
            "aws_busy",
            id="transactions in each other's way",
        ),
        pytest.param(EndpointConnectionError(endpoint_url="https://x"), Transient, "aws_unreachable", id="no network"),
    ],
)
def test_errors_of_aws_are_translated_in_one_place(error: Exception, expected: type[Exception], code: str) -> None:
    with pytest.raises(expected) as raised, aws_errors("doing something", on="support"):
        raise error
    assert isinstance(raised.value, PostroomError)
    assert (raised.value.code, raised.value.on) == (code, "support")
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    "answer",
    [
        client_error("ConditionalCheckFailedException"),
        client_error("TransactionCanceledException", CancellationReasons=[{"Code": "ConditionalCheckFailed"}]),
    ],
    ids=["condition", "condition in a transaction"],
)
def test_a_failed_condition_is_an_answer_for_who_set_it(answer: ClientError) -> None:
    with pytest.raises(ClientError), aws_errors("doing something"):
        raise answer
