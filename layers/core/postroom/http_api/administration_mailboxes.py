"""Routes about mailboxes."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from postroom.http_api.foundation import Cursor, Name, Needs, Routes
from postroom.model.access import Block, Level
from postroom.services.api import (
    MOST_MAILBOXES,
    Administration,
    ChangeDone,
    MailboxCosts,
    MailboxPage,
    MailboxProblems,
    MailboxShown,
)

_LIST = Needs(Block.MAILBOX_HEALTH, Level.VIEW)
_SHOW = Needs(Block.MAILBOXES, Level.VIEW)
_CHANGE = Needs(Block.MAILBOXES, Level.MODIFY)


def add_routes(api: Routes[Administration]) -> None:
    """Declare them."""

    @api.get("/mailboxes", "mailboxes", _LIST)
    def mailboxes(
        limit: Annotated[int, Query(ge=1, le=MOST_MAILBOXES, description="At most so many.")] = MOST_MAILBOXES,
        cursor: Cursor = "",
    ) -> MailboxPage:
        """List mailboxes with their health, by pages of at most 100 KB."""
        after = api.asked.resume(cursor) or ""
        page = api.behind().mailboxes.page(principal=api.asked.principal, after=after, most=limit)
        return page.model_copy(update={"next": api.asked.cursor(page.next)})

    @api.get("/mailboxes/<name>", "mailboxes", _SHOW)
    def mailbox(name: Name) -> MailboxShown:
        """Show one mailbox: settings, health, what to see to."""
        return api.behind().mailboxes.show(name, principal=api.asked.principal)

    @api.get("/mailboxes/<name>/problems", "mailboxes", _SHOW)
    def problems(name: Name) -> MailboxProblems:
        """List the mails that were given up or set aside, and why."""
        return api.behind().mailboxes.unfetched(name, principal=api.asked.principal)

    @api.get("/mailboxes/<name>/costs", "mailboxes", _SHOW)
    def costs(name: Name) -> MailboxCosts:
        """Estimate what the mailbox costs a month, by what was counted."""
        return api.behind().mailboxes.cost(name, principal=api.asked.principal)

    @api.post("/mailboxes/<name>/enable", "mailboxes", _CHANGE)
    def enable(name: Name) -> ChangeDone:
        """Poll the mailbox from the next cycle on."""
        return _switched(api, name, on=True)

    @api.post("/mailboxes/<name>/disable", "mailboxes", _CHANGE)
    def disable(name: Name) -> ChangeDone:
        """Stop polling the mailbox from the next cycle on; nothing is lost meanwhile."""
        return _switched(api, name, on=False)

    @api.post("/mailboxes/<name>/poll", "mailboxes", _CHANGE, status=204)
    def poll(name: Name) -> None:
        """Look at the mailbox now instead of at its next cycle."""
        behind = api.behind()
        behind.configuration.poll(
            name, principal=api.asked.principal, queue=behind.poll_queue, ews_queue=behind.ews_poll_queue
        )


def _switched(api: Routes[Administration], name: str, *, on: bool) -> ChangeDone:
    done = api.behind().configuration.switch(name, on=on, principal=api.asked.principal)
    if done.object is not None:
        api.asked.tag(done.object.version)
    return done
