"""An example installation on one machine: a mailbox of each type, and what it takes to answer their mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from postroom.model.configuration import Configuration, RecordedChange, Type
from postroom.ports import ConfigurationVersions, SecretStore
from postroom.services.configuration import changes

from postroom_cli.local.mailboxes import Afterwards, LocalMailbox
from postroom_cli.mailservers import SmtpSink

SUPPORT, ORDERS, CLAIMS, BILLING = "support", "orders", "claims", "billing"

MAILBOXES = (
    LocalMailbox(SUPPORT, Type.IMAP, Afterwards.MOVE),
    LocalMailbox(ORDERS, Type.POP3, Afterwards.DELETE),
    LocalMailbox(CLAIMS, Type.GRAPH, Afterwards.MOVE),
    LocalMailbox(BILLING, Type.EWS, Afterwards.MARK_READ),
)
"""One of each type, with what is to become of its mail on the server."""

SMTP_USERS = {"postroom": "local-smtp"}
"""Who may log in where mail is sent to; it listens on the loopback only."""

_ACKNOWLEDGEMENT = (
    "Thank you for your mail. We have received it and will answer within one working day.\n\n"
    "Your reference: {{interaction.id}}\n"
)


def configuration(
    mailboxes: Sequence[Mapping[str, Any]],
    smtp: SmtpSink,
    *,
    cycle_time: str,
    sent_by_ses: Iterable[str] = (),
    trusted_authserv_ids: Iterable[str] = (),
) -> Configuration:
    """Return the configuration of these mailboxes, as they stand in a file; what SES does not send is sent by SMTP."""
    names = [str(mailbox["name"]) for mailbox in mailboxes]
    by_ses = set(sent_by_ses)
    (user,) = SMTP_USERS

    def alias(name: str) -> dict[str, Any]:
        server = "ses" if name in by_ses else "smtp-client"
        return {"name": name, "address": f"Example {name.title()} <{name}@example.com>", "outbound_server": server}

    return Configuration.model_validate(
        {
            "settings": {
                "default_domain": "example.com",
                "default_department": "service",
                "trusted_authserv_ids": list(trusted_authserv_ids),
            },
            "departments": [{"name": "service", "default_queue": SUPPORT}],
            "queues": [{"name": name} for name in (*names, "inbound", "exceptions")],
            "endpoints": [{"name": name, "queue": name, "acknowledgement": "received"} for name in names],
            "templates": [{"name": "received", "subject": "We have received your mail", "text": _ACKNOWLEDGEMENT}],
            "mailboxes": [{"cycle_time": cycle_time, "endpoint": one["name"], **one} for one in mailboxes],
            "aliases": [alias(name) for name in names],
            "outbound_servers": [
                {
                    "name": "smtp-client",
                    "type": "smtp",
                    "host": smtp.host,
                    "port": smtp.port,
                    "security": "start-tls-required",
                    "ca_certificate": smtp.ca_pem,
                    "user": user,
                    "password": {"secret": "smtp-client"},
                },
                {"name": "ses", "type": "ses"},
            ],
        }
    )


def set_up(
    wanted: Configuration,
    secrets: Mapping[str, str],
    *,
    configurations: ConfigurationVersions,
    writer: SecretStore,
    author: str,
    now: datetime,
) -> None:
    """Enter the secrets and apply the configuration, as `postroom secret set` and `config apply` do."""
    for name, value in {**secrets, "smtp-client": next(iter(SMTP_USERS.values()))}.items():
        writer.put(name, value, now=now)
    version, before = configurations.in_force()
    changes.check(before, wanted)
    made = [RecordedChange(change, author, now, "set up") for change in changes.changes_between(before, wanted)]
    configurations.put(wanted, expected_version=version, author=author, note="set up", now=now, changes=made)
