"""Put in force what an administrator has changed or entered, and try again at once what waited for it."""

from __future__ import annotations

import contextlib
from datetime import datetime

from postroom.errors import Transient
from postroom.model.configuration import Configuration
from postroom.ports import ConfigurationHistory as ConfigurationHistory
from postroom.ports import Configurations, MailboxStates, Outbox, Queue
from postroom.ports import InteractionLists as InteractionLists
from postroom.services.administration.queues_with_mail import keep_queues_with_mail, note_queues
from postroom.services.configuration import apply, load
from postroom.services.mailboxes import retry
from postroom.services.outbound import retry_held


def put_in_force(
    configuration: Configuration,
    *,
    expected_version: int,
    store: ConfigurationHistory,
    interactions: InteractionLists,
    states: MailboxStates,
    outbox: Outbox,
    queue: Queue,
    author: str,
    note: str,
    now: datetime,
) -> int:
    """Apply a configuration made from `expected_version`, and return its own version.

    Mailboxes and waiting mail that it concerns are tried again at once. Raises Invalid for a configuration that is
    wrong, or removes what is in use or a queue in which mail waits, Conflict when somebody was faster.
    """
    old = load(store, expected_version)
    keep_queues_with_mail(old, configuration, interactions=interactions)
    note_queues(old, configuration, store=store)
    applied = apply(store, configuration, old=old, expected_version=expected_version, author=author, note=note, now=now)
    retry.after_change(old, configuration, states=states)
    with contextlib.suppress(Transient):  # it is in force; what waits is tried again in its own time
        retry_held.after_change(old, configuration, outbox=outbox, queue=queue, now=now, who=author)
    return applied


def try_again_with(
    secret: str,
    *,
    configurations: Configurations,
    states: MailboxStates,
    outbox: Outbox,
    queue: Queue,
    author: str,
    now: datetime,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Let try again what a secret was missing to that was entered now: the names of mailboxes, the ids of mails.

    Raises Transient that says what is done and what is not; giving the secret again does the rest.
    """
    try:
        configuration = configurations.current()
        mailboxes = retry.after_secret(configuration, secret, states=states)
        mails = retry_held.after_secret(configuration, secret, outbox=outbox, queue=queue, now=now, who=author)
    except Transient as error:
        raise Transient(
            f"The secret {secret} is stored, and used from now on; but not all that waits for it could be tried again "
            f"at once: {error.what}",
            on=error.on,
            code=error.code,
            remedy="Give the same command once more: the same secret again harms nothing. Until then mails are tried "
            "again in their own time; a mailbox whose login was refused is not.",
        ) from error
    return mailboxes, mails
