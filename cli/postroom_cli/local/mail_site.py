"""Mail servers beside the local runner: a mailbox of each type that is configured, polled, and can be written to."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from postroom.bootstrap import Stores
from postroom.environment import SETTINGS
from postroom.model.configuration import Mailbox

from postroom_cli.local import example
from postroom_cli.local.exchanger import MailExchanger
from postroom_cli.local.mailboxes import MailServers
from postroom_cli.local.stack import Aws

CYCLE_TIME = "00:00:10"


class MailSite:
    """Serves while it is entered; mail to others than the mailboxes is kept in files of the directory `outgoing`."""

    def __init__(self, outgoing: Path) -> None:
        self.outgoing = outgoing
        self.servers = MailServers(example.MAILBOXES)
        self.exchanger = MailExchanger(self.servers, outgoing=outgoing, users=example.SMTP_USERS)
        self.mailboxes: tuple[Mailbox, ...] = ()
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.enter_context(self.servers)
            opening.enter_context(self.exchanger)
            self._closing = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.__exit__(kind, error, trace)

    @property
    def smtp_url(self) -> str:
        """Return where mail for the mailboxes is handed in."""
        return f"smtp://{self.exchanger.host}:{self.exchanger.port}"

    def set_up(self, aws: Aws, environment: Mapping[str, str]) -> None:
        """Enter the secrets and put the example installation in force."""
        wanted = example.configuration(
            [self.servers.settings(name) for name in self.servers.mailboxes], self.exchanger, cycle_time=CYCLE_TIME
        )
        stores = Stores(lambda name: environment[SETTINGS[name].variable], aws)
        example.set_up(
            wanted,
            self.servers.secrets(),
            configurations=stores.configurations,
            writer=stores.secrets,
            author="local",
            now=datetime.now(UTC),
        )
        self.mailboxes = wanted.mailboxes
