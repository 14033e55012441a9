"""A mailbox to fetch from: every retrieval option of the reference system, in one table.

The table is the model itself: each field carries the reference's spelling (`reference`), its default, its valid
values and a sentence. Validation, `config schema`, the CLI's help, the importer and `docs/mailbox-options.md` all read
it from here. Every change takes effect at the next cycle; nothing is restarted.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator

from postroom.mail.headers import Address
from postroom.model.configuration.fields import (
    ConfigObject,
    Line,
    MailboxAddress,
    Name,
    SecretReference,
    bare_address,
    option,
    split_mailbox,
)
from postroom.model.configuration.period import Period

__all__ = [
    "DEFAULT_PORTS",
    "FirstConnection",
    "Grant",
    "Mailbox",
    "Name",
    "OwnLogin",
    "SecretReference",
    "Security",
    "Type",
]


class Type(StrEnum):
    """The protocol a mailbox is fetched with (reference option `type`)."""

    IMAP = "IMAP"  # RFC 3501 / RFC 9051
    POP3 = "POP3"  # RFC 1939
    EWS = "EWS"  # Exchange Web Services, on-premises Exchange
    GRAPH = "GRAPH"  # Microsoft Graph, Exchange Online


class Security(StrEnum):
    """How the connection is protected (reference option `pop-connection-security`)."""

    NONE = "none"  # plain text; credentials travel only with AllowPlaintextCredentials
    START_TLS = "start-tls"  # upgrade when offered
    START_TLS_REQUIRED = "start-tls-required"  # abort without TLS
    SSL_TLS = "ssl-tls"  # TLS from the first byte: the default


class FirstConnection(StrEnum):
    """What to take when a mailbox is looked at for the first time (X13)."""

    ALL = "all"  # everything that lies there; old mail gets no automatic reply
    FROM_NOW = "from-now"  # only what arrives after the first look
    SINCE = "since"  # what the server received on or after `first_connection_since`


class Grant(StrEnum):
    """OAuth 2.0 grants (reference option `grant-type`)."""

    PASSWORD = "password"  # noqa: S105 - the name of a grant
    CLIENT_CREDENTIALS = "client_credentials"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant


DEFAULT_PORTS: dict[tuple[Type, bool], int] = {
    (Type.IMAP, True): 993,
    (Type.IMAP, False): 143,
    (Type.POP3, True): 995,
    (Type.POP3, False): 110,
    (Type.EWS, True): 443,
    (Type.GRAPH, True): 443,
}


class OwnLogin(ConfigObject):
    """How a mailbox was opened by itself before it was converted to an e-mail account (C08): what it returns to."""

    type: Type = Type.IMAP
    server: Line | None = None
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Security = Security.SSL_TLS
    ca_certificate: str | None = None
    login: Line | None = None
    password: SecretReference | None = None


class Mailbox(ConfigObject):
    """One mailbox and everything an administrator can say about it."""

    name: Name = option(..., "Alphanumeric, at most 40 characters; `postroom mailbox rename` changes it.")
    renamed_from: Name | None = option(
        None, "The name it had first, after it was renamed: what is stored of it is kept under that."
    )
    department: str | None = option(None, "The department it belongs to; the first one when empty.")
    description: Line = option("", "For people.")
    address: MailboxAddress = option(
        ..., "The mailbox's own address, unique in the installation; From of automatic replies.", reference="address"
    )
    type: Type = option(Type.IMAP, "The protocol.", reference="type")
    enabled: bool = option(False, "Polled only while true; from the next cycle on.", reference="enable-client")

    server: Line | None = option(
        None,
        "Host name; for EWS the URL; for Graph empty: the cloud of `tenant_authority`, or https://host.",
        reference="server",
    )
    port: int | None = option(None, "Empty: the protocol's own port.", reference="port", ge=1, le=65535)
    security: Security = option(
        Security.SSL_TLS, "How the connection is protected.", reference="pop-connection-security"
    )
    ca_certificate: str | None = option(
        None, "PEM of the only CA to trust for this server, and one more for a token service of your own."
    )
    login: Line | None = option(None, "User name; the address when empty.", reference="mailbox")
    password: SecretReference | None = option(
        None, "Password, refresh token or application secret, by grant.", reference="password"
    )
    connect_timeout: Period = option(
        timedelta(minutes=5), "Connect, token and Graph HTTP connections.", reference="connect-timeout"
    )
    protocol_timeout: Period = option(
        timedelta(minutes=5), "No reply in this time ends the cycle cleanly.", reference="protocol-timeout"
    )
    enable_debug: bool = option(False, "Protocol trace, without any secret in it.", reference="enable-debug")

    folder_path: Line = option("INBOX", "Folder to fetch from, nested by the separator.", reference="folder-path")
    folder_separator: str = option(
        "/", "Separator in folder names here.", reference="folder-separator", min_length=1, max_length=1
    )
    cycle_time: Period = option(timedelta(seconds=30), "Wait between two polls.", reference="cycle-time")
    maximum_msg_number: int = option(
        100, "Messages a cycle; the rest follows at once.", reference="maximum-msg-number", ge=1, le=10_000
    )
    maximum_msg_size: int = option(25, "Megabytes; larger is over-size.", reference="maximum-msg-size", ge=1, le=100)
    enable_big_msg_stripping: bool = option(
        True, "Over-size: an interaction from the headers only.", reference="enable-big-msg-stripping"
    )
    delete_big_msg: bool = option(False, "Over-size: delete on the server.", reference="delete-big-msg")
    allow_bad_msg_size: bool = option(
        False, "Fetch messages whose size the server cannot say.", reference="allow-bad-msg-size"
    )
    delete_bad_formatted_msg: bool = option(
        False, "Delete messages that cannot be retrieved.", reference="delete-bad-formatted-msg"
    )

    leave_msg_on_server: bool = option(
        False, "True: left and marked read; false: deleted after safe storage.", reference="leave-msg-on-server"
    )
    processed_items_folder_name: Line = option(
        "", "Moved there after safe storage; empty: not moved.", reference="processed-items-folder-name"
    )
    failed_items_folder_name: Line = option(
        "failedItems", "Where items that cannot be fetched go.", reference="failed-items-folder-name"
    )
    move_failed_ews_item: bool = option(
        True, "Move failed items to that folder (IMAP, EWS, Graph).", reference="move-failed-ews-item"
    )
    first_connection: FirstConnection = option(FirstConnection.ALL, "What to take at the first look.")
    first_connection_since: date | None = option(None, "For first_connection: since.")

    plus_addressing: bool = option(
        False, "Reply-To of what we send is name+token@domain; only where the provider delivers such addresses here."
    )
    endpoint: str | None = option(None, "Endpoint whose queue the mail goes to.", reference="endpoint")
    copy_message_to_recipients: bool = option(
        False, "One interaction for each To and Cc recipient.", reference="copy-message-to-recipients"
    )
    copy_message_with_header: Line = option(
        "X-Genesys-To", "Header that names the recipient of a copy.", reference="copy-message-with-header"
    )
    inbound_msg_copy_limit: int = option(
        10, "Copies of one message at most.", reference="inbound-msg-copy-limit", ge=1, le=50
    )

    client_id: Line | None = option(None, "OAuth application (client) id.", reference="client-id")
    directory_id: Line | None = option(None, "OAuth tenant id.", reference="directory-id")
    tenant_authority: Line | None = option(None, "OAuth authority URL.", reference="tenant-authority")
    scope: Line | None = option(None, "OAuth scopes, separated by spaces.", reference="scope")
    client_secret: SecretReference | None = option(None, "OAuth application secret.", reference="secret")
    grant: Grant | Literal[""] = option("", "OAuth grant; empty: password.", reference="grant-type")
    service_account: Line | None = option(
        None, "Account whose token opens this shared mailbox.", reference="service-account"
    )
    account: str | None = option(None, "E-mail account (OAuth consent) whose tokens open this mailbox.")
    shared_mailbox: bool = option(False, "The account opens this mailbox as a shared one.")
    before_account: OwnLogin | None = option(
        None, "Server and login from before it was converted to the account; `mailbox revert` returns to them."
    )
    exchange_version: str = option("", "EWS server version; empty: 2019 and newer.", reference="exchange-version")
    properties: dict[str, str] = option({}, "Protocol properties from the allow-list.", reference="mail.<property>")

    @field_validator("cycle_time")
    @classmethod
    def _never_zero(cls, value: timedelta) -> timedelta:
        if value < timedelta(seconds=1):
            raise ValueError("is zero; write at least 00:00:01")
        return value

    @field_validator("copy_message_with_header")
    @classmethod
    def _header_name(cls, value: str) -> str:
        if not re.fullmatch(r"[!-9;-~]{1,76}", value):
            raise ValueError(f"{value!r} is no header name; use letters, digits and hyphens (RFC 5322 §2.2)")
        return value

    @property
    def identity(self) -> str:
        """Return what all that is stored of it is kept under: its first name, which no rename changes."""
        return self.renamed_from or self.name

    @property
    def sender(self) -> Address:
        """Return the address split into display name (decoded) and bare address."""
        return split_mailbox(self.address)

    @property
    def bare_address(self) -> str:
        """Return the address without display name, as written."""
        return bare_address(self.address)

    @property
    def user(self) -> str:
        """Return the name to log in with."""
        return self.login or self.bare_address

    @property
    def stays(self) -> bool:
        """Tell whether stored mail stays in its folder; false when it is deleted there or moved."""
        return self.leave_msg_on_server and (self.type is Type.POP3 or not self.processed_items_folder_name)

    @property
    def effective_port(self) -> int:
        """Return the configured port, or the protocol's own."""
        return self.port or DEFAULT_PORTS.get((self.type, self.security is Security.SSL_TLS), 443)
