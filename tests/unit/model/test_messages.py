"""Queue messages are read by the code that writes them; what another version wrote is refused, not guessed at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from postroom.errors import Permanent
from postroom.model import messages


def through_a_queue(message: Mapping[str, Any]) -> Mapping[str, Any]:
    read: Mapping[str, Any] = json.loads(json.dumps(message))
    return read


def test_a_poll_request_is_read_as_it_was_written() -> None:
    written = messages.poll_request(["support", "sales"], backlog=True)
    assert messages.read_poll_request(through_a_queue(written)) == messages.PollRequest(("support", "sales"), True)


def test_a_request_to_send_is_read_as_it_was_written() -> None:
    assert messages.read_send_request(through_a_queue(messages.send_request("o-1"))) == "o-1"


@pytest.mark.parametrize("key", ["raw/2026/01/02/03/support/a b+c.eml", "raw/2026/01/02/03/é/%41.eml"])
def test_a_storage_event_of_ours_is_read_like_one_of_s3(key: str) -> None:
    assert messages.stored_keys(through_a_queue(messages.stored_event("raw", key))) == [key]


def test_s3s_own_test_event_names_no_mail() -> None:
    assert messages.stored_keys({"Service": "Amazon S3", "Event": "s3:TestEvent"}) == []


def test_a_storage_event_of_a_later_minor_version_is_read() -> None:
    event = json.loads(json.dumps(messages.stored_event("raw", "raw/key.eml")))
    event["Records"][0]["eventVersion"] = "2.9"
    assert messages.stored_keys(event) == ["raw/key.eml"]


def of_version(event_version: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(json.dumps(messages.stored_event("raw", "raw/key.eml")))
    event["Records"][0]["eventVersion"] = event_version
    return event


UNKNOWN: dict[str, tuple[Callable[[Mapping[str, Any]], object], Mapping[str, Any]]] = {
    "a poll request of another version": (messages.read_poll_request, {"v": 2, "mailboxes": ["a"]}),
    "a poll request without a version": (messages.read_poll_request, {"mailboxes": ["a"]}),
    "a poll request with something else for names": (messages.read_poll_request, {"v": 1, "mailboxes": [1]}),
    "a request to send of another version": (messages.read_send_request, {"v": 2, "outbound": "o-1"}),
    "a request to send without a version": (messages.read_send_request, {"outbound": "o-1"}),
    "a request to send that names no mail": (messages.read_send_request, {"v": 1}),
    "a storage event of another version": (messages.stored_keys, of_version("3.0")),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_another_version_wrote_is_refused(name: str) -> None:
    read, message = UNKNOWN[name]
    with pytest.raises(Permanent) as raised:
        read(message)
    assert raised.value.code == "unknown_message"
    assert raised.value.remedy
