"""Where objects of the configuration and mail belong: the one place that says it."""

from __future__ import annotations

from postroom.model.access import INSTALLATION, Scope
from postroom.model.configuration import Configuration, Mailbox


def scope_of_queue(
    configuration: Configuration, queue: str, *, department: str = "", owner: str | None = None
) -> Scope:
    """Return where what lies in a queue belongs: to the queue's department, which may be the default one.

    `department`: of what lies there, for a queue that is not configured any more, which else belongs to the
    installation: to a department's people it is not there. `owner`: who works on it.
    """
    found = next((one for one in configuration.queues if one.name == queue), None)
    default = configuration.settings.default_department
    where = (found.department or default) if found is not None else department or INSTALLATION
    return Scope(where, queue=queue, owner=owner)


def scope_of_mailbox(configuration: Configuration, mailbox: Mailbox) -> Scope:
    """Return where a mailbox belongs: to the department that it names, or the default one."""
    return Scope(mailbox.department or configuration.settings.default_department)
