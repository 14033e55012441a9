"""The fault matrix, as far as it is about fetching, through the real handler, IMAP and a mocked AWS."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from postroom.adapters.dynamo.mailbox_states import DynamoMailboxStates
from postroom.adapters.imap.session import ImapSession
from postroom.errors import LeaseLost
from postroom.model.configuration.document import Configuration
from postroom.model.identity import parse_raw_key
from postroom.model.mailbox_state import HealthState
from postroom_cli.mailservers.imap import FetchFault

from tests.functional.fetching.conftest import PASSWORD, Died, Site
from tests.support.aws_clients import listen
from tests.support.mails import mail

pytestmark = pytest.mark.usefixtures("hasty")

ONE, TWO, THREE = (mail(subject=f"Mail {number}", message_id=f"<{number}@example.org>") for number in (1, 2, 3))


def aws_error(code: str, status: int) -> ClientError:
    """What AWS answers when it refuses."""
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PutObject")


THROTTLED = aws_error("ThrottlingException", 400)
SLOW_DOWN = aws_error("SlowDown", 503)
DENIED = aws_error("AccessDenied", 403)
BUCKET_GONE = aws_error("NoSuchBucket", 404)
LOST = ReadTimeoutError(endpoint_url="https://aws")

Connect = Callable[..., Site]


def contents(site: Site) -> list[bytes]:
    """What is stored, one for each content: what one interaction each is made of."""
    return sorted({stored.content for stored in site.raw()})


def kept(site: Site, *mails: bytes) -> None:
    """Nothing lost, nothing doubled: the stored contents are exactly these mails, and the server was told."""
    assert contents(site) == sorted(mails)
    assert site.left() == 0


@pytest.mark.fault(5)
@pytest.mark.parametrize("error", [THROTTLED, LOST], ids=["throttled", "timed out"])
def test_without_a_lease_nothing_is_fetched_and_the_next_poll_does_it(connected: Connect, error: Exception) -> None:
    site = connected()
    site.deliver(ONE)
    site.aws.before["UpdateItem"] = error
    site.poll()
    assert site.raw() == []
    assert site.left() == 1
    site.poll()
    kept(site, ONE)


@pytest.mark.fault(5)
def test_a_lease_whose_answer_was_lost_is_ours_when_the_client_repeats_the_call(connected: Connect) -> None:
    site = connected()
    site.deliver(ONE)
    client = boto3.Session().client("dynamodb")

    # The first attempt took effect: the item shows the token and the owner that the repetition brings.
    def take_effect(model: Any, params: dict[str, Any], **_rest: Any) -> None:
        if model.name == "UpdateItem" and b":was" in params["body"]:
            values = json.loads(params["body"])["ExpressionAttributeValues"]
            client.update_item(
                TableName=site.stack.table,
                Key={"pk": {"S": "MB#box0"}, "sk": {"S": "state"}},
                UpdateExpression="SET #t = :t, #o = :o, #u = :u",
                ExpressionAttributeNames={"#t": "token", "#o": "owner", "#u": "until"},
                ExpressionAttributeValues={":t": values[":token"], ":o": values[":owner"], ":u": values[":until"]},
            )

    listen("before-call", take_effect)
    site.poll()
    kept(site, ONE)


@pytest.mark.fault(6)
@pytest.mark.fault(32)
def test_a_poller_that_dies_before_the_put_leaves_the_mail_and_a_lease_that_ends(connected: Connect) -> None:
    site = connected()
    site.deliver(ONE)
    site.aws.before["PutObject"] = Died()
    with pytest.raises(Died):
        site.poll(seconds=60)
    assert site.left() == 1
    assert site.raw() == []
    lease = site.state().lease
    assert lease is not None
    assert datetime.now(UTC) < lease.expires < datetime.now(UTC) + timedelta(seconds=91)
    site.poll()
    assert site.raw() == []  # the lease still stands
    expire_lease(site)
    site.poll()
    kept(site, ONE)


@pytest.mark.fault(33)
def test_a_put_whose_answer_was_lost_is_found_there_and_counts(connected: Connect) -> None:
    site = connected()
    site.deliver(ONE)
    site.aws.after["PutObject"] = LOST
    site.poll()
    assert len(site.raw()) == 1
    assert site.left() == 1
    assert site.state().health.step == "store"
    site.poll()
    kept(site, ONE)
    assert site.state().health.state is HealthState.ACTIVE


@pytest.mark.fault(34)
@pytest.mark.parametrize("error", [SLOW_DOWN, DENIED, BUCKET_GONE], ids=["slow down", "denied", "bucket gone"])
def test_a_put_that_fails_leaves_the_mail_on_the_server_and_shows_it(connected: Connect, error: Exception) -> None:
    site = connected()
    site.deliver(ONE, TWO)
    site.aws.before["PutObject"] = error
    site.poll()
    assert site.left() >= 1
    health = site.state().health
    assert (health.state, health.step) == (HealthState.RETRYING, "store")
    assert health.remedy
    site.poll()
    kept(site, ONE, TWO)


@pytest.mark.fault(35)
def test_s3_is_told_the_checksum_of_every_raw_message_and_puts_only_what_is_absent(connected: Connect) -> None:
    site = connected()
    site.deliver(ONE)
    site.poll()
    headers = next(headers for name, headers in site.aws.seen if name == "PutObject")
    assert headers["x-amz-checksum-sha256"] == base64.b64encode(hashlib.sha256(ONE).digest()).decode()
    assert headers["If-None-Match"] == "*"
    assert parse_raw_key(site.raw()[0].key).sha256 == hashlib.sha256(ONE).hexdigest()


@pytest.mark.fault(36)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("error", [THROTTLED, LOST, Died()], ids=["throttled", "lost", "died"])
def test_what_could_not_be_remembered_is_fetched_again_to_the_same(
    connected: Connect, when: str, error: BaseException
) -> None:
    site = connected()
    site.poll()
    site.deliver(ONE)
    strike_second_update(site, when, error)
    if isinstance(error, Died):
        with pytest.raises(Died):
            site.poll()
    else:
        site.poll()
    assert site.left() == 1
    expire_lease(site)
    site.poll()
    kept(site, ONE)


@pytest.mark.fault(37)
@pytest.mark.fault(38)
@pytest.mark.parametrize("told", [False, True], ids=["died before telling the server", "died after it"])
def test_a_poller_that_dies_around_telling_the_server_costs_nothing(
    connected: Connect, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    site = connected()
    site.deliver(ONE)
    act = ImapSession.act

    def dies(self: ImapSession, ids: Any, action: Any) -> None:
        if told:
            act(self, ids, action)
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(ImapSession, "act", dies)
        with pytest.raises(Died):
            site.poll()
    assert len(site.raw()) == 1
    assert site.left() == (0 if told else 1)
    site.poll()
    kept(site, ONE)
    assert site.calls.of("s3", "PutObject") == 1


@pytest.mark.fault(39)
@pytest.mark.parametrize("read_only", [False, True], ids=["over quota", "read-only"])
def test_a_server_that_refuses_the_move_is_told_again_and_the_mail_is_ours(connected: Connect, read_only: bool) -> None:
    site = connected(processed_items_folder_name="done")
    site.deliver(ONE)
    if read_only:
        site.server.faults.read_only = True
    else:
        site.server.faults.answers = {"UID MOVE": ["NO [OVERQUOTA] the folder is full"]}
    site.poll()
    assert len(site.raw()) == 1
    assert site.left() == 1
    health = site.state().health
    assert (health.state, health.step) != (HealthState.ACTIVE, "")
    assert health.step == "act"
    site.server.faults.answers, site.server.faults.read_only = {}, False
    make_due(site)
    site.poll()
    assert (site.left(), site.left("done")) == (0, 1)
    assert site.state().health.state is HealthState.ACTIVE
    assert site.calls.of("s3", "PutObject") == 1


@pytest.mark.fault(20)
def test_a_renumbered_folder_gives_the_same_contents(connected: Connect) -> None:
    site = connected(leave_msg_on_server=True)
    site.deliver(ONE, TWO)
    site.poll()
    site.server.folder("box0@example.com", "INBOX").uidvalidity += 1
    site.poll()
    assert contents(site) == sorted([ONE, TWO])
    before = len(site.raw())
    site.poll()
    assert len(site.raw()) == before


@pytest.mark.fault(24)
@pytest.mark.fault(30)
@pytest.mark.parametrize("fault", [FetchFault.DROP_MID_LITERAL, FetchFault.NIL, FetchFault.NO_ROW])
def test_one_message_that_the_server_cannot_give_delays_none_and_ends_in_the_failed_folder(
    connected: Connect, fault: FetchFault
) -> None:
    site = connected()
    site.deliver(ONE, TWO, THREE)
    site.server.faults.fetch[2] = fault
    site.poll()
    assert contents(site) == sorted([ONE, THREE])
    assert site.left() == 1
    assert site.state().balances[-1][1].problem == 1
    for _ in range(2):
        site.poll()
    assert site.left() == 0
    assert site.left("failedItems") == 1
    assert contents(site) == sorted([ONE, THREE])


@pytest.mark.fault(18)
def test_a_password_rotated_behind_the_cache_is_read_anew(connected: Connect) -> None:
    site = connected()
    site.server.store.users["box0@example.com"] = "rotated"
    site.enter_secret("rotated")
    site.deliver(ONE)
    site.calls.reset()
    site.poll()
    kept(site, ONE)
    assert site.calls.of("kms", "Decrypt") == 1
    assert site.state().health.state is HealthState.ACTIVE


@pytest.mark.fault(14)
def test_a_wrong_password_is_shown_at_once_and_not_tried_again(connected: Connect) -> None:
    site = connected()
    site.server.store.users["box0@example.com"] = "rotated"
    for _ in range(3):
        site.poll()
    logins = [command for command in site.server.log if command.name in ("LOGIN", "AUTHENTICATE")]
    assert len(logins) == 2  # the first look's, and the one refused
    health = site.state().health
    assert (health.state, health.step, health.next_try) == (HealthState.NEEDS_ATTENTION, "login", None)
    assert PASSWORD not in repr(site.state())


@pytest.mark.fault(22)
def test_a_folder_that_is_not_there_is_shown_and_not_made(connected: Connect) -> None:
    site = connected(folder_path="Support/New")
    health = site.state().health
    assert (health.state, health.step, health.code) == (HealthState.NEEDS_ATTENTION, "folder", "folder_missing")
    assert site.server.store.names("box0@example.com") == ["INBOX"]


@pytest.mark.fault(2)
def test_two_pollers_at_the_same_moment_store_each_mail_once(site: Site) -> None:
    site.configure()
    site.poll()
    site.deliver(ONE, TWO, THREE)
    site.calls.reset()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _n: site.poll(), range(2)))
    site.poll()
    kept(site, ONE, TWO, THREE)
    assert site.calls.of("s3", "PutObject") == 3


@pytest.mark.fault(7)
def test_a_poller_whose_clock_is_ahead_takes_over_and_the_old_one_cannot_write(site: Site) -> None:
    states = DynamoMailboxStates(boto3.client("dynamodb"), site.stack.table, site.stack.contents)
    now = datetime.now(UTC)
    first = states.load(["box0"], consistent=True)["box0"]
    old = states.take_lease(first, owner="old", now=now, expires=now + timedelta(minutes=5))
    assert old is not None
    second = states.load(["box0"], consistent=True)["box0"]
    ahead = now + timedelta(minutes=10)
    new = states.take_lease(second, owner="new", now=ahead, expires=ahead + timedelta(minutes=5))
    assert new is not None
    with pytest.raises(LeaseLost):
        states.save(old, first, release=True)
    behind = now - timedelta(minutes=10)
    third = states.load(["box0"], consistent=True)["box0"]
    assert states.take_lease(third, owner="late", now=behind, expires=behind) is None
    states.save(new, second, release=True)


@pytest.mark.fault(4)
def test_a_mailbox_disabled_meanwhile_is_not_polled_by_the_message_in_flight(connected: Connect) -> None:
    site = connected()
    site.deliver(ONE)
    store = site.stack.configurations
    current = store.current()
    changed = [mailbox.model_copy(update={"enabled": False}) for mailbox in current.mailboxes]
    configuration = Configuration.model_validate(
        {**current.model_dump(), "mailboxes": [m.model_dump() for m in changed]}
    )
    store.put(configuration, expected_version=store.version(), author="test", note="", now=datetime.now(UTC))
    site.poll()
    assert site.raw() == []
    assert site.left() == 1


def expire_lease(site: Site) -> None:
    """Let the time pass that a dead poller's lease still had."""
    boto3.Session().client("dynamodb").update_item(
        TableName=site.stack.table,
        Key={"pk": {"S": "MB#box0"}, "sk": {"S": "state"}},
        UpdateExpression="SET #u = :zero",
        ExpressionAttributeNames={"#u": "until"},
        ExpressionAttributeValues={":zero": {"N": "0"}},
    )


def make_due(site: Site) -> None:
    """Let the time pass until the next try of a mailbox that is not well."""
    boto3.Session().client("dynamodb").update_item(
        TableName=site.stack.table,
        Key={"pk": {"S": "MB#box0"}, "sk": {"S": "state"}},
        UpdateExpression="REMOVE health.next_try SET health.#s = :retrying",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={":retrying": {"S": "retrying"}},
    )


def strike_second_update(site: Site, when: str, error: BaseException) -> None:
    """Let the second UpdateItem from now go wrong: the first takes the lease, the second remembers."""
    seen = []

    def strike(model: Any, **_rest: Any) -> None:
        if model.name == "UpdateItem":
            seen.append(model.name)
            if len(seen) == 2:
                raise error

    listen(f"{when}-call", strike)
