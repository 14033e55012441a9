"""The protocol properties of the reference system (G16): an allow-list with what each does here.

Unknown ones are refused by name; known ones whose purpose is an option of the mailbox point to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from postroom.model.configuration.mailbox import Mailbox, Type


class Effect(StrEnum):
    """What a property does here."""

    MECHANISMS = "mechanisms"  # which authentication mechanisms are tried, in which order
    WITHOUT = "without"  # one mechanism is not tried
    PROTOCOLS = "protocols"  # which TLS versions are offered; never below 1.2
    IDENTITY = "identity"  # host names in certificates are checked: always
    TRUST = "trust"  # needs `ca_certificate`, which is trusted instead
    NO_TOP = "no-top"  # POP3: headers are not asked for with TOP
    NO_CAPA = "no-capa"  # POP3: no CAPA, hence no pipelining
    FETCH_SIZE = "fetch-size"  # largest piece of a message asked for at once, in bytes
    ALWAYS = "always"  # what this client does anyway
    CACHE = "cache"  # about that library's own memory or pool: nothing to do here
    OPTION = "option"  # refused: there is an option of the mailbox for it


@dataclass(frozen=True, slots=True)
class Property:
    """One property: which types have it, how its value looks, what it does here."""

    suffix: str  # what follows `mail.<type>.`
    types: frozenset[str]
    values: str  # regular expression the whole value must match
    valid: str  # the same for people
    effect: Effect
    meaning: str
    option: str = ""  # for OPTION: which one


_ALL = frozenset({"imap", "imaps", "pop3", "pop3s"})
_IMAP = frozenset({"imap", "imaps"})
_POP3 = frozenset({"pop3", "pop3s"})
_BOOLEAN = "true|false"
_NUMBER = r"\d{1,9}"
_MECHANISMS = r"(?i)(?:PLAIN|LOGIN|NTLM|XOAUTH2|DIGEST-MD5)(?:[ ,]+(?:PLAIN|LOGIN|NTLM|XOAUTH2|DIGEST-MD5))*"

PROPERTIES: tuple[Property, ...] = (
    Property(
        "auth.mechanisms",
        _ALL | {"ews"},
        _MECHANISMS,
        "PLAIN, LOGIN, NTLM, XOAUTH2, separated by spaces",
        Effect.MECHANISMS,
        "only these are tried; XOAUTH2 makes the mailbox use OAuth 2.0",
    ),
    *(
        Property(
            f"auth.{name}.disable",
            _ALL,
            _BOOLEAN,
            "true or false",
            Effect.WITHOUT,
            f"true: {name.upper()} is not tried",
        )
        for name in ("login", "plain", "ntlm", "xoauth2")
    ),
    Property(
        "ssl.protocols",
        _ALL,
        r"TLSv1\.[23](?:[ ,]+TLSv1\.[23])*",
        "TLSv1.2, TLSv1.3 or both",
        Effect.PROTOCOLS,
        "only these TLS versions are offered",
    ),
    Property(
        "ssl.checkserveridentity",
        _ALL,
        "true",
        "true",
        Effect.IDENTITY,
        "certificate and host name are always checked",
    ),
    Property(
        "ssl.trust",
        _ALL,
        r"\S.*",
        "host names",
        Effect.TRUST,
        "accepted with `ca_certificate` only, which is then the one CA that is trusted",
    ),
    Property("disabletop", _POP3, _BOOLEAN, "true or false", Effect.NO_TOP, "true: the TOP command is not used"),
    Property("disablecapa", _POP3, _BOOLEAN, "true or false", Effect.NO_CAPA, "true: CAPA is not asked for"),
    Property(
        "fetchsize", _IMAP, _NUMBER, "bytes", Effect.FETCH_SIZE, "largest piece of messages asked for in one request"
    ),
    Property("partialfetch", _IMAP, _BOOLEAN, "true or false", Effect.CACHE, "pieces are chosen by the message's size"),
    Property("peek", _IMAP, "true", "true", Effect.ALWAYS, "fetching never marks a message read"),
    Property(
        "rsetbeforequit", _POP3, _BOOLEAN, "true or false", Effect.CACHE, "nothing is deleted before it is stored"
    ),
    Property("forgettopheaders", _POP3, _BOOLEAN, "true or false", Effect.CACHE, "headers are never reused"),
    Property("keepmessagecontent", _POP3, _BOOLEAN, "true or false", Effect.CACHE, "messages are streamed, not kept"),
    Property("cachewriteto", _POP3, _BOOLEAN, "true or false", Effect.CACHE, "messages are streamed, not kept"),
    Property(
        "filecache.enable", _POP3, _BOOLEAN, "true or false", Effect.CACHE, "messages are streamed to disk anyway"
    ),
    Property("connectionpoolsize", _IMAP, _NUMBER, "a number", Effect.CACHE, "one connection a mailbox"),
    Property("connectionpooltimeout", _IMAP, _NUMBER, "a number", Effect.CACHE, "one connection a mailbox"),
    Property("statuscachetimeout", _IMAP, _NUMBER, "a number", Effect.CACHE, "no status is cached"),
    Property("closefoldersonstorefailure", _IMAP, _BOOLEAN, "true or false", Effect.CACHE, "no folder stays open"),
    *(
        Property(suffix, _ALL, ".*", "", Effect.OPTION, f"use the option `{option}`", option)
        for suffix, option in (
            ("host", "server"),
            ("port", "port"),
            ("user", "login"),
            ("connectiontimeout", "connect_timeout"),
            ("timeout", "protocol_timeout"),
            ("writetimeout", "protocol_timeout"),
            ("ssl.enable", "security"),
            ("starttls.enable", "security"),
            ("starttls.required", "security"),
            ("socketFactory.class", "security"),
            ("socketFactory.port", "port"),
            ("socketFactory.fallback", "security"),
        )
    ),
)

_NAME = re.compile(r"mail\.(imaps?|pop3s?|ews)\.(.+)")


@dataclass(frozen=True, slots=True)
class ProtocolBehaviour:
    """What the properties of one mailbox come to, for its connector."""

    mechanisms: tuple[str, ...] = ()  # upper case, in order; empty: the connector's own order
    without: frozenset[str] = frozenset()
    tls_versions: tuple[str, ...] = ()  # "TLSv1.2", "TLSv1.3"; empty: both
    use_top: bool = True
    use_capa: bool = True
    fetch_size: int | None = None


def find_property(name: str) -> tuple[Property, str] | None:
    """Find a property by its full name; returns it with the protocol part of the name (`imap`, `pop3s`, …)."""
    match = _NAME.fullmatch(name)
    if not match:
        return None
    protocol, suffix = match.groups()
    for known in PROPERTIES:
        if known.suffix.lower() == suffix.lower() and protocol in known.types:
            return known, protocol
    return None


_PROTOCOLS: Mapping[Type, frozenset[str]] = {
    Type.IMAP: frozenset({"imap", "imaps"}),
    Type.POP3: frozenset({"pop3", "pop3s"}),
    Type.EWS: frozenset({"ews"}),  # its s is its own, and no sign of TLS
}
"""The protocol parts of the names of properties that a type's mailboxes obey."""


def is_for(protocol: str, type_: Type) -> bool:
    """Tell whether mailboxes of a type obey properties with this protocol part of the name."""
    return protocol in _PROTOCOLS.get(type_, frozenset())


def behaviour(mailbox: Mailbox) -> ProtocolBehaviour:
    """Sum the properties up; those of another protocol than the mailbox's are left aside."""
    mechanisms: tuple[str, ...] = ()
    without: set[str] = set()
    versions: tuple[str, ...] = ()
    use_top = use_capa = True
    fetch_size: int | None = None
    for known, value in _own(mailbox.type, mailbox.properties):
        words = tuple(re.split(r"[ ,]+", value))
        match known.effect:
            case Effect.MECHANISMS:
                mechanisms = tuple(word.upper() for word in words)
            case Effect.WITHOUT if value == "true":
                without.add(known.suffix.split(".")[1].upper())
            case Effect.PROTOCOLS:
                versions = words
            case Effect.NO_TOP:
                use_top = value != "true"
            case Effect.NO_CAPA:
                use_capa = value != "true"
            case Effect.FETCH_SIZE:
                fetch_size = int(value) or None
            case _:
                pass
    return ProtocolBehaviour(mechanisms, frozenset(without), versions, use_top, use_capa, fetch_size)


def ways_to_log_in(mailbox: Mailbox) -> tuple[str, ...]:
    """List the ways by which an IMAP or POP3 mailbox may log in, in order: a token by XOAUTH2 only, a password never.

    A password must not be tried as a token, nor a token as a password: servers count both as refused logins.
    """
    wanted = behaviour(mailbox)
    possible = ("XOAUTH2",) if mailbox.client_id or mailbox.account else ("LOGIN", "PLAIN")
    return tuple(one for one in wanted.mechanisms or possible if one in possible and one not in wanted.without)


def _own(type_: Type, properties: Mapping[str, str]) -> list[tuple[Property, str]]:
    found = ((find_property(name), value.strip()) for name, value in properties.items())
    return [(hit[0], value) for hit, value in found if hit and is_for(hit[1], type_)]
