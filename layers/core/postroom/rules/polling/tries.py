"""When a mail that could not be had is tried again, and when it is given up: by number of tries and by time. Pure.

Three tries within a minute say nothing about a mail: its server may have been ill for that minute.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from postroom.model import FAILED_BUT_ONE, LeftAlone, Problem, Trying, is_left_alone

GIVE_UP_AFTER = timedelta(hours=1)  # since the first try that failed; nothing is given up before
FIRST_PAUSE = timedelta(seconds=20)  # so that the next cycle tries again
LONGEST_PAUSE = timedelta(minutes=15)


def is_due(trying: Trying | None, *, now: datetime) -> bool:
    """Tell whether it is time for the next try: after as long as it has been tried in vain, within bounds."""
    if trying is None:
        return True
    pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, trying.last - trying.since))
    return not trying.last <= now < trying.last + pause  # a moment in the future was written by a clock that went wrong


def failed(problem: Problem, trying: Trying | None, *, now: datetime) -> tuple[Problem, Trying]:
    """Count one more try that failed: the third one gives up, unless the first is less than an hour ago."""
    since = min(trying.since, now) if trying is not None else now
    counted = problem + 1
    if is_left_alone(counted):
        counted = FAILED_BUT_ONE if now - since < GIVE_UP_AFTER else LeftAlone.GIVEN_UP
    return counted, Trying(since, now)
