"""What a token is asked for with: endpoint, scope and grant, and what makes two mailboxes share one token. Pure.

RFC 6749 (grants), RFC 7523 (assertions), and the two providers' own spellings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from postroom.errors import LoginRefused
from postroom.model.configuration import Grant, Mailbox, SecretReference, Type, clouds, is_microsoft_graph

GOOGLE_ENDPOINT = clouds.GOOGLE_TOKENS
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # RFC 7523 §2.1
TOKEN_PATH = "/oauth2/v2.0/token"  # noqa: S105 - a path, below an authority of Microsoft's


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token as it is to be asked for; equal ones are the same token. `account`: whose it is, where that matters."""

    endpoint: str
    client_id: str
    scope: str
    grant: Grant
    account: str
    google: bool
    credential: SecretReference | None  # password or refresh token
    application: SecretReference | None  # the application's secret, certificate or key
    ca_pem: str = ""  # beside the public authorities, where the endpoint is no provider's

    @property
    def host(self) -> str:
        """Return where it is asked for."""
        return urlsplit(self.endpoint).netloc


@dataclass(frozen=True, slots=True)
class Held:
    """The secrets themselves, revealed for one request."""

    credential: str = field(default="", repr=False)
    application: str = field(default="", repr=False)

    @property
    def digest(self) -> str:
        """Tell whether they have changed, without keeping them."""
        return hashlib.sha256(f"{self.credential}\0{self.application}".encode()).hexdigest()

    @property
    def is_certificate(self) -> bool:
        """Tell whether the application proves itself by a private key (PEM)."""
        return "-----BEGIN" in self.application

    @property
    def google_key(self) -> Mapping[str, str]:
        """Return the key of a Google service account (its JSON file); empty when it is no such thing."""
        if not self.application.lstrip().startswith("{"):
            return {}
        try:
            found = json.loads(self.application)
        except ValueError:
            return {}
        return found if isinstance(found, dict) and {"private_key", "client_email"} <= found.keys() else {}


def cloud_of(mailbox: Mailbox) -> clouds.MicrosoftHosts:
    """Find the cloud that the mailbox's authority belongs to; another authority counts as the worldwide cloud's."""
    return clouds.microsoft_cloud(_authority(mailbox)) or clouds.WORLDWIDE


def graph_of(mailbox: Mailbox) -> str:
    """Find the address of a mailbox's Microsoft Graph: its own `server`, or its cloud's."""
    return mailbox.server or f"https://{cloud_of(mailbox).graph}"


def wanted(mailbox: Mailbox) -> Wanted:
    """Say which token opens a mailbox; raises LoginRefused when its options do not say that."""
    google = clouds.is_google_authority(mailbox.tenant_authority)
    grant = _grant(mailbox, google)
    application = mailbox.client_secret
    credential = mailbox.password
    if grant is Grant.CLIENT_CREDENTIALS and not google:
        application, credential = mailbox.client_secret or mailbox.password, None
    if not mailbox.client_id:
        raise incomplete(mailbox, "`client_id`", "Give the application (client) id.")
    return Wanted(
        endpoint=GOOGLE_ENDPOINT if google else _endpoint(mailbox),
        client_id=mailbox.client_id,
        scope=mailbox.scope or (clouds.GOOGLE_SCOPE if google else _scope(mailbox)),
        grant=grant,
        account=_account(mailbox, grant, google),
        google=google,
        credential=credential,
        application=application,
        ca_pem="" if google or _is_known(mailbox) else mailbox.ca_certificate or "",
    )


def google_form(wanted: Wanted, held: Held, *, assertion: str = "") -> dict[str, str]:
    """Write the form that Google is posted; `assertion` is the signed proof of a service account."""
    if assertion:
        return {"grant_type": JWT_BEARER, "assertion": assertion}
    fields = {
        "client_id": wanted.client_id,
        "grant_type": Grant.REFRESH_TOKEN.value,
        "refresh_token": held.credential,
    }
    return {**fields, "client_secret": held.application} if held.application else fields


def incomplete(mailbox: Mailbox, what: str, remedy: str) -> LoginRefused:
    """Say that an option is missing."""
    return LoginRefused(
        f"No token can be asked for without {what}",
        on=mailbox.name,
        step="login",
        code="oauth_incomplete",
        remedy=remedy,
    )


def _grant(mailbox: Mailbox, google: bool) -> Grant:
    if google:  # Google knows neither of the other grants; a service account's key is told by its content
        return Grant.REFRESH_TOKEN
    if mailbox.grant:
        return mailbox.grant
    # Reference, grant-type: password when empty. Without a password there is but one grant left.
    return Grant.PASSWORD if mailbox.password is not None else Grant.CLIENT_CREDENTIALS


def _account(mailbox: Mailbox, grant: Grant, google: bool) -> str:
    if google or grant is Grant.PASSWORD:
        return mailbox.service_account or mailbox.user
    return ""  # the application's own token, or that of whoever's refresh token it is: the same for many mailboxes


def _endpoint(mailbox: Mailbox) -> str:
    authority = _authority(mailbox).rstrip("/")
    if urlsplit(authority).scheme != "https":
        raise incomplete(mailbox, "an https authority", f"Write `tenant_authority: {clouds.WORLDWIDE.authority}`.")
    authority = authority.partition("/oauth2/")[0]
    if not urlsplit(authority).path:  # it may name the tenant itself
        if not mailbox.directory_id:
            raise incomplete(mailbox, "`directory_id`", "Give the directory (tenant) id.")
        authority = f"{authority}/{mailbox.directory_id}"
    return authority + TOKEN_PATH


def _scope(mailbox: Mailbox) -> str:
    cloud = cloud_of(mailbox)
    if mailbox.type is not Type.GRAPH:
        return cloud.mail_scope
    # A gateway before a known cloud takes that cloud's tokens; another cloud its own.
    if mailbox.server and (is_microsoft_graph(mailbox.server) or not _is_known(mailbox)):
        own = urlsplit(mailbox.server)
        return f"{own.scheme}://{own.netloc}/.default"
    return f"https://{cloud.graph}/.default"


def _is_known(mailbox: Mailbox) -> bool:
    """Tell whether the authority is one of Microsoft's in the table."""
    return clouds.microsoft_cloud(_authority(mailbox)) is not None


def _authority(mailbox: Mailbox) -> str:
    return mailbox.tenant_authority or clouds.WORLDWIDE.authority
