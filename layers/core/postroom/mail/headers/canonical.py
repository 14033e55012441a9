"""One person, however the address is spelled: what providers do not tell apart counts as one (docs/threat-model.md 19).

For counting only: mail is sent to the address as it was written. Two persons may share a canonical form (some servers
give `a+b` to somebody else), which costs one of them an automatic reply and never a mail.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider of mailboxes does not tell apart in the part before the @."""

    domain: str  # of the canonical form
    aliases: tuple[str, ...] = ()  # domains that are the same mailboxes
    ignored: str = ""  # characters
    tags: str = "+"  # what begins a part that is ignored


_LONGEST = 320

# Sources: the providers' own help pages, seen 2026.
PROVIDERS: tuple[Provider, ...] = (
    Provider("gmail.com", ("googlemail.com",), ignored="."),  # support.google.com/mail/answer/7436150, /22370
    Provider(
        "proton.me", ("protonmail.com", "protonmail.ch", "pm.me"), ignored=".-_"
    ),  # proton.me/support/creating-aliases
    Provider("yandex.ru", ("yandex.com", "yandex.by", "yandex.kz", "yandex.ua", "ya.ru", "narod.ru"), ignored=".-"),
    Provider("icloud.com", ("me.com", "mac.com")),  # support.apple.com/guide/icloud, e-mail aliases
    Provider("fastmail.com", ("fastmail.fm",)),
    Provider("yahoo.com", ("ymail.com", "rocketmail.com"), tags="+-"),  # help.yahoo.com, disposable addresses
    Provider("outlook.com"),
    Provider("hotmail.com"),
    Provider("live.com"),
    Provider("msn.com"),
    Provider("aol.com", ("aim.com",)),
    Provider("gmx.de", ("gmx.net", "gmx.at", "gmx.ch", "gmx.com")),
    Provider("web.de"),
    Provider("t-online.de"),
    Provider("freenet.de"),
    Provider("posteo.de", ("posteo.net",)),
    Provider("mailbox.org"),
    Provider("orange.fr", ("wanadoo.fr",)),
    Provider("free.fr"),
    Provider("laposte.net"),
    Provider("sfr.fr"),
    Provider("libero.it"),
    Provider("virgilio.it"),
    Provider("tiscali.it"),
    Provider("ziggo.nl"),
    Provider("kpnmail.nl"),
    Provider("telenet.be"),
    Provider("skynet.be"),
    Provider("bluewin.ch"),
    Provider("comcast.net"),
    Provider("verizon.net"),
    Provider("att.net", ("sbcglobal.net", "bellsouth.net")),
    Provider("cox.net"),
    Provider("charter.net"),
    Provider("btinternet.com"),
    Provider("sky.com"),
    Provider("virginmedia.com"),
    Provider("uol.com.br", ("bol.com.br",)),
    Provider("terra.com.br"),
    Provider("mail.ru", ("bk.ru", "inbox.ru", "list.ru")),
    Provider("rambler.ru"),
    Provider("ukr.net"),
    Provider("wp.pl"),
    Provider("o2.pl"),
    Provider("onet.pl"),
    Provider("interia.pl"),
    Provider("seznam.cz"),
    Provider("centrum.cz"),
    Provider("freemail.hu"),
    Provider("citromail.hu"),
    Provider("qq.com", ("foxmail.com",)),
    Provider("163.com"),
    Provider("126.com"),
    Provider("sina.com", ("sina.cn",)),
    Provider("naver.com"),
    Provider("daum.net", ("hanmail.net",)),
    Provider("docomo.ne.jp"),
    Provider("ezweb.ne.jp", ("au.com",)),
    Provider("softbank.ne.jp"),
    Provider("rediffmail.com"),
    Provider("zoho.com", ("zohomail.com",)),
    Provider("tutanota.com", ("tutanota.de", "tutamail.com", "tuta.io", "keemail.me")),
)
"""Mailboxes for everybody, each with many people under one domain."""

_BY_DOMAIN = {domain: one for one in PROVIDERS for domain in (one.domain, *one.aliases)}
_ANY = Provider("")
# Sales regions of one provider: yahoo.co.uk and yahoo.fr are other mailboxes than yahoo.com, with the same rules.
_FAMILIES = {"yahoo": Provider("", tags="+-"), "hotmail": _ANY, "live": _ANY, "outlook": _ANY}


def address_key(address: str) -> str:
    """Return the form in which two addresses are the same mailbox for us, and by which they are stored.

    Case alone is ignored, in the local part too, as all servers do (RFC 5321 §2.4 leaves it to them). Not casefold:
    straße@ and strasse@ are two mailboxes. `canonical_address` goes further: other spellings that reach one person.
    """
    return address.lower()


def canonical_address(address: str) -> str:
    """Return the form in which spellings of one address are equal, lower case; a text without "@" is a domain."""
    plain = unicodedata.normalize("NFKC", address[:_LONGEST]).strip().strip("<>").strip().lower()
    local, at, domain = plain.rpartition("@")
    domain = domain.rstrip(".")
    if not at:
        return domain
    local = local.strip('"')
    provider = provider_of(domain) or _ANY
    # Fastmail also takes tag@name.fastmail.com for name@fastmail.com.
    if provider.domain == "fastmail.com" and domain not in _BY_DOMAIN:
        local, domain = domain.partition(".")[0], "fastmail.com"
    for mark in provider.tags:
        local = local.partition(mark)[0] or local
    kept = "".join(one for one in local if one not in provider.ignored)
    return f"{kept or local}@{provider.domain or domain}"


def provider_of(domain: str) -> Provider | None:
    """Return the provider whose mailboxes a domain has, of people who do not know each other; None for a firm's."""
    found = _BY_DOMAIN.get(domain)
    if found is not None:
        return found
    if domain.endswith((".fastmail.com", ".fastmail.fm")):
        return _BY_DOMAIN["fastmail.com"]
    return _FAMILIES.get(domain.partition(".")[0])


def domain_owner(domain: str) -> str:
    """Return the part of a domain that somebody registers, without a list of suffixes: `co.uk` and its like count one.

    A rough answer is enough where many hosts of one owner are to be counted together.
    """
    labels = domain.lower().rstrip(".").split(".")
    two = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if two else -2 :])
