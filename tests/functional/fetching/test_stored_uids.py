"""What is stored of mail that stays: an item for 4,096 UIDs, written by whoever polls, read when compared."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from postroom.adapters.dynamo.storage_records import StorageRecords
from postroom.model.stored_uids import SEGMENT, StoredUids, by_segment, with_bits

from tests.functional.fetching.conftest import Site
from tests.support.aws_calls import AwsCalls, aws_calls, item_size
from tests.support.aws_stack import AwsStack
from tests.support.mails import mail

MANY = 200_000


@pytest.fixture
def calls() -> Iterator[AwsCalls]:
    with aws_calls() as counted:
        yield counted


def records(stack: AwsStack) -> StorageRecords:
    return StorageRecords(boto3.client("dynamodb"), stack.table)


@given(st.sets(st.integers(1, 2**32 - 1), max_size=50))
def test_bitmaps_hold_what_was_put_into_them_and_nothing_else(uids: set[int]) -> None:
    bitmaps = {segment: with_bits(b"", bits) for segment, bits in by_segment([str(uid) for uid in uids]).items()}
    stored = StoredUids(bitmaps)
    near = {uid + step for uid in uids for step in (-1, 0, 1, 8, SEGMENT)}
    assert {uid for uid in near if str(uid) in stored} == uids
    assert "" not in stored
    assert "x" not in stored


def test_two_hundred_thousand_are_49_items_and_ten_more_are_one_write(stack: AwsStack, calls: AwsCalls) -> None:
    first = records(stack)
    first.add("support", "p-7", [str(uid) for uid in range(1, MANY + 1)])
    everything = stack.client("dynamodb").scan(TableName=stack.table)["Items"]
    found = [item for item in everything if item["sk"]["S"].startswith("S#p-7#")]
    assert len(found) == MANY // SEGMENT + 1 == 49
    assert max(map(item_size, found)) < 1024
    calls.reset()
    new = [str(uid) for uid in range(MANY + 1, MANY + 11)]
    first.add("support", "p-7", new)
    assert (calls.writes, calls.reads, calls.write_units) == (1, 0, 1)  # warm
    calls.reset()
    records(stack).add("support", "p-7", ["1"])  # cold, and known already
    assert (calls.writes, calls.reads) == (0, 1)
    calls.reset()
    stored = records(stack).read("support", "p-7")
    assert calls.reads == 1
    assert str(MANY + 10) in stored
    assert str(MANY + 11) not in stored
    assert "1" not in records(stack).read("support", "p-8")
    assert "1" not in records(stack).read("other", "p-7")


def test_two_pollers_that_write_the_same_segment_lose_nothing(stack: AwsStack) -> None:
    one, other = records(stack), records(stack)
    one.add("support", "p-7", ["1"])
    other.add("support", "p-7", ["2"])
    one.add("support", "p-7", ["3"])  # knows nothing of the second
    stored = records(stack).read("support", "p-7")
    assert all(uid in stored for uid in ("1", "2", "3"))


def test_a_bitmap_that_is_damaged_counts_as_empty(stack: AwsStack) -> None:
    records(stack).add("support", "p-7", ["1"])
    boto3.resource("dynamodb").Table(stack.table).update_item(
        Key={"pk": "MB#support", "sk": "S#p-7#00000000"},
        UpdateExpression="SET #bits = :bits",
        ExpressionAttributeNames={"#bits": "bits"},
        ExpressionAttributeValues={":bits": b"no bitmap"},
    )
    assert "1" not in records(stack).read("support", "p-7")
    again = records(stack)
    again.add("support", "p-7", ["2"])
    assert "2" in records(stack).read("support", "p-7")


def test_ten_mails_that_stay_cost_one_write_unit_more_than_ten_that_go(site: Site) -> None:
    site.configure(leave_msg_on_server=True)
    site.poll()
    site.deliver(mail(subject="first"))
    site.poll()
    site.calls.reset()
    site.deliver(*(mail(subject=f"Mail {number}") for number in range(10)))
    site.poll()
    assert site.calls.writes == site.calls.write_units == 4  # the request's looks, lease, state and bitmap
    site.calls.reset()
    site.poll()
    assert (site.calls.writes, site.calls.reads) == (1, 2)  # the request's looks; an idle look reads no bitmap
