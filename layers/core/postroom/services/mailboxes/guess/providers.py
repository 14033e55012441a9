"""Providers of mailboxes: by which domains and MX hosts they are known, and where their mail is fetched.

From general knowledge of 2026, to be tried by `mailbox test`. An entry is for what every customer is told; who has
servers of their own there finds them by DNS.
"""

from __future__ import annotations

from dataclasses import dataclass

from postroom.model.configuration import Security, Type, clouds

TLS = Security.SSL_TLS


@dataclass(frozen=True, slots=True)
class Service:
    """One way to fetch mail."""

    type: Type
    server: str | None
    port: int | None = None
    security: Security = TLS


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider; `mx`: the ends of its MX hosts' names. `oauth`: passwords are not taken, or not for long."""

    name: str
    domains: tuple[str, ...]
    mx: tuple[str, ...]
    services: tuple[Service, ...]
    oauth: bool = False
    note: str = ""


def _both(imap: str, pop3: str) -> tuple[Service, ...]:
    return (Service(Type.IMAP, imap, 993), Service(Type.POP3, pop3, 995))


def _imap(imap: str) -> tuple[Service, ...]:
    return (Service(Type.IMAP, imap, 993),)


PROVIDERS: tuple[Provider, ...] = (
    Provider(
        "Microsoft 365",
        (),
        clouds.MICROSOFT_365_MX,
        (Service(Type.GRAPH, None), *_both(clouds.WORLDWIDE.mail, clouds.WORLDWIDE.mail)),
        oauth=True,
        note="Register an application in Microsoft Entra ID; no passwords.",
    ),
    Provider(
        "Outlook.com",
        ("outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.de", "hotmail.de", "hotmail.co.uk"),
        ("olc.protection.outlook.com",),
        _both(clouds.WORLDWIDE.mail, clouds.WORLDWIDE.mail),
        oauth=True,
        note="Consent of the account's owner; no passwords.",
    ),
    Provider(
        "Google",
        ("gmail.com", "googlemail.com"),
        ("google.com", "googlemail.com"),
        _both(clouds.GOOGLE_IMAP, clouds.GOOGLE_POP3),
        oauth=True,
        note="OAuth, or an app password where an administrator allows that.",
    ),
    Provider(
        "AOL",
        ("aol.com", "aim.com"),
        (),
        _both("imap.aol.com", "pop.aol.com"),
        note="Make an app password in the account's settings.",
    ),
    Provider(
        "Yahoo",
        ("yahoo.com", "ymail.com", "rocketmail.com", "yahoo.de", "yahoo.co.uk", "yahoo.fr"),
        ("yahoodns.net",),
        _both("imap.mail.yahoo.com", "pop.mail.yahoo.com"),
        note="Make an app password in the account's settings.",
    ),
    Provider(
        "iCloud",
        ("icloud.com", "me.com", "mac.com"),
        ("mail.icloud.com",),
        _imap("imap.mail.me.com"),
        note="Make an app-specific password; iCloud has no POP3.",
    ),
    Provider(
        "GMX",
        ("gmx.net", "gmx.de", "gmx.at", "gmx.ch"),
        ("emig.gmx.net", "mx00.gmx.net", "mx01.gmx.net"),
        _both("imap.gmx.net", "pop.gmx.net"),
        note="Allow POP3 and IMAP in the account's settings first.",
    ),
    Provider("GMX", ("gmx.com", "mail.com"), (), _both("imap.gmx.com", "pop.gmx.com")),
    Provider(
        "WEB.DE",
        ("web.de",),
        ("web.de",),
        _both("imap.web.de", "pop3.web.de"),
        note="Allow POP3 and IMAP in the account's settings first.",
    ),
    Provider(
        "Telekom",
        ("t-online.de", "magenta.de"),
        ("t-online.de",),
        _both("secureimap.t-online.de", "securepop.t-online.de"),
        note="Set a password for mail programs first.",
    ),
    Provider("IONOS", (), ("kundenserver.de", "ionos.de"), _both("imap.ionos.de", "pop.ionos.de")),
    Provider("IONOS", (), ("ionos.com", "1and1.com"), _both("imap.ionos.com", "pop.ionos.com")),
    Provider("STRATO", (), ("rzone.de",), _both("imap.strato.de", "pop3.strato.de")),
    Provider(
        "Fastmail",
        ("fastmail.com", "fastmail.fm"),
        ("messagingengine.com",),
        _both("imap.fastmail.com", "pop.fastmail.com"),
        note="Make an app password in the account's settings.",
    ),
    Provider("Zoho", ("zoho.com", "zohomail.com"), ("zoho.com",), _both("imap.zoho.com", "pop.zoho.com")),
    Provider("Zoho", ("zoho.eu", "zohomail.eu"), ("zoho.eu",), _both("imap.zoho.eu", "pop.zoho.eu")),
    Provider("mailbox.org", ("mailbox.org",), ("mailbox.org",), _both("imap.mailbox.org", "pop3.mailbox.org")),
    Provider("Posteo", ("posteo.de", "posteo.net"), ("posteo.de",), _both("posteo.de", "posteo.de")),
    Provider("OVHcloud", (), ("ovh.net",), _both("ssl0.ovh.net", "ssl0.ovh.net")),
    Provider("Hetzner", (), ("your-server.de",), _both("mail.your-server.de", "mail.your-server.de")),
    Provider("Rackspace", (), ("emailsrvr.com",), _both("secure.emailsrvr.com", "secure.emailsrvr.com")),
    Provider("Gandi", (), ("mail.gandi.net",), _both("mail.gandi.net", "mail.gandi.net")),
    Provider("Infomaniak", (), ("infomaniak.ch",), _imap("mail.infomaniak.com")),
    Provider("GoDaddy", (), ("secureserver.net",), _both("imap.secureserver.net", "pop.secureserver.net")),
    Provider("Namecheap", (), ("privateemail.com",), _both("mail.privateemail.com", "mail.privateemail.com")),
    Provider("Orange", ("orange.fr", "wanadoo.fr"), ("orange.fr",), _both("imap.orange.fr", "pop.orange.fr")),
    Provider("Free", ("free.fr",), ("free.fr",), _both("imap.free.fr", "pop.free.fr")),
    Provider(
        "Proton",
        ("proton.me", "protonmail.com", "pm.me"),
        ("protonmail.ch",),
        (),
        note="Proton has neither IMAP nor POP3 without its Bridge; let it forward the mail.",
    ),
)
