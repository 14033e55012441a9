"""OAuth applications and e-mail accounts (C06–C10)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from postroom.mail.headers import address_key
from postroom.model.configuration import Cloud, Configuration, Provider
from postroom.services.configuration.checks.finding import Finding

_TENANT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")  # a GUID or a domain: it becomes part of a URL


def problems(configuration: Configuration) -> Iterator[Finding]:
    """List what is wrong with applications, accounts and the mailboxes that use them."""
    yield from _tokens(configuration)
    for index, application in enumerate(configuration.oauth_applications):
        if not application.client_id.strip():
            yield Finding(("oauth_applications", index, "client_id"), "is empty.", "Give the application (client) id.")
        if application.tenant_id and not _TENANT.fullmatch(application.tenant_id):
            yield Finding(
                ("oauth_applications", index, "tenant_id"),
                f"`{application.tenant_id[:60]}` is no directory.",
                "Give the directory (tenant) id, or the tenant's domain, without any address around it.",
            )
        if application.provider is Provider.MICROSOFT and not application.tenant_id:
            yield Finding(
                ("oauth_applications", index, "tenant_id"),
                "is missing: Microsoft's tokens need it.",
                "Give the directory (tenant) id of the registered application.",
            )
        if application.provider is Provider.GOOGLE:
            if application.endpoint is not Cloud.WORLDWIDE:
                yield Finding(
                    ("oauth_applications", index, "endpoint"), "does not exist at Google.", "Write worldwide."
                )
            if application.tenant_id:
                yield Finding(("oauth_applications", index, "tenant_id"), "is for Microsoft only.", "Remove it.")
            if application.client_secret is None:
                yield Finding(
                    ("oauth_applications", index, "client_secret"),
                    "is missing: Google asks for it.",
                    "Write `client_secret: {secret: NAME}`.",
                )
    for index, mailbox in enumerate(configuration.mailboxes):
        account = configuration.account(mailbox.account)
        if account is None:
            continue
        if mailbox.type is not account.server_type.mailbox_type:
            yield Finding(
                ("mailboxes", index, "type"),
                f"is {mailbox.type}, but the account `{account.name}` is of server type {account.server_type}.",
                f"Write `type: {account.server_type.mailbox_type}`, or use another account.",
            )
        if not mailbox.shared_mailbox and address_key(mailbox.bare_address) != address_key(account.address):
            yield Finding(
                ("mailboxes", index, "account"),
                f"`{account.name}` belongs to {account.address}, not to {mailbox.bare_address}.",
                "Write `shared_mailbox: true` when it is a shared mailbox, or use the account of this address.",
            )
        if mailbox.enabled and not account.active:
            yield Finding(
                ("mailboxes", index, "account"),
                f"`{account.name}` is inactive, and the mailbox is enabled.",
                "Activate the account, or disable the mailbox.",
            )


def _tokens(configuration: Configuration) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for index, account in enumerate(configuration.accounts):
        owner = first.setdefault(str(account.token_reference), account.name)
        if owner != account.name:
            yield Finding(
                ("accounts", index, "refresh_token"),
                f"is where the token of the account `{owner}` lies: the consent of one would replace the other's.",
                "Name another secret, or leave it out.",
            )


def warnings(configuration: Configuration) -> Iterator[Finding]:
    """List applications that no account uses, and ways out whose account is inactive."""
    for index, server in enumerate(configuration.outbound_servers):
        through = configuration.account(server.account)
        if through is not None and not through.active:
            yield Finding(
                ("outbound_servers", index, "account"),
                f"`{through.name}` is inactive: mail of this server waits.",
                "Activate the account, or use another one.",
            )
    used = {account.application for account in configuration.accounts}
    for index, application in enumerate(configuration.oauth_applications):
        if application.name not in used:
            yield Finding(("oauth_applications", index), "is used by no account.", "Add an account, or remove it.")
