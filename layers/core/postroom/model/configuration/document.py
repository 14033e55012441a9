"""The whole configuration as one document: what `postroom config apply` reads and `config export` writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, TypeVar

from pydantic import AwareDatetime, Field

from postroom.model.configuration.calendars import Calendar, ServiceLevel
from postroom.model.configuration.fields import (
    BareAddress,
    ConfigObject,
    Line,
    MailboxAddress,
    Name,
    SecretReference,
    bare_address,
)
from postroom.model.configuration.mailbox import Grant, Mailbox, Security
from postroom.model.configuration.oauth import SERVERS, EmailAccount, OAuthApplication, Provider
from postroom.model.configuration.period import Period
from postroom.model.configuration.policies import (
    AttachmentPolicy,
    BlockedExtension,
    DeliveryExceptionPhrase,
    DeliveryExceptionSettings,
    MaskingPattern,
    Template,
)
from postroom.model.configuration.sending import Language, SendingOptions
from postroom.model.configuration.workflows import Workflow


class Department(ConfigObject):
    """A part of the organisation; objects belong to it, users see their own."""

    name: Name
    description: Line = ""
    default_queue: str | None = Field(
        default=None, description="When a mailbox has no endpoint and no default applies."
    )
    exception_queue: str | None = Field(
        default=None, description="Where delivery exceptions go; empty: the installation's."
    )
    attachments: AttachmentPolicy | None = Field(
        default=None, description="Its policy for attachments; empty: the settings'."
    )


class Queue(ConfigObject):
    """Where interactions wait for agents."""

    name: Name
    department: str | None = None
    description: Line = ""
    active: bool = True
    service_level: str | None = Field(default=None, description="Targets for its cases (L01); empty: none.")
    sending: SendingOptions = Field(default=SendingOptions(), description="How its mail is written (S09).")


class Endpoint(ConfigObject):
    """What a mailbox names; it leads to a queue, and says whether mail is acknowledged (G11)."""

    name: Name
    queue: str
    acknowledgement: str | None = Field(default=None, description="Template of the acknowledgement; empty: none.")


class Alias(ConfigObject):
    """An address that mail is sent from (C01)."""

    name: Name
    address: MailboxAddress
    department: str | None = None
    description: Line = ""
    active: bool = Field(default=True, description="Inactive: not retrieved, still sent from (C05).")
    default: bool = Field(default=False, description="The department's own; one active per department.")
    automatic_bcc: BareAddress | None = Field(
        default=None, description="One address that gets a blind copy of every mail."
    )
    send_mail_to: BareAddress | None = Field(
        default=None, description="Overrides every recipient and the blind copy; shown as a banner while set."
    )
    send_mail_to_until: AwareDatetime | None = Field(
        default=None, description="When `send_mail_to` ends, as 2026-12-24T18:00:00Z; empty: when it is cleared."
    )
    redirection_addresses: tuple[BareAddress, ...] = Field(
        default=(), description="Addresses redirected here; a reply's From is the one the mail came through."
    )
    outbound_server: str | None = Field(default=None, description="The way out; empty: the installation's.")
    sending: SendingOptions = Field(default=SendingOptions(), description="How its mail is written (S09).")

    @property
    def bare_address(self) -> str:
        """Return the address without display name."""
        return bare_address(self.address)


class ServerType(StrEnum):
    """How mail leaves."""

    SES = "ses"
    SMTP = "smtp"
    GRAPH = "graph"
    EWS = "ews"


class Authentication(StrEnum):
    """How we log in to an SMTP server."""

    BASIC = "basic"
    ANONYMOUS = "anonymous"
    OAUTH_SERVICE = "oauth-service"


class SmtpSecurity(StrEnum):
    """How the connection to an SMTP server is protected."""

    NONE = "none"
    START_TLS = "start-tls"
    START_TLS_REQUIRED = "start-tls-required"
    SSL_TLS = "ssl-tls"


SMTP_PORTS: dict[SmtpSecurity, int] = {
    SmtpSecurity.NONE: 25,
    SmtpSecurity.START_TLS: 25,  # TLS where it is offered is how relays speak (RFC 3207)
    SmtpSecurity.START_TLS_REQUIRED: 587,  # RFC 6409
    SmtpSecurity.SSL_TLS: 465,  # RFC 8314 §3.3
}
"""Which port is dialled where none is given."""


class OutboundServer(ConfigObject):
    """A way out: Amazon SES, or an SMTP server. `smtp-client` is the default one (D03)."""

    name: Name
    type: ServerType = ServerType.SES
    description: Line = ""
    from_address: MailboxAddress | None = Field(
        default=None, description="From, where neither alias nor mailbox says one."
    )
    host: Line | None = Field(default=None, description="Host name of the SMTP server, or the EWS URL.")
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description=f"Empty: {', '.join(f'{port} with {security}' for security, port in SMTP_PORTS.items())}.",
    )
    security: SmtpSecurity = SmtpSecurity.START_TLS_REQUIRED
    ca_certificate: str | None = None
    authentication: Authentication = Authentication.BASIC
    user: Line | None = None
    password: SecretReference | None = None
    account: str | None = Field(default=None, description="E-mail account whose tokens are used with oauth-service.")
    unauthenticated_fallback: bool = Field(
        default=False, description="Send without login when authorisation fails, as ESMTP in the reference did; warns."
    )
    timeout: Period = timedelta(seconds=60)
    maximum_size: int = Field(default=40, ge=1, le=100, description="Megabytes of the whole mail (S08).")
    maximum_recipients: int = Field(default=50, ge=1, le=1000, description="To, Cc and Bcc together (S08).")
    maximum_attachment_size: int = Field(default=10, ge=1, le=100, description="Megabytes of one attachment (S08).")
    attachment_encoding: Line = Field(
        default="base64", description="Transfer encoding by file type: `wav=base64;txt=7bit;*=8bit` (S01)."
    )
    body_charset: Line = Field(default="utf-8", description="Character set of the body (S02).")
    body_encoding: Line = Field(default="8bit", description="Transfer encoding of the body; falls back safely (S02).")

    @property
    def effective_port(self) -> int:
        """Return the configured port, or the usual one for its security."""
        return self.port or SMTP_PORTS[self.security]


class AutoReplySettings(ConfigObject):
    """The guards of automatic replies (docs/threat-model.md 7)."""

    maximum_age: Period = Field(default=timedelta(hours=48), description="Mail older than this gets none.")
    per_sender_a_day: int = Field(default=1, ge=0, le=100, description="For each sender and mailbox.")
    per_domain_a_day: int = Field(
        default=100,
        ge=0,
        le=100_000,
        description="For each sender's domain and mailbox; domains of providers of mailboxes for everybody have none.",
    )
    per_thread: int = Field(default=3, ge=0, le=100)
    per_hour: int = Field(default=1000, ge=0, description="For the whole installation.")


class ThreadingSettings(ConfigObject):
    """What joins a mail to a thread beyond proof (X05); all of it is off by default."""

    unverified_participants: bool = Field(
        default=False,
        description="A participant joins although no trusted server verified the sender; never after a failed DMARC.",
    )
    subject_reference: Annotated[str, Field(max_length=1000)] | None = Field(
        default=None,
        description="RE2 pattern whose first group is an interaction's id; a subject with it joins that thread.",
    )
    body_marker: bool = Field(
        default=False,
        description="Our mail ends with a line that carries its signed token, for clients that drop References.",
    )


class ReplacementTexts(ConfigObject):
    """What people read where a mail has no text of its own (S03, S04)."""

    over_size: str = "*** ERROR: Mail was too big, body and attachments dropped ***"
    no_body: str = "***WARNING: Could not get IMAP body text."


class CaseSettings(ConfigObject):
    """How cases live."""

    reopen_within: Period = Field(
        default=timedelta(days=30),
        description="A customer's mail reopens a case that was closed no longer ago; a later one begins a new case.",
    )


class Settings(ConfigObject):
    """What holds for the whole installation."""

    default_domain: Line = Field(
        default="example.invalid", description="Domain of addresses and Message-IDs we make up."
    )
    default_department: str = Field(default="default", description="Department of objects that name none.")
    default_endpoint: str | None = Field(
        default=None, description="Used where a mailbox names none, or an unknown one."
    )
    default_inbound_queue: str = Field(
        default="inbound", description="Where mail goes that no endpoint leads anywhere."
    )
    exception_queue: str = Field(default="exceptions", description="Where delivery exceptions go.")
    default_outbound_server: str = Field(default="smtp-client", description="The way out of an alias that names none.")
    trusted_authserv_ids: tuple[Line, ...] = Field(default=(), description="Whose Authentication-Results are believed.")
    own_lists: tuple[Line, ...] = Field(
        default=(),
        description="Addresses or List-Ids of lists and groups that are our own front door; those whose address is a "
        "mailbox's, an alias's or a redirection address are known.",
    )
    answer_forwards_to: Literal["sender", "original"] = Field(
        default="sender", description="Whom the answer to a forwarded mail goes to: who passed it on, or who wrote it."
    )
    texts: ReplacementTexts = ReplacementTexts()
    attachments: AttachmentPolicy = AttachmentPolicy()
    attachment_inline_limit: int = Field(
        default=8000, ge=0, le=100_000, description="Bytes; smaller attachments lie in the interaction's record (S05)."
    )
    delivery_exceptions: DeliveryExceptionSettings = DeliveryExceptionSettings()
    auto_reply: AutoReplySettings = AutoReplySettings()
    threads: ThreadingSettings = ThreadingSettings()
    languages: tuple[Language, ...] = Field(
        default=("en",),
        min_length=1,
        max_length=30,
        description="Languages that we write; the first where a mail is in none of them.",
    )
    sending: SendingOptions = Field(
        default=SendingOptions(), description="How mail is written, where alias, mailbox and queue say nothing (S09)."
    )
    cases: CaseSettings = CaseSettings()


class Configuration(ConfigObject):
    """Everything an administrator configures."""

    settings: Settings = Settings()
    departments: tuple[Department, ...] = ()
    queues: tuple[Queue, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    mailboxes: tuple[Mailbox, ...] = ()
    aliases: tuple[Alias, ...] = ()
    outbound_servers: tuple[OutboundServer, ...] = ()
    templates: tuple[Template, ...] = ()
    delivery_exceptions: tuple[DeliveryExceptionPhrase, ...] = ()
    blocked_extensions: tuple[BlockedExtension, ...] = ()
    masking_patterns: tuple[MaskingPattern, ...] = ()
    oauth_applications: tuple[OAuthApplication, ...] = ()
    accounts: tuple[EmailAccount, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    service_levels: tuple[ServiceLevel, ...] = ()
    workflows: tuple[Workflow, ...] = ()

    def mailbox(self, name: str) -> Mailbox | None:
        """Find a mailbox by name, with what its e-mail account adds."""
        found = _named(self.mailboxes, name)
        return self.effective(found) if found else None

    def mailbox_of(self, identity: str) -> Mailbox | None:
        """Find the mailbox that something stored belongs to, whatever its name is now (`Mailbox.identity`)."""
        found = next((mailbox for mailbox in self.mailboxes if mailbox.identity == identity), None)
        return self.effective(found) if found else None

    def department(self, name: str | None) -> Department | None:
        """Find a department; the installation's default one for None."""
        return _named(self.departments, name or self.settings.default_department)

    def endpoint(self, name: str | None) -> Endpoint | None:
        """Find an endpoint by name; None for an unknown one (G11 says what happens then)."""
        return _named(self.endpoints, name)

    def template(self, name: str | None) -> Template | None:
        """Find a template by name."""
        return _named(self.templates, name)

    def outbound_server(self, name: str | None) -> OutboundServer | None:
        """Find a way out; the installation's default one for None."""
        return _named(self.outbound_servers, name or self.settings.default_outbound_server)

    def account(self, name: str | None) -> EmailAccount | None:
        """Find an e-mail account by name."""
        return _named(self.accounts, name)

    def calendar(self, name: str | None) -> Calendar | None:
        """Find a calendar of business hours by name."""
        return _named(self.calendars, name)

    def service_level(self, name: str | None) -> ServiceLevel | None:
        """Find a service level by name."""
        return _named(self.service_levels, name)

    def application(self, name: str | None) -> OAuthApplication | None:
        """Find an OAuth application by name."""
        return _named(self.oauth_applications, name)

    def effective(self, mailbox: Mailbox) -> Mailbox:
        """Return the mailbox as it is polled: server, user, application and token of its account filled in (C07)."""
        account = self.account(mailbox.account)
        application = self.application(account.application) if account else None
        if account is None or application is None:
            return mailbox
        servers = SERVERS[(application.provider, application.endpoint)]
        google = application.provider is Provider.GOOGLE
        return mailbox.model_copy(
            update={
                "server": servers.get(mailbox.type, mailbox.server),
                "security": Security.SSL_TLS,
                "port": None,
                "login": mailbox.login or (mailbox.bare_address if mailbox.shared_mailbox else account.address),
                "service_account": account.address if mailbox.shared_mailbox else None,
                "client_id": application.client_id,
                "directory_id": application.tenant_id,
                "tenant_authority": application.authority,
                "scope": application.mail_scope if google else mailbox.scope or application.mail_scope,
                "client_secret": application.client_secret,
                "grant": Grant.REFRESH_TOKEN,
                "password": account.token_reference,
            }
        )


_Object = TypeVar("_Object", bound=ConfigObject)


def _named(objects: Sequence[_Object], name: str | None) -> _Object | None:
    return next((found for found in objects if getattr(found, "name", None) == name), None) if name else None
