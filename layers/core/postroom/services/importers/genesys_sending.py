"""Import the `smtp-client` sections of a Genesys E-mail Server as outbound servers (G30, D03)."""

from __future__ import annotations

from typing import Any

from postroom.mail.headers import is_valid, parse_addresses
from postroom.model.configuration import format_period, parse_period
from postroom.services.importers import reference_values
from postroom.services.importers.draft import Draft, Outcome
from postroom.services.importers.genesys_export import Sections, named

_SECURITY = ("smtp-connection-security", "connection-security", "pop-connection-security")
_SERVER_TYPES = {"": "smtp", "SMTP": "smtp", "EWS": "ews", "GRAPH": "graph"}
_NOT_HERE = {
    "connect-timeout": "one time limit holds for the whole exchange: `timeout`",
    "enable-debug": "nothing here prints what it sends",
    "exchange-version": "the server says its version itself",
    "client-id": "OAuth is an e-mail account here: add `oauth_applications` and `accounts`, and name it as `account`",
    "directory-id": "see client-id",
    "tenant-authority": "see client-id",
    "scope": "see client-id",
    "secret": "see client-id",
    "grant-type": "see client-id",
}


def import_servers(sections: Sections, draft: Draft) -> None:
    """Add an outbound server for each `smtp-client` section; the first plain one is the default one."""
    default_from = next(
        (
            options["default-from-address"]
            for _s, _n, options in named(sections, "email-processing")
            if "default-from-address" in options
        ),
        "",
    )
    for section, name, options in named(sections, "smtp-client"):
        _server(section, draft.unique("outbound_servers", name or "smtp-client"), options, default_from, draft)


def _server(section: str, name: str, options: dict[str, str], default_from: str, draft: Draft) -> None:
    values: dict[str, Any] = {"name": name}

    def note(option: str, outcome: Outcome, to: str = "", why: str = "") -> None:
        draft.note(section, option, outcome, f"outbound_servers[name={name}].{to}" if to else "", why)

    kind = _SERVER_TYPES.get(options.get("type", "").strip().upper())
    values["type"] = kind or "smtp"
    if "type" in options:
        note("type", Outcome.MAPPED if kind else Outcome.FILL_IN, "type", "" if kind else "it is not known")
    sender = parse_addresses(default_from)
    if sender and is_valid(sender[0].address):
        values["from_address"] = default_from
    if values["type"] != "graph":
        values["host"] = options.get("server", "").strip() or "mail.example.invalid"
        given = bool(options.get("server", "").strip())
        note("server", Outcome.MAPPED if given else Outcome.FILL_IN, "host", "" if given else "it is empty")
    if values["type"] == "smtp":
        _smtp(options, values, note)
    for option, value in options.items():
        plain = option.lower().replace("_", "-")
        if plain in ("type", "server", "port", "user", "mailbox", "password", "enable-authentication", *_SECURITY):
            continue
        if plain == "protocol-timeout":
            _timeout(option, value, values, note)
        elif plain == "address":
            values["from_address"] = value
            note(option, Outcome.MAPPED, "from_address")
        else:
            note(option, Outcome.LEFT_OUT, why=_NOT_HERE.get(plain, "there is no such option here"))
    draft.add("outbound_servers", values)


def _smtp(options: dict[str, str], values: dict[str, Any], note: Any) -> None:
    port = options.get("port", "").strip()
    if port.isdigit():
        values["port"] = int(port)
        note("port", Outcome.MAPPED, "port")
    option = next((name for name in _SECURITY if options.get(name)), "")
    security = options.get(option, "").strip().lower()
    if security in ("start-tls", "start-tls-required", "ssl-tls"):
        values["security"] = security
        note(option, Outcome.MAPPED, "security")
    else:
        values["security"] = "ssl-tls" if values.get("port") == 465 else "start-tls-required"
        why = f"was {security or 'none, the default there'}: mail and credentials travel protected here"
        note(option or _SECURITY[0], Outcome.CHANGED, "security", why)
    user = (options.get("user") or options.get("mailbox") or "").strip()
    wanted, odd = reference_values.boolean(options.get("enable-authentication", "true" if user else "false").strip())
    if odd:
        why = f"{odd}; {'there is a user, so it logs in' if user else 'there is no user, so no login'}"
        note("enable-authentication", Outcome.CHANGED, "authentication", why)
    if wanted is not False and user:
        values |= {"authentication": "basic", "user": user, "password": {"secret": f"server.{values['name']}"}}
        note("user" if options.get("user") else "mailbox", Outcome.MAPPED, "user")
        note("password", Outcome.FILL_IN, "password", f"enter it: `postroom secret set server.{values['name']}`")
    else:
        values["authentication"] = "anonymous"
        if not odd:
            note("enable-authentication", Outcome.MAPPED, "authentication", "no login")


def _timeout(option: str, value: str, values: dict[str, Any], note: Any) -> None:
    try:
        values["timeout"] = format_period(parse_period(value.strip()))
    except ValueError:
        note(option, Outcome.LEFT_OUT, why="it is no period; the default is used")
    else:
        note(option, Outcome.MAPPED, "timeout")
