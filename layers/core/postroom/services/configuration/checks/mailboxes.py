"""Mailboxes: what a type cannot do, what contradicts itself, what is missing, and what will stop working."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from postroom.model.configuration import (
    SMTP_PORTS,
    Configuration,
    Effect,
    FirstConnection,
    Grant,
    Mailbox,
    Security,
    Type,
    behaviour,
    clouds,
    find_property,
    is_for,
    is_host,
    is_microsoft_graph,
    unsupported,
    ways_to_log_in,
)
from postroom.services.configuration.checks.finding import Finding

_Found = Iterator[tuple[str, str, str]]  # field, problem, remedy

EXCHANGE_VERSIONS = (
    "Exchange2010",
    "Exchange2010_SP1",
    "Exchange2010_SP2",
    "Exchange2010_SP3",
    "Exchange2013",
    "Exchange2013_SP1",
    "Exchange2016",
    "Office365",
)
_ALLOWED_PORTS = "Use the protocol's own port, or leave `port` empty."


def uses_oauth(mailbox: Mailbox) -> bool:
    """Tell whether the mailbox logs in with a token."""
    mechanisms = behaviour(mailbox).mechanisms
    return bool(
        mailbox.account
        or mailbox.type is Type.GRAPH
        or mailbox.client_id
        or mailbox.grant
        or (mechanisms and set(mechanisms) == {"XOAUTH2"})
    )


def problems(configuration: Configuration, *, since: Configuration | None = None) -> Iterator[Finding]:
    """List what is wrong with each mailbox by itself, but for those that are the very same in `since`."""
    checked = {id(mailbox) for mailbox in since.mailboxes} if since else frozenset()
    for index, mailbox in enumerate(configuration.mailboxes):
        if id(mailbox) in checked:
            continue
        for check in _CHECKS:
            for field, problem, remedy in check(mailbox):
                yield Finding(("mailboxes", index, *field.split("/")), problem, remedy)


def same_folder(configuration: Configuration) -> Iterator[Finding]:
    """Find enabled mailboxes that open one folder with one login: each mail would come, and be answered, twice.

    IMAP and POP3 of one server count as one: what lies in the INBOX is the same.
    """
    seen: dict[tuple[str, ...], str] = {}
    for index, mailbox in enumerate(configuration.mailboxes):
        if not mailbox.enabled:
            continue
        name = seen.setdefault(_folder(configuration.effective(mailbox)), mailbox.name)
        if name != mailbox.name:
            yield Finding(
                ("mailboxes", index, "login"),
                f"and folder are those of the mailbox `{name}`, so every mail would be fetched and answered twice.",
                f"Give it another `login` or `folder_path`, or disable one of the two; for more addresses of one "
                f"mailbox, add aliases to `{name}`.",
            )


def _folder(mailbox: Mailbox) -> tuple[str, ...]:
    """Name what a mailbox opens; IMAP's INBOX is one folder in any spelling (RFC 3501 §5.1)."""
    by_host = mailbox.type in (Type.IMAP, Type.POP3)
    path = "INBOX" if mailbox.type is Type.POP3 or mailbox.folder_path.upper() == "INBOX" else mailbox.folder_path
    return ("" if by_host else mailbox.type, (mailbox.server or "").casefold(), mailbox.user.casefold(), path)


def _types(mailbox: Mailbox) -> _Found:
    for requirement in unsupported(mailbox):
        able = ", ".join(sorted(requirement.types))
        yield (
            requirement.option,
            f"cannot be honoured: {mailbox.type} {requirement.why}.",
            f"Remove it, or use a mailbox of type {able}.",
        )


def _server(mailbox: Mailbox) -> _Found:
    server = mailbox.server
    if mailbox.type is Type.GRAPH:
        if server:
            yield from _url(mailbox, server)
        return
    if mailbox.account:
        if server:
            yield "server", "is fixed by the account's provider.", "Remove it."
        return
    if not server:
        what = "the EWS URL" if mailbox.type is Type.EWS else "the mail server's host name"
        yield "server", "is missing.", f"Give {what}."
    elif mailbox.type is Type.EWS:
        yield from _url(mailbox, server)
    elif "://" in server:
        yield "server", f"`{server}` is a URL.", "Give the host name only; the URL form is for type EWS."
    elif re.fullmatch(r"[^:]+:\d+", server):
        host, _, port = server.partition(":")
        yield "server", f"`{server}` contains a port.", f"Write `server: {host}` and `port: {port}`."
    elif not is_host(server):
        yield "server", f"`{server}` is no host name.", "Write a name like imap.example.com, or an IP address."


def _url(mailbox: Mailbox, server: str) -> _Found:
    path = "/EWS/Exchange.asmx" if mailbox.type is Type.EWS else ""
    like = f"Write it like https://mail.example.com{path}."
    try:
        url = urlsplit(server)
        host, port = url.hostname, url.port
    except ValueError:
        yield "server", f"`{server}` is no URL.", like
        return
    if url.scheme not in ("https", "http"):
        yield (
            "server",
            f"`{server}` is a host name, but type {mailbox.type} needs a URL.",
            f"Write it like https://{server}{path}." if is_host(server) else like,
        )
    elif url.scheme == "http":
        yield "server", "is not protected (http).", "Write https://; credentials never travel over plain http."
    elif not host or not is_host(host) or port == 0:
        yield "server", f"`{server}` names no host.", like
    elif url.username or url.password:
        yield "server", "contains credentials.", "Use `login` and `password`."
    elif mailbox.type is Type.GRAPH and (url.query or url.fragment or re.search(r"/(?:v1\.0|beta)(?:/|$)", url.path)):
        yield "server", f"`{server}` is more than the service's root.", "Leave out what begins with /v1.0."


def _port(mailbox: Mailbox) -> _Found:
    if mailbox.port is None or mailbox.type not in (Type.IMAP, Type.POP3):
        return
    other = {143: Type.IMAP, 993: Type.IMAP, 110: Type.POP3, 995: Type.POP3}.get(mailbox.port)
    if mailbox.port in SMTP_PORTS.values():
        yield "port", f"{mailbox.port} is a port for sending mail.", _ALLOWED_PORTS
    elif other and other is not mailbox.type:
        yield "port", f"{mailbox.port} is the port of {other}, the type is {mailbox.type}.", _ALLOWED_PORTS
    elif mailbox.port in (993, 995) and mailbox.security is not Security.SSL_TLS:
        yield "port", f"{mailbox.port} speaks TLS from the first byte.", "Write `security: ssl-tls`, or another port."
    elif mailbox.port in (110, 143) and mailbox.security is Security.SSL_TLS:
        yield (
            "port",
            f"{mailbox.port} begins without TLS.",
            "Write `security: start-tls-required`, or leave `port` empty.",
        )


def _first_connection(mailbox: Mailbox) -> _Found:
    since = mailbox.first_connection is FirstConnection.SINCE
    if since and mailbox.first_connection_since is None:
        yield "first_connection_since", "is missing for `first_connection: since`.", "Write a date, as 2026-11-21."
    elif mailbox.first_connection_since is not None and not since:
        yield (
            "first_connection_since",
            f"contradicts `first_connection: {mailbox.first_connection}`.",
            "Write `first_connection: since`, or remove the date.",
        )


def _folders(mailbox: Mailbox) -> _Found:
    processed, failed = mailbox.processed_items_folder_name, mailbox.failed_items_folder_name
    if processed and _same_folder(processed, mailbox.folder_path):
        yield (
            "processed_items_folder_name",
            "is the folder that is fetched from: every mail would be fetched again.",
            "Name another folder.",
        )
    if failed and _same_folder(failed, mailbox.folder_path) and mailbox.move_failed_ews_item:
        yield "failed_items_folder_name", "is the folder that is fetched from.", "Name another folder."
    if not failed and mailbox.move_failed_ews_item and mailbox.type is not Type.POP3:
        yield (
            "failed_items_folder_name",
            "is empty, but failed items are to be moved.",
            "Name a folder, or write `move_failed_ews_item: false`.",
        )
    if not mailbox.folder_path and mailbox.type is not Type.EWS:
        yield "folder_path", "is empty.", "Write INBOX, or another folder; only for EWS empty means Inbox."


def _same_folder(one: str, other: str) -> bool:
    return one == other or one.upper() == other.upper() == "INBOX"  # RFC 3501 §5.1: in any spelling


def _exchange(mailbox: Mailbox) -> _Found:
    if mailbox.exchange_version and mailbox.exchange_version not in EXCHANGE_VERSIONS:
        yield (
            "exchange_version",
            f"`{mailbox.exchange_version}` is not known.",
            f"Write one of: {', '.join(EXCHANGE_VERSIONS)}; or leave it empty for 2019 and newer.",
        )


def _certificate(mailbox: Mailbox) -> _Found:
    if mailbox.ca_certificate is not None:
        yield from pem_problems("ca_certificate", mailbox.ca_certificate)
        if mailbox.security is Security.NONE:
            yield "ca_certificate", "has no use without TLS.", "Remove it, or choose another `security`."


def pem_problems(field: str, text: str) -> _Found:
    """Find what is wrong with the text of a CA certificate."""
    if "PRIVATE KEY" in text:
        yield field, "contains a private key.", "Paste only the certificate, and consider the key as known to others."
    elif not re.search(r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", text):
        yield field, "is no PEM certificate.", "Paste it from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----."


_OF_ACCOUNT = (
    "port",
    "security",
    "password",
    "client_id",
    "directory_id",
    "tenant_authority",
    "client_secret",
    "grant",
    "service_account",
)
"""What an e-mail account decides for its mailboxes: written beside it, it would say nothing."""


def _credentials(mailbox: Mailbox) -> _Found:
    if mailbox.account:
        for field in _OF_ACCOUNT:
            if getattr(mailbox, field) != Mailbox.model_fields[field].default:
                yield field, f"comes from the account `{mailbox.account}`.", "Remove it, or remove `account`."
        yield from _without_xoauth2(mailbox, "account")
        return
    if mailbox.before_account:
        yield "before_account", "has no meaning without `account`.", "Remove it, or name the account."
    if mailbox.shared_mailbox:
        yield "shared_mailbox", "needs an account.", "Name the account that opens it, or use `service_account`."
    if uses_oauth(mailbox):
        yield from _oauth(mailbox)
    elif mailbox.enabled and mailbox.password is None:
        yield (
            "password",
            "is missing, and the mailbox is enabled.",
            "Write `password: {secret: NAME}` and enter it with `postroom secret set NAME`.",
        )
    if not uses_oauth(mailbox):
        for field in ("directory_id", "tenant_authority", "scope", "client_secret", "service_account"):
            if getattr(mailbox, field):
                yield field, "is for OAuth 2.0, but there is no `client_id`.", "Add `client_id`, or remove it."


def _oauth(mailbox: Mailbox) -> _Found:
    google = clouds.is_google_authority(mailbox.tenant_authority)
    service = mailbox.grant is Grant.CLIENT_CREDENTIALS
    yield from _without_xoauth2(mailbox, "client_id" if mailbox.client_id else "grant")
    if not mailbox.client_id:
        yield "client_id", "is missing: this mailbox logs in with OAuth 2.0.", "Give the application (client) id."
    if not google and not mailbox.directory_id and mailbox.enabled:
        yield "directory_id", "is missing: Microsoft's tokens need it.", "Give the directory (tenant) id."
    authority = mailbox.tenant_authority
    if authority and not google and urlsplit(authority).scheme != "https":
        yield "tenant_authority", f"`{authority}` is no https URL.", f"Write {clouds.WORLDWIDE.authority}."
    if google and service:
        yield "grant", "does not exist at Google.", "Use a refresh token, or a service account key as `client_secret`."
    if not mailbox.enabled:
        return
    if mailbox.password is None and (google or not service) and not (service or mailbox.type is Type.GRAPH):
        yield "password", "is missing: it holds the password or refresh token.", "Write `password: {secret: NAME}`."
    if (service or mailbox.type is Type.GRAPH) and mailbox.password is None and mailbox.client_secret is None:
        yield "client_secret", "is missing, and so is `password`.", "Write `client_secret: {secret: NAME}`."
    if google and mailbox.client_secret is None:
        yield "client_secret", "is missing: Google asks for it.", "Write `client_secret: {secret: NAME}`."


def _without_xoauth2(mailbox: Mailbox, field: str) -> _Found:
    mechanisms = behaviour(mailbox).mechanisms
    if mechanisms and "XOAUTH2" not in mechanisms and mailbox.type in (Type.IMAP, Type.POP3):
        yield (
            field,
            "is for OAuth 2.0, but the property auth.mechanisms leaves XOAUTH2 out.",
            "Add XOAUTH2 to it, or remove the OAuth options.",
        )


def _mechanisms(mailbox: Mailbox) -> _Found:
    if mailbox.type not in (Type.IMAP, Type.POP3) or ways_to_log_in(mailbox):
        return
    token = bool(mailbox.client_id or mailbox.account) and "XOAUTH2" in behaviour(mailbox).without
    if token or not uses_oauth(mailbox):
        ways = (
            "with a token: XOAUTH2 is the only one" if token else "with a password: LOGIN and PLAIN are the only ones"
        )
        yield "properties", f"leave no way to log in {ways}.", "Correct `auth.mechanisms` and `auth.….disable`."


def _properties(mailbox: Mailbox) -> _Found:
    for name, value in mailbox.properties.items():
        field = f"properties/{name}"
        hit = find_property(name)
        if hit is None:
            yield (
                field,
                f"`{name}` is not a property that is known here.",
                "Remove it; docs/mailbox-options.md lists those that are.",
            )
            continue
        known, protocol = hit
        if not is_for(protocol, mailbox.type):
            yield field, f"is for {protocol}, the mailbox is of type {mailbox.type}.", "Remove it."
        elif known.effect is Effect.OPTION:
            yield field, "is an option of its own here.", f"Use `{known.option}`."
        elif not re.fullmatch(known.values, value.strip()):
            # Beside the mechanisms of a login somebody writes the login.
            shown = "the value" if known.effect is Effect.MECHANISMS else f"`{value[:60]}`"
            yield field, f"{shown} is not possible.", f"Write {known.valid}: {known.meaning}."
        elif known.effect is Effect.TRUST and not mailbox.ca_certificate:
            yield field, "would switch the check of certificates off.", "Give the server's CA as `ca_certificate`."


_CHECKS: tuple[Callable[[Mailbox], _Found], ...] = (
    _types,
    _server,
    _port,
    _first_connection,
    _folders,
    _exchange,
    _certificate,
    _credentials,
    _mechanisms,
    _properties,
)


def warnings(configuration: Configuration) -> Iterator[Finding]:
    """List what is allowed, and unwise or soon impossible (X08)."""
    for index, mailbox in enumerate(configuration.mailboxes):
        for field, problem, remedy in _warnings(mailbox):
            yield Finding(("mailboxes", index, field), problem, remedy)


def _warnings(mailbox: Mailbox) -> _Found:
    server = mailbox.server or ""
    host = urlsplit(server).hostname or server if "://" in server else server
    if mailbox.security in (Security.NONE, Security.START_TLS) and mailbox.type in (Type.IMAP, Type.POP3):
        how = "always" if mailbox.security is Security.NONE else "when the server, or someone on the way, says so"
        yield (
            "security",
            f"lets the connection go unprotected {how}.",
            "Use ssl-tls; without TLS the login works only with the stack parameter AllowPlaintextCredentials.",
        )
    if mailbox.type is Type.GRAPH and server and not is_microsoft_graph(server):
        yield (
            "server",
            f"{host} is given the access token, which may open every mailbox of the application.",
            "Name a gateway only that you trust with all of them.",
        )
    if mailbox.type is Type.EWS and clouds.is_exchange_online(host):
        yield "type", "EWS is switched off in Exchange Online since October 2026.", "Use type GRAPH."
    elif (clouds.is_exchange_online(host) or clouds.is_google_mail(host)) and not uses_oauth(mailbox):
        yield "password", f"{host} refuses passwords.", "Use OAuth 2.0: `client_id` and its companions, or `account`."
    if mailbox.delete_big_msg and not mailbox.enable_big_msg_stripping:
        yield (
            "delete_big_msg",
            "deletes over-size mail on the server, and no interaction tells of it.",
            "Leave `enable_big_msg_stripping` on.",
        )
    if mailbox.delete_bad_formatted_msg:
        yield "delete_bad_formatted_msg", "deletes mail that was never stored.", "Leave it off where mail matters."
    if mailbox.leave_msg_on_server and mailbox.processed_items_folder_name:
        yield "leave_msg_on_server", "has no effect: stored mail is moved.", "Remove one of the two."
