"""The hosts of Microsoft's clouds and of Google: who gives out tokens, who has the mail, who is given a token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class MicrosoftHosts:
    """The hosts of one of Microsoft's clouds (learn.microsoft.com/entra, "National clouds").

    `exchange` names the mail protocols in scopes; it is not always the host that is dialled, `mail`.
    """

    authorities: tuple[str, ...]  # who gives out tokens, the present name first
    mail: str
    exchange: str
    graph: str

    @property
    def authority(self) -> str:
        """Return the URL of who gives out tokens."""
        return f"https://{self.authorities[0]}"

    @property
    def mail_scope(self) -> str:
        """Return the scope of IMAP, POP3, SMTP and EWS: every permission that the registration names."""
        return f"https://{self.exchange}/.default"


WORLDWIDE = MicrosoftHosts(
    ("login.microsoftonline.com",), "outlook.office365.com", "outlook.office.com", "graph.microsoft.com"
)
US_GOVERNMENT = MicrosoftHosts(
    ("login.microsoftonline.us",), "outlook.office365.us", "outlook.office365.us", "graph.microsoft.us"
)
CHINA = MicrosoftHosts(
    ("login.partner.microsoftonline.cn", "login.chinacloudapi.cn"),
    "partner.outlook.cn",
    "partner.outlook.cn",
    "microsoftgraph.chinacloudapi.cn",
)
MICROSOFT = (WORLDWIDE, US_GOVERNMENT, CHINA)
MICROSOFT_365_MX = ("mail.protection.outlook.com", "mx.microsoft", "mail.protection.partner.outlook.cn")

GOOGLE_AUTHORITY = "https://accounts.google.com"
GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"
GOOGLE_SCOPE = "https://mail.google.com/"
GOOGLE_IMAP = "imap.gmail.com"
GOOGLE_POP3 = "pop.gmail.com"

# Names below these, or these themselves, are mail servers of Exchange Online and Outlook.com, which take no passwords.
_EXCHANGE_ONLINE = ("office365.com", "office365.us", "outlook.office.com", "outlook.com", "hotmail.com", CHINA.mail)
_GOOGLE_MAIL = ("gmail.com", "googlemail.com", "google.com")

# learn.microsoft.com/graph/deployments, seen 2026; dod-graph has the authority of the other cloud of the US government.
_GRAPH = re.compile(r"(?:[a-z]+-)?graph\.microsoft\.(?:com|us|de)|microsoftgraph\.chinacloudapi\.cn", re.IGNORECASE)


def microsoft_cloud(authority: str) -> MicrosoftHosts | None:
    """Find the cloud of the URL of an authority; None when it is none of Microsoft's own."""
    host = (urlsplit(authority).hostname or "").lower()
    return next((cloud for cloud in MICROSOFT if host in cloud.authorities), None)


def is_microsoft_graph(server: str) -> bool:
    """Tell whether an https address is Microsoft Graph itself, and no gateway before it."""
    return bool(_GRAPH.fullmatch(urlsplit(server).hostname or ""))


def is_google_authority(authority: str | None) -> bool:
    """Tell whether an authority is Google's: its text contains "google", in any case (reference, tenant-authority)."""
    return "google" in (authority or "").casefold()


def is_exchange_online(server: str | None) -> bool:
    """Tell whether a host name, or the host of an https address, is a mail server of Exchange Online or Outlook.com."""
    return _is_below(server, _EXCHANGE_ONLINE)


def is_google_mail(server: str | None) -> bool:
    """Tell whether a host name is a mail server of Google."""
    return _is_below(server, _GOOGLE_MAIL)


def _is_below(server: str | None, domains: tuple[str, ...]) -> bool:
    host = (server or "").lower().removeprefix("https://").partition("/")[0].partition(":")[0].rstrip(".")
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
