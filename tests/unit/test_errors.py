"""Errors that quote another side never tell a secret that it repeats."""

from __future__ import annotations

import base64

import pytest
from postroom.errors import LoginRefused

TOKEN = "eyJ0eXAiOiJKV1Qi" + "LCJub25jZSI6" * 20
SHOWN = base64.b64encode(f"user=ann@example.com\x01auth=Bearer {TOKEN}\x01\x01".encode()).decode()


@pytest.mark.feature("G10")
@pytest.mark.parametrize(
    ("secret", "said", "told"),
    [
        pytest.param("hunter2", "hunter2 is wrong", "(not shown) is wrong", id="as it is"),
        pytest.param("hunter2", "AHBvc3Ryb29tAGh1bnRlcjI=?", "(not shown)?", id="SASL PLAIN"),
        pytest.param("hunter2", "aHVudGVyMg is wrong", "(not shown) is wrong", id="base64 without its end"),
        pytest.param(TOKEN, f"no {TOKEN[:90]}", "no (not shown)", id="a token, cut off"),
        pytest.param(TOKEN, f"unknown command {SHOWN}", "unknown command (not shown)", id="XOAUTH2"),
        pytest.param(TOKEN, f"unknown command {SHOWN[:121]}", "unknown command (not shown)", id="XOAUTH2, cut off"),
        pytest.param("hunter2", "Authentication unsuccessful 53500000", None, id="none of it"),
        pytest.param("", "Authentication unsuccessful", None, id="no secret"),
    ],
)
def test_a_secret_that_the_other_side_repeats_is_taken_out(secret: str, said: str, told: str | None) -> None:
    error = LoginRefused(said)
    error.__cause__ = cause = ValueError(said)
    error.hide(secret)
    assert error.what == (said if told is None else told)
    assert str(error).startswith(error.what)
    assert error.args == (error.what,)
    assert error.__cause__ is (cause if told is None else None)
