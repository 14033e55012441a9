"""The whole configuration as one document: what `postroom config apply` reads and `config export` writes."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from postroom.model.mailbox import Mailbox, Name, SecretReference
from postroom.model.period import Period


class _Object(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Department(_Object):
    """A part of the organisation; objects belong to it, users see their own."""

    name: Name
    description: str = ""
    default_queue: str | None = Field(None, description="When a mailbox has no endpoint and no default applies.")
    exception_queue: str | None = Field(None, description="Where delivery exceptions go; empty: the installation's.")


class Queue(_Object):
    """Where interactions wait for agents."""

    name: Name
    department: str | None = None
    description: str = ""
    active: bool = True


class Endpoint(_Object):
    """What a mailbox names; it leads to a queue, and says whether mail is acknowledged (G11)."""

    name: Name
    queue: str
    acknowledgement: str | None = Field(None, description="Template of the acknowledgement; empty: none.")


class Alias(_Object):
    """An address that mail is sent from (C01)."""

    name: Name
    address: str
    department: str | None = None
    description: str = ""
    active: bool = True
    default: bool = Field(False, description="The department's own; one active per department.")
    automatic_bcc: str | None = None
    send_mail_to: str | None = Field(None, description="Overrides every recipient; shown as a banner while set.")
    redirection_addresses: tuple[str, ...] = ()
    outbound_server: str | None = None


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


class OutboundServer(_Object):
    """A way out: Amazon SES, or an SMTP server. `smtp-client` is the default one (D03)."""

    name: Name
    type: ServerType = ServerType.SES
    from_address: str | None = None
    host: str | None = None
    port: int | None = Field(None, ge=1, le=65535)
    security: SmtpSecurity = SmtpSecurity.START_TLS_REQUIRED
    ca_certificate: str | None = None
    authentication: Authentication = Authentication.BASIC
    user: str | None = None
    password: SecretReference | None = None
    timeout: Period = timedelta(seconds=60)
    maximum_size: int = Field(40, ge=1, le=100, description="Megabytes of the whole mail (S08).")
    maximum_recipients: int = Field(50, ge=1, le=1000, description="To, Cc and Bcc together (S08).")


class Template(_Object):
    """Text with `{{field}}` placeholders; nothing in it is executed."""

    name: Name
    subject: str
    text: str
    html: str | None = None


class AutoReplySettings(_Object):
    """The guards of automatic replies (security.md 7)."""

    maximum_age: Period = Field(timedelta(hours=48), description="Mail older than this gets none.")
    per_sender_a_day: int = Field(1, ge=0, le=100, description="For each sender and mailbox.")
    per_thread: int = Field(3, ge=0, le=100)
    per_hour: int = Field(1000, ge=0, description="For the whole installation.")


class Settings(_Object):
    """What holds for the whole installation."""

    default_domain: str = "example.invalid"
    default_department: str = "default"
    default_endpoint: str | None = None
    default_inbound_queue: str = "inbound"
    exception_queue: str = "exceptions"
    default_outbound_server: str = "smtp-client"
    trusted_authserv_ids: tuple[str, ...] = Field((), description="Whose Authentication-Results are believed.")
    auto_reply: AutoReplySettings = AutoReplySettings()


class Configuration(_Object):
    """Everything an administrator configures."""

    settings: Settings = Settings()
    departments: tuple[Department, ...] = ()
    queues: tuple[Queue, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    mailboxes: tuple[Mailbox, ...] = ()
    aliases: tuple[Alias, ...] = ()
    outbound_servers: tuple[OutboundServer, ...] = ()
    templates: tuple[Template, ...] = ()

    def mailbox(self, name: str) -> Mailbox | None:
        """Find a mailbox by name."""
        return next((mailbox for mailbox in self.mailboxes if mailbox.name == name), None)
