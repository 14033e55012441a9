"""Try again at once what waited for a secret that an administrator has entered."""

from __future__ import annotations

from datetime import datetime

from postroom.errors import Transient
from postroom.ports import Configurations, MailboxStates, Outbox, Queue
from postroom.services.mailboxes import retry
from postroom.services.outbound import retry_held


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
