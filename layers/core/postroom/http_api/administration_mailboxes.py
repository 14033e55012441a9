"""Routes about mailboxes."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from postroom.http_api.foundation import Cursor, Name, Needs, Routes
from postroom.model.access import Block, Level
from postroom.services.api import MOST_MAILBOXES, Administration, MailboxPage, MailboxShown

_LIST = Needs(Block.MAILBOX_HEALTH, Level.VIEW)
_SHOW = Needs(Block.MAILBOXES, Level.VIEW)


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
