"""Many mailboxes of Exchange Online in one request, through the real handler."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from postroom.adapters.dynamo.mailbox_states import DynamoMailboxStates
from postroom.adapters.graph import grouped_look
from postroom.model.mailbox_state import Health, HealthState, MailboxState, Position
from postroom_cli.mailservers.graph_calls import Call, error
from postroom_cli.mailservers.https import Reply
from postroom_cli.mailservers.tokens import SECRET

from tests.functional.oauth.conftest import Site
from tests.functional.oauth.conftest import site as handler_site  # noqa: F401 - the fixture of whole stacks
from tests.support.aws_calls import AwsCalls, aws_calls
from tests.support.mails import mail

pytestmark = pytest.mark.feature("G24")


@dataclass
class Many:
    """Mailboxes that have been looked at before, and the ways to ask what became of them."""

    site: Site
    calls: AwsCalls
    names: list[str] = field(default_factory=list)

    def configure(self, count: int, *options: dict[str, Any]) -> None:
        """Put so many mailboxes in force, known to be empty; `options` are of the first ones."""
        given: list[dict[str, Any]] = [*options, *[{}] * (count - len(options))]
        self.site.configure(*({"type": "GRAPH", **one} for one in given))
        self.names = [f"box{number}" for number in range(count)]
        self.site.graph.users |= {f"{name}@example.com" for name in self.names}
        dynamo = self.site.stack.client("dynamodb")
        states = DynamoMailboxStates(dynamo, self.site.stack.table, self.site.stack.contents)
        now = datetime.now(UTC)
        for name in self.names:
            state = MailboxState(mailbox=name, position=Position(connected=now))
            lease = states.take_lease(state, owner="test", now=now, expires=now)
            assert lease is not None
            states.save(lease, state, release=True)

    def poll(self) -> None:
        """Run the real handler once, and count from there."""
        self.calls.reset()
        self.site.graph.seen.clear()
        self.site.graph.batches.clear()
        self.site.poll(*self.names)

    def deliver(self, number: int) -> bytes:
        """Put a mail into a mailbox."""
        content = mail(subject=f"for {number}: {secrets.token_hex(8)}")
        self.site.graph.deliver(content, user=user(number))
        return content

    def health(self, number: int) -> Health:
        """Read how a mailbox is."""
        return self.site.health(f"box{number}")

    @property
    def ill(self) -> list[str]:
        """Names of the mailboxes that are not well."""
        return [name for name in self.names if not self.site.well(name)]

    @property
    def batches(self) -> list[int]:
        """How many mailboxes each batch asked."""
        return [len(users) for users in self.site.graph.batches]


def user(number: int) -> str:
    return f"box{number}@example.com"


@pytest.fixture
def many(handler_site: Site) -> Iterator[Many]:  # noqa: F811 - a fixture's name is its argument
    with aws_calls() as calls:
        yield Many(handler_site, calls)


@pytest.mark.feature("X15")
def test_a_hundred_idle_mailboxes_of_an_application_cost_five_requests_and_one_token(many: Many) -> None:
    many.configure(100)
    many.poll()
    assert many.batches == [20] * 5
    assert many.site.graph.seen == []
    assert len(many.site.service.forms) == 1
    assert many.calls.writes == many.calls.of("dynamodb", "PutItem") == 1  # when these were polled
    assert many.calls.reads == 3  # the configuration, the states, and the application's secret for the token
    many.poll()
    assert (many.batches, len(many.site.service.forms)) == ([20] * 5, 1)
    assert dict(many.calls.calls) == {
        ("dynamodb", "GetItem"): 1,
        ("dynamodb", "BatchGetItem"): 1,
        ("dynamodb", "PutItem"): 1,
    }
    assert many.ill == []


def test_what_is_new_in_one_of_them_is_fetched_and_the_others_are_not_opened(many: Many) -> None:
    many.configure(10)
    content = many.deliver(3)
    many.poll()
    assert many.batches == [10]
    assert many.site.raw() == [content]
    assert len(many.site.graph.messages) == 0
    many.poll()
    assert (many.batches, many.site.graph.seen) == ([10], [])


@pytest.mark.fault(31)
def test_each_part_means_what_it_would_mean_alone(many: Many) -> None:
    many.configure(8, {}, {}, {"folder_path": "Cases"})
    cases = many.site.graph.make("Cases")
    many.poll()  # finds the folder
    del many.site.graph.folders[cases]
    many.site.graph.make("Cases")  # made anew: its id is another
    many.site.graph.forbidden.add(user(3))
    many.site.graph.users.discard(user(4))
    many.site.graph.forgets.add(user(5))
    many.site.graph.fail("GET", ".*", lambda: error(429, "ApplicationThrottled", retry_after="900"), 50, user=user(6))
    many.site.graph.fail("GET", ".*", lambda: error(500, "InternalServerError"), 50, user=user(7))
    contents = {many.deliver(1), many.deliver(5)}
    before = datetime.now(UTC)
    many.poll()
    assert many.batches == [8]
    assert set(many.site.raw()) == contents
    assert {name: many.site.health(name).code for name in many.ill} == {
        "box3": "permission_missing",
        "box4": "mailbox_missing",
        "box6": "throttled",
        "box7": "unavailable",
    }
    assert many.health(3).state is many.health(4).state is HealthState.NEEDS_ATTENTION
    assert many.health(6).failures == 0
    wait = (many.health(6).next_try or before) - before
    assert timedelta(seconds=899) <= wait <= timedelta(seconds=930)
    assert "GET /mailFolders" in many.site.graph.seen
    many.poll()
    # Who waits, or waits for a person, is not asked; who is ill, but due, is asked with the others.
    assert many.batches == [5]


@pytest.mark.fault(31)
def test_a_part_that_is_to_be_asked_again_at_once_is_and_only_that(many: Many) -> None:
    many.configure(5)
    many.site.graph.fail("GET", ".*", lambda: error(429, "ApplicationThrottled", retry_after="0"), 2, user=user(2))
    many.poll()
    assert many.site.graph.batches == [[user(number) for number in range(5)], [user(2)], [user(2)]]
    assert (many.site.graph.seen, many.ill) == ([], [])


@pytest.mark.fault(31)
def test_the_others_do_not_wait_for_the_part_that_has_to(many: Many) -> None:
    many.configure(3)
    content = many.deliver(0)
    many.site.graph.fail("GET", ".*", lambda: error(429, "ApplicationThrottled", retry_after="2"), 1, user=user(2))
    batches: list[int] = []
    deliver = many.site.graph._value

    def value(call: Call, one: str) -> Reply:
        batches.append(len(many.site.graph.batches))
        return deliver(call, one)

    many.site.graph._value = value  # type: ignore[method-assign]
    many.poll()
    assert batches == [1]  # fetched before the one that had to wait was asked again
    assert many.batches == [3, 1]
    assert many.site.raw() == [content]


WHOLE: dict[str, Callable[[], Reply]] = {
    "500": lambda: error(500, "InternalServerError"),
    "502": lambda: Reply(502, b"<html>"),
    "503-without-a-time": lambda: error(503, "ServiceUnavailable"),
    "400": lambda: error(400, "BadRequest"),
    "401": lambda: error(401, "InvalidAuthenticationToken"),
    "404": lambda: error(404, "ResourceNotFound"),
    "redirected": lambda: Reply(302, b"", {"Location": "https://e.example"}),
    "no-json": lambda: Reply(200, b"<html>"),
    "nothing": lambda: Reply(200, b'{"responses": []}'),
    "nonsense": lambda: Reply(200, b'{"responses": [1, {"id": "0"}, {"id": "1", "status": 200, "body": {}}]}'),
    "no-page": lambda: Reply(200, b'{"responses": [{"id": "0", "status": 200, "body": {"value": 1}}]}'),
    "cut": lambda: Reply(200, b'{"responses": [' + b" " * 1000, cut=10),
}


@pytest.mark.fault(31)
def test_a_batch_that_fails_as_a_whole_loses_nothing(many: Many) -> None:
    many.configure(4)
    for name, whole in WHOLE.items():
        content = many.deliver(1)
        many.site.graph.fail("POST", r"/\$batch", whole)
        many.poll()
        assert content in many.site.raw(), name
        assert many.ill == [], name
        assert not many.site.graph.faults, name
        assert not many.site.graph.messages, name


@pytest.mark.fault(31)
def test_an_application_that_is_told_to_wait_leaves_the_service_alone(many: Many) -> None:
    many.configure(30)
    many.site.graph.fail("POST", r"/\$batch", lambda: error(429, "TooManyRequests", retry_after="600"), 2)
    many.poll()
    assert many.site.graph.seen == []
    assert len(many.ill) == 30
    assert {(many.health(number).failures, many.health(number).code) for number in range(30)} == {(0, "throttled")}
    assert "the server asks to wait until 20" in many.health(0).reason
    many.poll()
    assert many.batches == []


@pytest.mark.fault(13, 31)
def test_a_batch_that_hangs_delays_nobody_else_and_loses_nothing(many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouped_look, "ANSWERED_WITHIN", 1.5)
    many.site.enter("other", SECRET)
    other = {"client_secret": {"secret": "other"}}
    many.configure(6, {}, {}, {}, other, other, other)
    contents = [many.deliver(0), many.deliver(4)]
    fetched: list[tuple[str, float]] = []
    value = many.site.graph._value

    def noted(call: Call, one: str) -> Reply:
        fetched.append((call.user, time.monotonic() - started))
        return value(call, one)

    def hang() -> Reply:
        time.sleep(3)
        return Reply(200, b"{}")

    many.site.graph._value = noted  # type: ignore[method-assign]
    many.site.graph.fail("POST", r"/\$batch", hang)
    started = time.monotonic()
    many.poll()
    (first, _early), (second, late) = fetched
    (answered,) = many.site.graph.batches
    assert first in answered
    assert second not in answered
    assert {first, second} == {user(0), user(4)}
    assert late >= 1.5
    assert sorted(many.site.raw()) == sorted(contents)
    assert many.ill == []


def test_mailboxes_of_two_applications_are_asked_with_two_tokens(many: Many) -> None:
    many.site.enter("other", SECRET)
    many.configure(5, {}, {}, {"client_secret": {"secret": "other"}}, {"client_secret": {"secret": "other"}})
    many.poll()
    assert sorted(many.batches) == [2, 3]
    assert len(many.site.service.forms) == 2


def test_a_mailbox_is_asked_for_no_more_than_four_of_its_folders_at_once(many: Many) -> None:
    folders = [many.site.graph.make(f"Queue {number}") for number in range(6)]
    many.configure(6, *({"login": user(0), "folder_path": f"Queue {number}"} for number in range(6)))
    many.poll()  # finds the folders
    assert many.batches == []
    many.poll()
    assert many.batches == [4, 2]
    assert len(folders) == 6
    assert many.ill == []


@pytest.mark.fault(15)
@pytest.mark.parametrize("status", [503, 429])
def test_a_token_service_that_asks_to_wait_is_left_alone_by_all_mailboxes(many: Many, status: int) -> None:
    many.configure(25)
    many.site.service.script.extend([error(status, "temporarily_unavailable", retry_after="1800")] * 9)
    before = datetime.now(UTC)
    many.poll()
    assert len(many.site.service.forms) == 1
    assert (many.batches, many.site.graph.seen) == ([], [])
    for number in range(25):
        health = many.health(number)
        assert (health.state, health.step, health.failures) == (HealthState.RETRYING, "login", 0)
        assert health.next_try is not None
        assert timedelta(seconds=1795) <= health.next_try - before <= timedelta(seconds=1830)
    many.poll()
    assert len(many.site.service.forms) == 1


def test_a_token_that_was_revoked_is_asked_for_anew(many: Many) -> None:
    many.configure(3)
    many.poll()
    many.site.issued.revoked.update(many.site.service.issued)
    content = many.deliver(1)
    many.poll()
    assert many.site.raw() == [content]
    assert len(many.site.service.forms) == 2
    assert many.ill == []


@pytest.mark.feature("G10")
def test_the_trace_of_one_mailbox_tells_its_part_of_the_batch_only(
    many: Many, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "postroom")
    many.configure(3, {"enable_debug": True})
    many.poll()
    lines = [vars(record) for record in caplog.records if record.msg == "protocol"]
    assert {line["mailbox"] for line in lines} == {"box0"}
    shown = [line["line"] for line in lines if line["step"] == "list"]
    assert shown[0].startswith("GET /mailFolders/inbox/messages?$select=id,isRead")
    assert shown[0].endswith("with 2 others in a batch")
    assert shown[1].startswith("200, ")
    logged = "\n".join(repr(vars(record)) for record in caplog.records)
    assert not any(token in logged for token in (*many.site.service.issued, SECRET))
    assert "box1@" not in logged
