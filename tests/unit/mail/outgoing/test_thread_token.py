"""The signed token: what proves a reply, and what does not."""

from __future__ import annotations

import hmac
import re

import pytest
from postroom.mail.outgoing import thread_token
from postroom.model.identity import outbound_id

KEY = b"k" * 32
OLD = b"o" * 32
ID = "q7x2m4n6p3r5t7v2w4y6a2c4e6"


def test_a_message_id_of_ours_proves_its_outbound_id() -> None:
    message_id = thread_token.message_id_for(ID, key=KEY, domain="mail.example.com")
    assert re.fullmatch(rf"<pr1\.{ID}\.[a-z2-7]{{16}}@mail\.example\.com>", message_id)
    assert thread_token.verify(message_id, keys=[KEY]) == ID


def test_the_mac_is_hmac_sha256_cut_to_80_bits() -> None:
    whole = hmac.digest(KEY, f"postroom:pr1:{ID}".encode(), "sha256")
    mac = int.from_bytes(whole) >> (256 - 80)
    value = 0
    for character in thread_token.sign(ID, key=KEY):
        value = value << 5 | "abcdefghijklmnopqrstuvwxyz234567".index(character)
    assert value == mac


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(str.upper, id="upper-case"),
        pytest.param(lambda text: text.strip("<>"), id="without-brackets"),
        pytest.param(lambda text: f" {text} ", id="with-space-around"),
        pytest.param(lambda text: text.replace("@mail.example.com", "@rewritten.example"), id="other-domain"),
    ],
)
def test_a_message_id_survives_what_servers_do_to_it(change: object) -> None:
    assert callable(change)
    assert (
        thread_token.verify(change(thread_token.message_id_for(ID, key=KEY, domain="mail.example.com")), keys=[KEY])
        == ID
    )


def _forgeries() -> list[object]:
    good = thread_token.message_id_for(ID, key=KEY, domain="d.example")
    mac = thread_token.sign(ID, key=KEY)
    flipped = ("b" if mac[0] == "a" else "a") + mac[1:]
    other = "a" + ID[1:]
    return [
        pytest.param(good.replace(mac, flipped), id="one-character-of-the-mac-changed"),
        pytest.param(good.replace(ID, other), id="mac-of-another-id"),
        pytest.param(good.replace(mac, mac[:-1]), id="mac-cut"),
        pytest.param(good.replace(mac, mac + "a"), id="mac-longer"),
        pytest.param(good.replace(mac, ""), id="no-mac"),
        pytest.param(good.replace("pr1.", "pr2."), id="other-version"),
        pytest.param(good.replace("<pr1", "<xpr1"), id="prefixed"),
        pytest.param(f"<{ID}@d.example>", id="id-alone"),
        pytest.param("", id="empty"),
        pytest.param("<ordinary.id@example.com>", id="ordinary"),
        pytest.param("x" * 1000 + good, id="longer-than-a-line"),
    ]


@pytest.mark.parametrize("candidate", _forgeries())
def test_nothing_else_proves_anything(candidate: str) -> None:
    assert thread_token.verify(candidate, keys=[KEY]) is None


def test_a_key_that_was_rotated_out_still_verifies_until_it_leaves_the_list() -> None:
    old = thread_token.message_id_for(ID, key=OLD, domain="d.example")
    assert thread_token.verify(old, keys=[KEY, OLD]) == ID
    assert thread_token.verify(old, keys=[KEY]) is None
    assert thread_token.verify(old, keys=[]) is None


def test_a_plus_address_proves_the_same_and_is_stripped_again() -> None:
    address = thread_token.plus_address_for("support@example.com", ID, key=KEY)
    assert address is not None
    assert address.startswith("support+pr1.")
    assert len(address.rpartition("@")[0]) <= 64
    assert thread_token.verify(address, keys=[KEY]) == ID
    assert thread_token.without_plus_part(address) == "support@example.com"


def test_an_address_whose_local_part_would_be_too_long_gets_no_plus_part() -> None:
    assert thread_token.plus_address_for("a-rather-long-local-part@example.com", ID, key=KEY) is None
    assert thread_token.plus_address_for("no-at-sign", ID, key=KEY) is None


ROOM = {
    "just-fits": ("a" * 16 + "@example.com", True),
    "one-octet-more": ("a" * 17 + "@example.com", False),
    "octets-not-characters": ("ä" * 9 + "@example.com", False),
    "longest-domain": ("a" * 16 + "@" + "d" * 189, True),
    "longer-domain": ("a" * 16 + "@" + "d" * 190, False),
    "quoted": ('"a b"@example.com', False),
}


@pytest.mark.parametrize(("address", "fits"), ROOM.values(), ids=ROOM.keys())
def test_what_is_said_to_have_room_for_a_token_has_it(address: str, fits: bool) -> None:
    assert thread_token.has_room_for_plus(address) is fits
    tagged = thread_token.plus_address_for(address, outbound_id("cause", "rule"), key=KEY)
    if fits:
        assert tagged is not None
        assert len(tagged.rpartition("@")[0].encode()) <= 64
        assert len(tagged.encode()) <= 254
    else:
        assert tagged is None or address.startswith('"')


def test_an_address_that_has_a_plus_part_of_its_own_keeps_it() -> None:
    tagged = thread_token.plus_address_for("support+eu@example.com", ID, key=KEY)
    assert tagged is not None
    assert thread_token.verify(tagged, keys=[KEY]) == ID
    assert thread_token.without_plus_part(tagged) == "support+eu@example.com"


def test_another_plus_part_is_left_alone() -> None:
    assert thread_token.without_plus_part("ann+news@example.com") == "ann+news@example.com"


def test_a_body_marker_is_found_in_quoted_text_and_verifies() -> None:
    marker = thread_token.marker_for(ID, key=KEY)
    found = list(thread_token.markers_in(f"Hello\n> we wrote\n> {marker}\n"))
    assert [thread_token.verify(one, keys=[KEY]) for one in found] == [ID]


def test_at_most_sixteen_markers_are_looked_at() -> None:
    assert len(list(thread_token.markers_in(thread_token.marker_for(ID, key=KEY) * 100))) == 16


def test_a_forged_token_is_told_from_an_ordinary_id() -> None:
    assert thread_token.looks_ours(f"<pr1.{ID}.{'a' * 16}@d.example>")
    assert not thread_token.looks_ours("<abc@d.example>")


@pytest.mark.parametrize("bad_id", ["", "Upper", "with.dot", "a@b", "é", "-start", "x" * 41, "a b"])
def test_an_id_that_mail_would_break_is_refused(bad_id: str) -> None:
    with pytest.raises(ValueError, match="cannot be signed"):
        thread_token.sign(bad_id, key=KEY)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        thread_token.sign(ID, key=b"short")
