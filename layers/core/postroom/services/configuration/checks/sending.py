"""Aliases and outbound servers."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from postroom.model.configuration import (
    Authentication,
    Configuration,
    OutboundServer,
    ServerType,
    SmtpSecurity,
    is_host,
)
from postroom.services.configuration.checks.finding import Finding
from postroom.services.configuration.checks.mailboxes import pem_problems

_ENCODINGS = ("7bit", "8bit", "base64", "quoted-printable")
_ENCODING_TABLE = re.compile(r"(?:[A-Za-z0-9*]+=)?(?:7bit|8bit|base64|quoted-printable)", re.IGNORECASE)


def problems(configuration: Configuration) -> Iterator[Finding]:
    """List what is wrong with aliases and ways out."""
    yield from _default_aliases(configuration)
    for index, server in enumerate(configuration.outbound_servers):
        for field, problem, remedy in (*_server(server), *_content(server)):
            yield Finding(("outbound_servers", index, field), problem, remedy)
    if not is_host(configuration.settings.default_domain):
        yield Finding(
            ("settings", "default_domain"),
            f"`{configuration.settings.default_domain}` is no domain.",
            "Write it like example.com.",
        )


def _default_aliases(configuration: Configuration) -> Iterator[Finding]:
    defaults: dict[str, str] = {}
    for index, alias in enumerate(configuration.aliases):
        if not alias.default:
            continue
        if not alias.active:
            yield Finding(
                ("aliases", index, "default"),
                f"`{alias.name}` is inactive and cannot be the default.",
                "Activate it, or make another alias the default.",
            )
        department = alias.department or configuration.settings.default_department
        first = defaults.setdefault(department, alias.name)
        if first != alias.name:
            yield Finding(
                ("aliases", index, "default"),
                f"`{first}` is the default alias of the department `{department}` already.",
                "Keep one default alias for each department.",
            )


def _server(server: OutboundServer) -> Iterator[tuple[str, str, str]]:
    if server.ca_certificate is not None:
        yield from pem_problems("ca_certificate", server.ca_certificate)
    if server.type in (ServerType.SES, ServerType.GRAPH):
        for field in ("host", "port", "ca_certificate"):
            if getattr(server, field) is not None:
                yield field, f"has no meaning for type {server.type}.", "Remove it, or write `type: smtp`."
    elif not server.host:
        yield "host", "is missing.", "Give the EWS URL." if server.type is ServerType.EWS else "Give the host name."
    elif server.type is ServerType.EWS:
        if urlsplit(server.host).scheme != "https":
            yield "host", f"`{server.host}` is no https URL.", "Write https://mail.example.com/EWS/Exchange.asmx."
    elif not is_host(server.host):
        yield (
            "host",
            f"`{server.host}` is no host name.",
            "Write a name like smtp.example.com; the port goes to `port`.",
        )
    if server.type is ServerType.SMTP:
        yield from _smtp(server)


def _smtp(server: OutboundServer) -> Iterator[tuple[str, str, str]]:
    if server.port in (110, 143, 993, 995):
        yield "port", f"{server.port} is a port for fetching mail.", "Use 587, 465 or 25."
    elif server.port == 465 and server.security is not SmtpSecurity.SSL_TLS:
        yield "port", "465 speaks TLS from the first byte.", "Write `security: ssl-tls`, or use 587."
    elif server.port in (25, 587) and server.security is SmtpSecurity.SSL_TLS:
        yield "port", f"{server.port} begins without TLS.", "Write `security: start-tls-required`, or use 465."
    match server.authentication:
        case Authentication.BASIC:
            for field in ("user", "password"):
                if not getattr(server, field):
                    yield field, "is missing for basic authentication.", "Add it, or write `authentication: anonymous`."
        case Authentication.ANONYMOUS:
            for field in ("user", "password"):
                if getattr(server, field):
                    yield field, "contradicts `authentication: anonymous`.", "Remove one of the two."
        case Authentication.OAUTH_SERVICE:
            if not server.account and server.password is None:
                yield "account", "is missing for oauth-service.", "Name the e-mail account whose tokens are used."
    if server.unauthenticated_fallback and server.authentication is Authentication.ANONYMOUS:
        yield "unauthenticated_fallback", "has no meaning without login.", "Remove it."


def _content(server: OutboundServer) -> Iterator[tuple[str, str, str]]:
    for part in filter(None, (part.strip() for part in server.attachment_encoding.split(";"))):
        if not _ENCODING_TABLE.fullmatch(part):
            yield (
                "attachment_encoding",
                f"`{part}` is no encoding.",
                "Write pairs like `wav=base64;txt=7bit;*=8bit`, with 7bit, 8bit, base64 or quoted-printable.",
            )
    if server.body_encoding.lower() not in _ENCODINGS:
        yield "body_encoding", f"`{server.body_encoding}` is not known.", f"Write one of: {', '.join(_ENCODINGS)}."
    try:
        codecs.lookup(server.body_charset)
    except LookupError:
        yield "body_charset", f"`{server.body_charset}` is not known.", "Write utf-8."


def warnings(configuration: Configuration) -> Iterator[Finding]:
    """List overrides and fall-backs that are in force."""
    for index, alias in enumerate(configuration.aliases):
        if alias.send_mail_to:
            also = ", and no blind copy goes out" if alias.automatic_bcc else ""
            yield Finding(
                ("aliases", index, "send_mail_to"),
                f"sends every mail of `{alias.name}` to {alias.send_mail_to} instead of its recipients{also}.",
                "Clear it after the test.",
            )
    for index, server in enumerate(configuration.outbound_servers):
        if server.unauthenticated_fallback:
            yield Finding(
                ("outbound_servers", index, "unauthenticated_fallback"),
                "sends without login when the login is refused.",
                "Leave it off; a refused login is then reported and the mail kept.",
            )
        if server.type in (ServerType.GRAPH, ServerType.EWS):
            yield Finding(
                ("outbound_servers", index, "type"),
                f"is `{server.type.value}`, by which no mail can be sent yet: it waits.",
                "Use smtp or ses.",
            )
        if server.type is ServerType.SMTP and server.security in (SmtpSecurity.NONE, SmtpSecurity.START_TLS):
            yield Finding(
                ("outbound_servers", index, "security"),
                "lets mail go out unprotected.",
                "Use start-tls-required or ssl-tls.",
            )
