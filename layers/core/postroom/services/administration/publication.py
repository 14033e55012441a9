"""Put changes in force: one alone, or all that wait together, as one version (ADR 0034).

Whoever finds nobody publishing takes the turn, and publishes his change with all that wait: the whole is validated
once for all of them. Everybody else lets his change wait, and is told by the version's own write what became of it.
"""

from __future__ import annotations

import contextlib
import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.errors import Conflict, Moved, PostroomError, TooLarge, Transient
from postroom.model.configuration import (
    Change,
    ChangeKind,
    Configuration,
    ObjectChange,
    RecordedChange,
    WaitingChange,
)
from postroom.ports import Clock, ConfigurationHistory, MailboxStates, Outbox, Queue, WaitingChanges
from postroom.ports import InteractionLists as InteractionLists
from postroom.services.administration.outcomes import REFUSALS, refusal, version_of
from postroom.services.administration.queues_with_mail import keep_queues_with_mail, note_queues
from postroom.services.configuration import changes_between, check, edited, fields_between, find_object
from postroom.services.mailboxes import retry
from postroom.services.outbound import retry_held

TURN = timedelta(seconds=20)
"""How long a turn lasts when its holder is gone. Publishing takes a second or two."""
WAIT = timedelta(seconds=25)
"""How long a change waits for its outcome; a request of the API ends after 30 seconds."""
MOST_TOGETHER = 90  # changes in one version: a transaction has 100 writes at most
TRIES = 5  # of one publisher, when others put versions in force without the turn
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 0.4


@dataclass(frozen=True, slots=True)
class Installation:
    """What changing the configuration touches."""

    configurations: ConfigurationHistory
    waiting: WaitingChanges
    interactions: InteractionLists
    states: MailboxStates
    outbox: Outbox
    queue: Queue  # of outbound mail
    clock: Clock
    pause: Callable[[float], None]


def publish(change: Change, installation: Installation) -> int:
    """Put a change in force, and return the version it is in: its own, or one with other people's changes.

    Raises Moved when an object that it was made from is another one by now, Invalid for what the whole would not be
    valid with, Transient when it could not be told in time: nothing was changed then.
    """
    now = installation.clock()
    me = f"{now:%Y-%m-%dT%H:%M:%S.%f}-{uuid.uuid4().hex[:12]}"
    until = now + WAIT
    waits = False
    pause = FIRST_PAUSE_SECONDS
    while (now := installation.clock()) < until:
        if waits and (outcome := installation.waiting.outcome(me)) is not None:
            return version_of(outcome)
        if installation.waiting.take_turn(me, now=now, until=now + TURN):
            try:
                version = _publish_all(None if waits else change, installation)
            finally:
                with contextlib.suppress(Transient):  # it ends by itself
                    installation.waiting.end_turn(me)
            if not waits:
                return version
            continue
        if not waits:
            with contextlib.suppress(TooLarge):  # such a one waits for the turn itself
                installation.waiting.add(me, change, now=now)
                waits = True
        installation.pause(random.uniform(pause / 2, pause))
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    if waits and not installation.waiting.forget(me) and (outcome := installation.waiting.outcome(me)) is not None:
        return version_of(outcome)
    raise Transient(
        "Other changes of the configuration are being put in force; this one was not",
        code="busy",
        remedy="Nothing was changed. Try again in a minute.",
    )


def _publish_all(own: Change | None, installation: Installation) -> int:
    """Publish what waits, after one's own change; returns its version. What one's own was refused for is raised."""
    for _ in range(TRIES):
        waiting = [*installation.waiting.waiting()][:MOST_TOGETHER]
        entries = [*([WaitingChange("", own)] if own is not None else []), *waiting]
        version, current = installation.configurations.in_force()
        accepted, new, refused = _together(current, entries, installation)
        for change_id, error in refused.items():
            if change_id:
                installation.waiting.refuse(change_id, refusal(error))
        if not accepted:
            break
        now = installation.clock()
        note_queues(current, new, store=installation.configurations)
        try:
            applied = installation.configurations.put(
                new,
                expected_version=version,
                author=_joined([one.change.who for one in accepted]),
                note=_joined([one.change.why for one in accepted]),
                now=now,
                changes=_recorded(current, accepted, now),
                settled=[one.id for one in accepted if one.id],
            )
        except Moved:
            raise
        except Conflict:
            continue  # a version without the turn, or a change that was taken back: from there, again
        _tell(current, new, installation, who=accepted[0].change.who, version=applied)
        if own is None or "" not in refused:
            return applied
        break
    else:
        raise Transient("The configuration is changed by others all the time", code="busy", remedy="Try again.")
    if own is not None and "" in refused:
        raise refused[""]
    return version


def _together(
    current: Configuration, entries: Sequence[WaitingChange], installation: Installation
) -> tuple[list[WaitingChange], Configuration, dict[str, PostroomError]]:
    """Apply changes one after the other, and validate the whole once; one by one only where that finds something."""
    accepted, new, refused = _applied(current, entries, None)
    try:
        _check(current, new, installation)
    except REFUSALS as error:
        if len(accepted) == 1:
            return [], current, refused | {accepted[0].id: error}
        checked, new, refused_too = _applied(current, accepted, installation)
        return checked, new, refused | refused_too
    return accepted, new, refused


def _applied(
    current: Configuration, entries: Sequence[WaitingChange], installation: Installation | None
) -> tuple[list[WaitingChange], Configuration, dict[str, PostroomError]]:
    accepted: list[WaitingChange] = []
    refused: dict[str, PostroomError] = {}
    new = current
    for one in entries:
        try:
            candidate = edited(new, one.change)
            if installation is not None:
                _check(new, candidate, installation)
        except REFUSALS as error:
            refused[one.id] = error
        else:
            accepted.append(one)
            new = candidate
    return accepted, new, refused


def _check(old: Configuration, new: Configuration, installation: Installation) -> None:
    if old is not new:
        check(old, new)
        keep_queues_with_mail(old, new, interactions=installation.interactions)


def _recorded(current: Configuration, accepted: Sequence[WaitingChange], now: datetime) -> list[RecordedChange]:
    found = []
    for one in accepted:
        found += [RecordedChange(change, one.change.who, now, one.change.why) for change in _changes(current, one)]
        current = edited(current, one.change)
    return found


def _changes(current: Configuration, one: WaitingChange) -> Sequence[ObjectChange]:
    kinds = {(edit.section, edit.expected is None, edit.after is None) for edit in one.change.edits}
    if {("mailboxes", True, False), ("mailboxes", False, True)} <= kinds:
        # One that goes and one that comes may be one that was renamed.
        return changes_between(current, edited(current, one.change))
    found = []
    for edit in one.change.edits:
        before = find_object(current, edit.section, edit.name)
        kind = ChangeKind.CHANGED if before is not None and edit.after is not None else ChangeKind.ADDED
        if edit.after is None:
            kind = ChangeKind.REMOVED
        found.append(ObjectChange(kind, edit.section, edit.name, fields_between(before, edit.after)))
    return found


def _joined(texts: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(filter(None, texts)))[:1000]


def _tell(old: Configuration, new: Configuration, installation: Installation, *, who: str, version: int) -> None:
    """Try again at once what waited for the change: mailboxes that are ill, mails whose way out is another one."""
    try:
        retry.after_change(old, new, states=installation.states)
    except Transient as error:
        raise Transient(
            f"It is in force, as version {version}; but not all mailboxes that waited for it could be tried again at "
            f"once: {error.what}",
            on=error.on,
            code=error.code,
            remedy="`postroom mailbox enable NAME` tries one again.",
        ) from error
    with contextlib.suppress(Transient):  # what waits is tried again in its own time
        retry_held.after_change(
            old, new, outbox=installation.outbox, queue=installation.queue, now=installation.clock(), who=who
        )
