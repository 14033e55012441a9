"""The configuration in the table and the content bucket: chunks by content, lists of changes, waiting changes."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from postroom.adapters.configuration.store import ConfigurationStore
from postroom.adapters.configuration.waiting_changes import DynamoWaitingChanges
from postroom.adapters.dynamo import items, keys
from postroom.bootstrap import Stores, installation_of
from postroom.errors import Conflict, NotFound
from postroom.model.access import INSTALLATION, Principal, PrincipalKind
from postroom.model.configuration import (
    Change,
    ChangeKind,
    Configuration,
    Edit,
    FieldChange,
    ObjectChange,
    RecordedChange,
    object_version,
)
from postroom.rules.access import BUILT_IN, BuiltIn
from postroom.services.administration import Modify, perform

from tests.support.aws_stack import AwsStack

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def configuration(count: int, **settings: Any) -> Configuration:
    mailboxes = [
        {"name": f"m{number}", "address": f"m{number}@example.com", "server": "imap.example.com"}
        for number in range(count)
    ]
    return Configuration.model_validate({"mailboxes": mailboxes, "settings": settings})


def put(store: ConfigurationStore, wanted: Configuration, **more: Any) -> int:
    return store.put(wanted, expected_version=store.version(), author="anna", note="why", now=NOW, **more)


@contextmanager
def counted(stack: AwsStack) -> Iterator[list[str]]:
    """Note what is asked of S3 while a test looks."""
    asked: list[str] = []
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation in ("GetObject", "PutObject"):
            asked.append(f"{operation} {parameters['Key'].split('/')[1]}")
        return real(client, operation, parameters)

    BaseClient._make_api_call = call  # type: ignore[attr-defined]
    try:
        yield asked
    finally:
        BaseClient._make_api_call = real  # type: ignore[attr-defined]


def with_description(before: Configuration, index: int, text: str) -> Configuration:
    changed = before.mailboxes[index].model_copy(update={"description": text})
    mailboxes = (*before.mailboxes[:index], changed, *before.mailboxes[index + 1 :])
    return before.model_copy(update={"mailboxes": mailboxes})


@pytest.mark.feature("C19")
def test_a_change_writes_and_a_reader_loads_only_the_chunk_that_moved(stack: AwsStack) -> None:
    writer, reader = stack.configurations, stack.configurations
    put(writer, configuration(3000))
    assert reader.current() == writer.current() == configuration(3000)
    with counted(stack) as asked:
        put(writer, with_description(writer.current(), 1500, "x"))
        assert asked == ["PutObject chunks"]
        assert reader.current().mailboxes[1500].description == "x"
        assert asked == ["PutObject chunks", "GetObject chunks"]
        reader.current()
        assert len(asked) == 2
    for changed in (configuration(3001), configuration(2999), configuration(2999, default_domain="x.example")):
        with counted(stack) as asked:
            put(writer, changed)
            assert len(asked) <= 2, "an object that comes or goes moves its own chunk, and at most the next"
        assert reader.current() == changed == stack.configurations.current()


@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 2000])
def test_what_is_put_is_what_is_read_in_the_same_order(stack: AwsStack, count: int) -> None:
    wanted = configuration(count, default_domain="x.example")
    put(stack.configurations, wanted)
    assert stack.configurations.current() == wanted
    assert stack.configurations.load(1) == wanted


def test_the_same_content_has_the_same_chunks(stack: AwsStack) -> None:
    store = stack.configurations
    put(store, configuration(1000))
    put(store, configuration(1001))
    with counted(stack) as asked:
        put(store, configuration(1000))
        assert [one for one in asked if one.startswith("Put")] == ["PutObject chunks"] * len(asked)
    assert store.history()[0].digest == store.history()[2].digest


def test_a_version_from_before_there_were_chunks_is_read_and_changed(stack: AwsStack) -> None:
    old = configuration(3)
    document = old.model_dump_json(exclude_defaults=True).encode()
    digest = hashlib.sha256(document).hexdigest()
    stack.contents.put(f"config/00000004-{digest[:16]}.json.gz", gzip.compress(document), content_type="x")
    record = {"version": 4, "at": keys.moment(NOW), "author": "old", "note": "", "digest": digest}
    for key in (keys.configuration_pointer(), keys.configuration_version(4)):
        stack.client("dynamodb").put_item(TableName=stack.table, Item=items.marshal({**key, **record}))
    store = stack.configurations
    assert store.current() == store.load(4) == stack.configurations.load(4) == old
    assert put(store, with_description(store.current(), 1, "x")) == 5
    assert stack.configurations.current().mailboxes[1].description == "x"
    assert stack.configurations.load(4) == old
    assert [(one.version, one.author, one.objects, one.complete) for one in store.history()] == [
        (5, "anna", (), False),
        (4, "old", (), False),
    ]
    assert store.changes(4) == ()
    assert store.in_force_since() == NOW


@pytest.mark.feature("X11")
def test_a_version_keeps_its_list_of_changes(stack: AwsStack) -> None:
    field = FieldChange("description", None, "x")
    made = [
        RecordedChange(ObjectChange(ChangeKind.CHANGED, "mailboxes", f"m{number}", (field,)), "anna", NOW, "asked for")
        for number in range(60)
    ]
    store = stack.configurations
    put(store, configuration(60), changes=made[:1])
    put(store, configuration(61), changes=made)
    newest, first = store.history()
    assert (first.added, first.changed, first.removed, first.objects, first.complete) == (
        0,
        1,
        0,
        ("mailboxes/m0",),
        True,
    )
    assert (newest.changed, len(newest.objects), newest.complete) == (60, 50, False)
    assert store.changes(1) == tuple(made[:1])
    assert store.changes(2) == tuple(made)
    with pytest.raises(NotFound):
        store.changes(3)


def test_who_was_slower_changes_nothing_and_a_lost_answer_is_success(stack: AwsStack) -> None:
    first, second = stack.configurations, stack.configurations
    put(first, configuration(1))
    with pytest.raises(Conflict):
        second.put(configuration(2), expected_version=0, author="b", note="", now=NOW)
    # The same content by another person is no lost answer of one's own.
    with pytest.raises(Conflict):
        second.put(configuration(1), expected_version=0, author="b", note="", now=NOW)
    assert [one.author for one in first.history()] == ["anna"]


def change(name: str, text: str) -> Change:
    before = configuration(3).mailboxes[int(name[1:])]
    after = before.model_copy(update={"description": text})
    return Change((Edit("mailboxes", name, object_version(before), after),), "anna", "why", {("settings", ""): "v"})


def test_waiting_changes_come_back_as_they_were_and_are_told_by_the_version_s_own_write(stack: AwsStack) -> None:
    waiting = DynamoWaitingChanges(stack.client("dynamodb"), stack.table)
    store = stack.configurations
    put(store, configuration(3))
    for number in range(3):
        waiting.add(f"{number}", change(f"m{number}", "x"), now=NOW)
    removal = Change((Edit("mailboxes", "m2", "v", None),), "ben", "", order={"mailboxes": ("m1", "m0")})
    waiting.add("3", removal, now=NOW)
    assert [one.change for one in waiting.waiting()] == [*(change(f"m{number}", "x") for number in range(3)), removal]
    put(store, configuration(3), settled=["0", "1"])
    waiting.refuse("3", {"conflict": {"what": "no", "on": "", "remedy": "", "code": "c"}})
    assert [one.id for one in waiting.waiting()] == ["2"]
    assert waiting.outcome("0") == {"version": 2}
    assert waiting.outcome("2") is None
    assert (waiting.forget("0"), waiting.forget("2")) == (False, True)
    assert waiting.waiting() == []
    with pytest.raises(NotFound):
        waiting.outcome("never")
    # One that was taken back is in no version: nothing of the whole is put in force then.
    with pytest.raises(Conflict):
        put(store, configuration(3), settled=["2"])
    assert store.version() == 2


def test_the_turn_is_one_person_s_until_he_ends_it_or_is_gone(stack: AwsStack) -> None:
    waiting = DynamoWaitingChanges(stack.client("dynamodb"), stack.table)
    until = NOW + timedelta(seconds=20)
    assert waiting.take_turn("a", now=NOW, until=until)
    assert waiting.take_turn("a", now=NOW, until=until)
    assert not waiting.take_turn("b", now=NOW, until=until)
    waiting.end_turn("b")
    assert not waiting.take_turn("b", now=NOW, until=until)
    assert waiting.take_turn("b", now=until + timedelta(seconds=1), until=until)
    waiting.end_turn("a")
    assert not waiting.take_turn("c", now=NOW, until=until)
    waiting.end_turn("b")
    assert waiting.take_turn("c", now=NOW, until=until)


@pytest.fixture
def one_step_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let moto take one request at a time: its transactions undo what others wrote meanwhile, AWS's do not."""
    lock = threading.RLock()
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        with lock:
            return real(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


@pytest.mark.feature("X11")
@pytest.mark.usefixtures("one_step_each")
def test_changes_of_different_objects_by_many_processes_at_once_are_all_in(stack: AwsStack) -> None:
    put(stack.configurations, configuration(40))
    roles = {INSTALLATION: (BUILT_IN[BuiltIn.PARTITION_ADMINISTRATOR],)}

    def work(who: int) -> list[int]:
        # Stores of its own: nothing but the table tells one from the others.
        stores = Stores(lambda name: environment[name], lambda service, **_options: stack.client(service))
        here = installation_of(stores, clock=lambda: datetime.now(UTC))
        principal = Principal(f"p{who}", f"p{who}", PrincipalKind.PERSON, roles)
        return [
            perform(
                Modify("mailboxes", (f"m{who * 4 + number}",), {"description": f"by {who}"}), here, principal=principal
            ).version
            for number in range(4)
        ]

    environment = {
        "table": stack.table,
        "content_bucket": stack.environment["CONTENT_BUCKET"],
        "outbound_queue": stack.environment["OUTBOUND_QUEUE_URL"],
    }
    with ThreadPoolExecutor(10) as threads:
        done = list(threads.map(work, range(10)))
    told = {one.name: one.description for one in stack.configurations.current().mailboxes}
    assert told == {f"m{number}": f"by {number // 4}" for number in range(40)}
    store = stack.configurations
    for who, versions in enumerate(done):
        for number, version in enumerate(versions):
            assert f"m{who * 4 + number}" in [one.change.name for one in store.changes(version) if one.who == f"p{who}"]
    assert store.version() < 41
