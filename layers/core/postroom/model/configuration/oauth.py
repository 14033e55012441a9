"""OAuth applications and the e-mail accounts that use them (C06–C10)."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from postroom.model.configuration import clouds
from postroom.model.configuration.fields import BareAddress, ConfigObject, Line, Name, SecretReference
from postroom.model.configuration.mailbox import Type


class Provider(StrEnum):
    """Who issues the tokens."""

    MICROSOFT = "microsoft"
    GOOGLE = "google"


class Cloud(StrEnum):
    """Which of Microsoft's clouds."""

    WORLDWIDE = "worldwide"
    US_GOVERNMENT = "us-government"
    CHINA = "china"


_HOSTS = {
    Cloud.WORLDWIDE: clouds.WORLDWIDE,
    Cloud.US_GOVERNMENT: clouds.US_GOVERNMENT,
    Cloud.CHINA: clouds.CHINA,
}
_GOOGLE = (Provider.GOOGLE, Cloud.WORLDWIDE)

AUTHORITIES: dict[tuple[Provider, Cloud], str] = {
    **{(Provider.MICROSOFT, cloud): hosts.authority for cloud, hosts in _HOSTS.items()},
    _GOOGLE: clouds.GOOGLE_AUTHORITY,
}

SERVERS: dict[tuple[Provider, Cloud], dict[Type, str]] = {
    **{(Provider.MICROSOFT, cloud): {Type.IMAP: hosts.mail, Type.POP3: hosts.mail} for cloud, hosts in _HOSTS.items()},
    _GOOGLE: {Type.IMAP: clouds.GOOGLE_IMAP, Type.POP3: clouds.GOOGLE_POP3},
}
"""The address of a provider's mail server, fixed by the provider (C07)."""

SCOPES: dict[tuple[Provider, Cloud], str] = {
    **{(Provider.MICROSOFT, cloud): hosts.mail_scope for cloud, hosts in _HOSTS.items()},
    _GOOGLE: clouds.GOOGLE_SCOPE,
}
"""What opens mail by IMAP, POP3 and SMTP; Microsoft's `.default` is every permission that the registration names."""


class OAuthApplication(ConfigObject):
    """An application registered with a provider; many accounts may use one (C06)."""

    name: Name
    description: Line = ""
    provider: Provider = Provider.MICROSOFT
    endpoint: Cloud = Field(default=Cloud.WORLDWIDE, description="Which of the provider's clouds.")
    client_id: Line = Field(description="The application (client) id the provider gave.")
    tenant_id: Line | None = Field(default=None, description="The directory (tenant) id; Microsoft only.")
    client_secret: SecretReference | None = Field(default=None, description="Empty for a public client.")

    @property
    def authority(self) -> str:
        """Return the URL of the provider's authority."""
        return AUTHORITIES.get((self.provider, self.endpoint), AUTHORITIES[(self.provider, Cloud.WORLDWIDE)])

    @property
    def mail_scope(self) -> str:
        """Return the scope of its tokens, for consent and for every refresh after it."""
        return SCOPES.get((self.provider, self.endpoint), SCOPES[(self.provider, Cloud.WORLDWIDE)])


class AccountServerType(StrEnum):
    """How mail of the account comes in and goes out (C07)."""

    IMAP_AND_SMTP = "imap-and-smtp"
    POP3_AND_SMTP = "pop3-and-smtp"

    @property
    def mailbox_type(self) -> Type:
        """Return the type of the mailboxes that use the account."""
        return Type.IMAP if self is AccountServerType.IMAP_AND_SMTP else Type.POP3


class EmailAccount(ConfigObject):
    """A mail account opened by a person's consent; its mailboxes share its tokens (C07, C08)."""

    name: Name
    description: Line = ""
    department: str | None = None
    active: bool = True
    application: str = Field(description="The OAuth application it uses.")
    server_type: AccountServerType = AccountServerType.IMAP_AND_SMTP
    address: BareAddress = Field(description="The address that consented: the user of its tokens.")
    refresh_token: SecretReference | None = Field(
        default=None, description="Where consent put the refresh token; empty: `account.<name>`."
    )

    @property
    def token_reference(self) -> SecretReference:
        """Return where the refresh token lies."""
        return self.refresh_token or SecretReference(secret=f"account.{self.name}")
