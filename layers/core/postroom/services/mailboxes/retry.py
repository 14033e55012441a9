"""Try mailboxes again after an administrator has acted: enabled or changed them, entered a secret (C05, fault 14).

A refused login is never repeated by itself. What follows here is the only thing that makes it happen.
"""

from __future__ import annotations

from collections.abc import Iterable

from postroom.model.configuration import Configuration, Mailbox
from postroom.ports import MailboxStates
from postroom.services.mailboxes import health


def after_change(old: Configuration, new: Configuration, *, states: MailboxStates) -> tuple[str, ...]:
    """Forgive enabled mailboxes that were switched on, or are polled in another way now; returns those that were ill.

    What an account or an OAuth application adds to a mailbox counts as its own settings.
    """
    before = {mailbox.identity: mailbox for mailbox in _enabled(old)}
    return _forgive((mailbox for mailbox in _enabled(new) if mailbox != before.get(mailbox.identity)), states)


def after_secret(configuration: Configuration, secret: str, *, states: MailboxStates) -> tuple[str, ...]:
    """Forgive enabled mailboxes that use a secret which was entered anew; returns those that were ill."""
    users = (
        mailbox
        for mailbox in _enabled(configuration)
        if any(reference and reference.secret == secret for reference in (mailbox.password, mailbox.client_secret))
    )
    return _forgive(users, states)


def on_request(configuration: Configuration, name: str, *, states: MailboxStates) -> tuple[str, ...]:
    """Forgive one mailbox, if it is enabled: the fault was mended on its server; returns its name if it was ill."""
    return _forgive((mailbox for mailbox in _enabled(configuration) if mailbox.name == name), states)


def _enabled(configuration: Configuration) -> Iterable[Mailbox]:
    return (configuration.effective(mailbox) for mailbox in configuration.mailboxes if mailbox.enabled)


def _forgive(mailboxes: Iterable[Mailbox], states: MailboxStates) -> tuple[str, ...]:
    wanted = {mailbox.identity: mailbox for mailbox in mailboxes}
    if not wanted:
        return ()
    # Those that are well need no write: a changed secret of a thousand mailboxes costs the reads only.
    found = states.load(list(wanted), consistent=True)
    ill = [one for one in wanted if not health.is_well(found[one].health)]
    for one in ill:
        health.forgive(wanted[one], states=states, known=found[one].health)
    return tuple(wanted[one].name for one in ill)
