"""A secret that the other side repeats is taken out of an error, however it was cut or packed (C26)."""

from __future__ import annotations

import base64

import pytest
from postroom.errors import NOT_SHOWN, LoginRefused

SECRET = "correct-horse-battery-staple"


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# The family: whatever part of a secret a server's text may still hold after it was cut, quoted or packed.
REPEATED = {
    "whole": f"LOGIN {SECRET} refused",
    "quoted": f'LOGIN "{SECRET}" refused',
    "cut-behind": f"no login with {SECRET[:20]}",
    "cut-behind-early": f"no login with {SECRET[:5]}",
    "cut-before-an-ellipsis": f"no login with {SECRET[:9]}…",
    "cut-before-three-dots-and-a-quote": f'no login with "{SECRET[:6]}..."',
    "cut-in-front": f"…{SECRET[9:]} is no password",
    "cut-in-the-middle": f"…{SECRET[6:20]}… is no password",
    "twice": f"{SECRET[:12]} and {SECRET[12:]}",
    "in-base64": f"bad {packed(SECRET)}",
    "in-base64-with-the-user": f"bad {packed(chr(0) + 'ann' + chr(0) + SECRET)}",
    "in-base64-cut-in-front": f"bad …{packed(chr(0) + 'ann' + chr(0) + SECRET)[7:]}",
    "in-base64-cut-behind": f"bad {packed(chr(0) + 'ann' + chr(0) + SECRET)[:27]}…",
    "in-base64-for-urls": f"bad {base64.urlsafe_b64encode(SECRET.encode()).decode()}",
}


@pytest.mark.parametrize("text", REPEATED.values(), ids=REPEATED)
def test_no_piece_of_a_secret_stays_in_an_error(text: str) -> None:
    error = LoginRefused(text, on="box")
    error.__cause__ = ValueError(text)
    error.hide(SECRET)
    told = f"{error}{error!r}{error.args}{error.__cause__}"
    assert NOT_SHOWN in told
    for piece in ("correct", "horse", "battery", "staple", SECRET[:5]):
        assert piece not in told
    for word in told.replace("…", " ").split():
        for start in range(4):
            letters = word.strip("()',\"")[start:]
            try:
                plain = base64.urlsafe_b64decode(letters[: len(letters) // 4 * 4])
            except ValueError:
                continue
            assert b"horse-ba" not in plain


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("The mailbox is locked", SECRET),
        ("to be correct it takes a horse", SECRET),
        (f"id {packed('another text altogether')}", SECRET),
        ("anything at all", ""),
    ],
)
def test_what_holds_no_secret_is_told_as_it_is(text: str, secret: str) -> None:
    error = LoginRefused(text)
    error.hide(secret)
    assert error.what == text


def test_a_short_password_is_taken_out_as_well() -> None:
    error = LoginRefused("password abc1 is wrong, abc")
    error.hide("abc1")
    assert error.what == f"password {NOT_SHOWN} is wrong, {NOT_SHOWN}"
