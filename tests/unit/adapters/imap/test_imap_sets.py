"""What is asked of an IMAP folder, and what of the answer is new: against a plain model of the folder."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from postroom.adapters.imap.uid_sets import LAST_UID, SET_LENGTH, criteria, sort_out, uid_sets
from postroom.model.mailbox_state import LeftAlone, Position, Record
from postroom_cli.mailservers.imap_syntax import parse, search_predicate
from postroom_cli.mailservers.store import Store


@given(st.sets(st.integers(1, 5_000), max_size=2_000))
def test_sets_name_each_uid_once_and_stay_short(uids: set[int]) -> None:
    seen: list[int] = []
    for text, members in uid_sets(sorted(uids)):
        assert len(text) <= SET_LENGTH + 25
        named = [
            uid
            for part in text.decode().split(",")
            for uid in range(int(part.split(":")[0]), int(part.split(":")[-1]) + 1)
        ]
        assert named == members
        seen += members
    assert seen == sorted(uids)


def test_a_backlog_is_one_range() -> None:
    assert [text for text, _members in uid_sets(range(1, 100_001))] == [b"1:100000"]


@pytest.mark.parametrize(
    ("position", "stays", "uidnext", "expected"),
    [
        (Position(floor="0", cursor="0"), True, 0, f"UID 1:{LAST_UID}"),
        (Position(floor="0", cursor="9"), True, 0, f"OR UID 10:{LAST_UID} (UID 1:9 UNSEEN)"),
        (Position(floor="0", cursor="9"), True, 10, "(UID 1:9 UNSEEN)"),
        (Position(floor="9", cursor="9"), True, 10, ""),
        (Position(floor="9", cursor="9"), False, 10, ""),
        (Position(floor="4", cursor="9"), False, 10, f"UID 5:{LAST_UID}"),
        (Position(floor="0", cursor="9", problems={"7": 1}), True, 10, "OR (UID 1:9 UNSEEN) UID 7"),
        (Position(floor="0", cursor="9", problems={"7": LeftAlone.GIVEN_UP}), True, 10, "(UID 1:9 UNSEEN)"),
        (
            Position(floor="0", cursor="9", known=frozenset({"12", "11"}), problems={"10": 2}),
            True,
            0,
            f"OR (UID 10:{LAST_UID} NOT UID 11:12) (OR (UID 1:9,11:12 UNSEEN) UID 10)",
        ),
    ],
)
def test_the_search_asks_for_no_more_than_it_must(position: Position, stays: bool, uidnext: int, expected: str) -> None:
    assert criteria(position, stays=stays, uidnext=uidnext).decode() == expected


def test_where_mail_goes_away_what_was_stored_while_it_was_to_stay_is_left_alone() -> None:
    position = Position(floor="2", cursor="9", kept="7", problems={"5": 1, "9": 1})
    assert criteria(position, stays=False, uidnext=20).decode() == f"OR UID 8:{LAST_UID} UID 5"


UIDS = st.integers(1, 12)
RECORD = Record(100, 1_790_000_000)


@settings(max_examples=300)
@given(
    there=st.dictionaries(UIDS, st.booleans(), max_size=12),  # UID → read
    floor=st.integers(0, 6),
    ahead=st.integers(0, 6),
    known=st.sets(UIDS, max_size=3),
    records=st.sets(UIDS, max_size=6),
    problems=st.dictionaries(UIDS, st.sampled_from([1, 2, *LeftAlone]), max_size=3),
    stays=st.booleans(),
)
def test_only_what_has_a_record_may_be_unfinished_and_all_else_that_was_not_seen_done_is_news(
    there: dict[int, bool],
    floor: int,
    ahead: int,
    known: set[int],
    records: set[int],
    problems: dict[int, int],
    stays: bool,
) -> None:
    cursor = floor + ahead
    known = {uid for uid in known if uid > cursor and uid not in problems}
    problems = {uid: tries for uid, tries in problems.items() if uid > floor}
    position = Position(
        epoch="1",
        floor=str(floor),
        cursor=str(cursor),
        known=frozenset(map(str, known)),
        problems={str(uid): tries for uid, tries in problems.items()},
        records={str(uid): RECORD for uid in records},
    )
    store = Store({"u": "p"})
    for uid, read in sorted(there.items()):
        message = store.append("u", "INBOX", b"x", flags=["\\Seen"] if read else [])
        message.uid = uid
    messages = store.create("u", "INBOX").messages
    asked = criteria(position, stays=stays, uidnext=max(there, default=0) + 1)
    holds = search_predicate(parse([asked]), messages) if asked else None
    found = [one.uid for number, one in enumerate(messages, 1) if holds and holds(one, number)]
    news, recorded = sort_out(found, position)

    def concerns_us(uid: int) -> bool:
        if uid <= floor or problems.get(uid, 0) >= LeftAlone.GIVEN_UP:
            return False
        seen_done = stays and there[uid] and (uid <= cursor or uid in known)
        return uid in problems or not seen_done

    assert sorted([*news, *recorded]) == [uid for uid in sorted(there) if concerns_us(uid)]
    assert recorded == [uid for uid in sorted(there) if concerns_us(uid) and uid in records and uid not in problems]
