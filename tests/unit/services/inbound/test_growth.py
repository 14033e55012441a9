"""No mail takes more than its size asks for: 336 constructions at an eighth and all of 3 MB, with all that is done."""

from __future__ import annotations

from functools import partial

import pytest

from tests.support.constructions import CONSTRUCTIONS, MEGABYTES_3, everything, policy
from tests.support.growth import exponent

BY = policy()


def test_there_are_at_least_two_hundred_constructions() -> None:
    assert len(CONSTRUCTIONS) >= 200


@pytest.mark.slow
@pytest.mark.parametrize("name", CONSTRUCTIONS)
def test_the_time_that_a_mail_takes_grows_no_faster_than_the_mail(name: str) -> None:
    call = partial(everything, by=BY)
    assert exponent(call, CONSTRUCTIONS[name], sizes=(MEGABYTES_3 // 8, MEGABYTES_3)) <= 1.5
