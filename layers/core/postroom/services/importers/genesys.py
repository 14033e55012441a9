"""Import the options of a Genesys E-mail Server (G30): everything disabled, and a table of what became of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from postroom.mail.headers import is_valid, parse_addresses
from postroom.model.configuration import (
    Effect,
    Mailbox,
    Type,
    find_property,
    format_period,
    is_for,
    is_host,
    parse_period,
)
from postroom.services.importers import reference_values
from postroom.services.importers.draft import Draft, Imported, Outcome, finish, why_renamed
from postroom.services.importers.genesys_export import Sections, named, read_export
from postroom.services.importers.genesys_sending import import_servers

BY_REFERENCE: dict[str, str] = {
    str(field.json_schema_extra["reference"]): name
    for name, field in Mailbox.model_fields.items()
    if isinstance(field.json_schema_extra, dict) and "reference" in field.json_schema_extra
}
"""The reference system's spelling of each option; the Mailbox model is the table."""

_BOOLEAN = frozenset(
    name for name, field in Mailbox.model_fields.items() if field.annotation is bool
)  # options whose values are true and false
_PERIODS = frozenset({"cycle_time", "connect_timeout", "protocol_timeout"})
_LIMITS = {"maximum_msg_size": (1, 100), "maximum_msg_number": (1, 10_000), "inbound_msg_copy_limit": (1, 50)}
_OAUTH = ("client-id", "directory-id", "tenant-authority", "scope", "grant-type", "secret", "service-account")
_POP3_FOREIGN = (
    "folder-path",
    "folder-separator",
    "processed-items-folder-name",
    "failed-items-folder-name",
    "move-failed-ews-item",
    "exchange-version",
)
_HANDLED = frozenset(
    {"address", "type", "enable-client", "endpoint", "mailbox", "password", "secret", "port", "server"}
)


def import_genesys(text: str, *, source: str) -> Imported:
    """Read an export and write a configuration file; raises Invalid when the file is no export at all."""
    sections = read_export(text)
    draft = Draft()
    _processing(sections, draft)
    endpoints = _endpoints(sections, draft)
    for section, name, options in named(sections, "pop-client"):
        _Client(section, name or "pop-client", options, endpoints, draft).read()
    import_servers(sections, draft)
    _rest(sections, draft)
    return finish(draft, source)


def _processing(sections: Sections, draft: Draft) -> None:
    for section, _name, options in named(sections, "email-processing"):
        for option, value in options.items():
            match option.replace("_", "-"):
                case "default-inbound-queue" if value:
                    draft.setting("default_inbound_queue", draft.queue(value))
                    draft.note(section, option, Outcome.MAPPED, "settings.default_inbound_queue")
                case "default-domain" if is_host(value):
                    draft.setting("default_domain", value)
                    draft.note(section, option, Outcome.MAPPED, "settings.default_domain")
                case "default-from-address":
                    draft.note(section, option, Outcome.MAPPED, "outbound_servers[].from_address")
                case "enable-message-id-check":
                    why = "duplicates are recognised by their content; a reused Message-ID never costs a mail"
                    draft.note(section, option, Outcome.LEFT_OUT, why=why)
                case _:
                    draft.note(section, option, Outcome.LEFT_OUT, why="there is no such setting here")


def _endpoints(sections: Sections, draft: Draft) -> dict[str, str]:
    """Import endpoints; returns their names here by their names there, in lower case."""
    names: dict[str, str] = {}
    for section, _tenant, options in named(sections, "endpoints"):
        for option, queue in options.items():
            if not queue:
                draft.note(section, option, Outcome.LEFT_OUT, why="it names no queue")
                continue
            if option.casefold() in names:
                draft.note(section, option, Outcome.LEFT_OUT, why="another tenant has an endpoint of this name")
                continue
            name = draft.unique("endpoints", option)
            names[option.casefold()] = name
            draft.add("endpoints", {"name": name, "queue": draft.queue(queue)})
            why = why_renamed(option, name)
            draft.note(
                section,
                option,
                Outcome.CHANGED if why else Outcome.MAPPED,
                f"endpoints[name={name}]",
                why,
            )
            if option.casefold() == "default":
                draft.setting("default_endpoint", name)
                draft.note(section, option, Outcome.MAPPED, "settings.default_endpoint")
    return names


@dataclass(slots=True)
class _Client:
    """One `pop-client` section on its way to a mailbox."""

    section: str
    wanted_name: str
    options: dict[str, str]
    endpoints: dict[str, str]
    draft: Draft
    values: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    type: Type = Type.POP3

    def read(self) -> None:
        """Map every option, and add the mailbox."""
        self.name = self.draft.unique("mailboxes", self.wanted_name)
        self.values["name"] = self.name
        if why := why_renamed(self.wanted_name, self.name):
            self._note("(name)", Outcome.CHANGED, "name", why)
        for step in (
            self._address,
            self._type,
            self._server,
            self._security,
            self._login,
            self._endpoint,
            self._oauth,
            self._secrets,
        ):
            step()
        for option, value in self.options.items():
            self._option(option.strip(), value)
        self._sizes()
        self.draft.add("mailboxes", self.values)

    def _note(self, option: str, outcome: Outcome, to: str = "", why: str = "") -> None:
        place = f"mailboxes[name={self.name}].{to}" if to else ""
        self.draft.note(self.section, option, outcome, place, why)

    def _get(self, option: str) -> str:
        return self.options.get(option, "").strip()

    def _address(self) -> None:
        address = self._get("address")
        found = parse_addresses(address)
        if found and is_valid(found[0].address):
            self.values["address"] = address
            self._note("address", Outcome.MAPPED, "address")
            return
        login = self._get("mailbox")
        domain = self.draft.document.get("settings", {}).get("default_domain", "example.invalid")
        self.values["address"] = login if is_valid(login) else f"{self.name}@{domain}"
        why = "it is empty" if not address else "it is no e-mail address"
        self._note("address", Outcome.FILL_IN, "address", f"{why}; {self.values['address']} stands in for it")

    def _type(self) -> None:
        given = self._get("type").upper()
        if given in Type.__members__:
            self.type = Type[given]
            self._note("type", Outcome.MAPPED, "type")
        elif given:
            self._note("type", Outcome.FILL_IN, "type", f"`{given}` is not known; POP3 stands in for it")
        else:
            self._note("type", Outcome.CHANGED, "type", "POP3 is the default there and is written out: here it is IMAP")
        self.values["type"] = self.type.value

    def _server(self) -> None:
        server, port = self._get("server"), self._get("port")
        if self.type is Type.GRAPH:
            for option in ("server", "port"):
                if self._get(option):
                    self._note(option, Outcome.LEFT_OUT, why="its address follows from the authority")
            return
        if server:
            self.values["server"] = server
            self._note("server", Outcome.MAPPED, "server")
        else:
            self.values["server"] = "mail.example.invalid"
            self._note("server", Outcome.FILL_IN, "server", "it is empty")
        if self.type is Type.EWS:
            if server and "://" not in server:
                self.values["server"] = f"https://{server}/EWS/Exchange.asmx"
                self._note("server", Outcome.CHANGED, "server", "EWS needs the URL; the usual one is written")
            if port:
                self._note("port", Outcome.LEFT_OUT, why="the URL carries the port")
        elif port.isdigit() and 0 < int(port) < 65536:
            self.values["port"] = int(port)
            self._note("port", Outcome.MAPPED, "port")
        elif port:
            self._note("port", Outcome.FILL_IN, "port", "it is no port; the protocol's own is used")

    def _security(self) -> None:
        given = self._get("pop-connection-security").lower()
        if self.type in (Type.EWS, Type.GRAPH):
            if given:
                self._note("pop-connection-security", Outcome.LEFT_OUT, why="it always goes over https")
            return
        if given in ("start-tls", "start-tls-required", "ssl-tls"):
            self.values["security"] = given
            self._note("pop-connection-security", Outcome.MAPPED, "security")
            return
        # Unprotected, said or by default: the protected way that fits the port.
        own = self.values.get("port")
        if own is None or own in (993, 995):
            self.values["security"] = "ssl-tls"
        else:
            self.values["security"] = "start-tls-required"
        why = (
            f"was {given or 'none, the default there'}: credentials travel protected here; "
            "write `security: none` only where the server knows no TLS"
        )
        self._note("pop-connection-security", Outcome.CHANGED, "security", why)

    def _login(self) -> None:
        login = self._get("mailbox")
        delimiter = self._get("service-mailbox-delimiter")
        if delimiter and delimiter in login:
            account, _, shared = login.partition(delimiter)
            self.values["service_account"], self.values["login"] = account, shared
            self._note("mailbox", Outcome.CHANGED, "login", "the discontinued form is split: account and mailbox")
            self._note("service-mailbox-delimiter", Outcome.MAPPED, "service_account", "it split the login")
        elif login:
            self.values["login"] = login
            self._note("mailbox", Outcome.MAPPED, "login")
        if "service-plus-mailbox-connect" in self.options:
            why = "discontinued: the mailbox is opened by its own name, with the token of the service account"
            self._note("service-plus-mailbox-connect", Outcome.LEFT_OUT, why=why)
        if delimiter and delimiter not in login:
            self._note("service-mailbox-delimiter", Outcome.LEFT_OUT, why="the login does not contain it")

    def _endpoint(self) -> None:
        wanted = self._get("endpoint") or "default"
        name = self.endpoints.get(wanted.casefold())
        if name:
            self.values["endpoint"] = name
            self._note("endpoint", Outcome.MAPPED, "endpoint")
        elif "endpoint" in self.options:
            why = f"`{wanted}` is not in the endpoints section: the default endpoint or queue is used, as there"
            self._note("endpoint", Outcome.CHANGED, "endpoint", why)

    def _uses_oauth(self) -> bool:
        found = ((find_property(option.lower()), value) for option, value in self.options.items())
        mechanisms = next(
            (value for hit, value in found if hit and hit[0].effect is Effect.MECHANISMS and is_for(hit[1], self.type)),
            "",
        )
        return self.type is Type.GRAPH or "xoauth2" in mechanisms.lower()

    def _oauth(self) -> None:
        if self._uses_oauth():
            grant = self._get("grant-type").lower()
            if grant == "client_credentials":
                self.values["grant"] = grant
            if grant:
                self._note("grant-type", Outcome.MAPPED, "grant")
            for option, field_name in (
                ("client-id", "client_id"),
                ("directory-id", "directory_id"),
                ("tenant-authority", "tenant_authority"),
                ("scope", "scope"),
                ("service-account", "service_account"),
            ):
                self._oauth_option(option, field_name)
            if not self._get("client-id"):
                self.values["client_id"] = "FILL-IN"
                self._note("client-id", Outcome.FILL_IN, "client_id", "the mailbox uses OAuth, and it is empty")
            return
        for option in _OAUTH:
            if self._get(option):
                why = "it had no effect there: XOAUTH2 is not among the mechanisms"
                self._note(option, Outcome.LEFT_OUT, why=why)

    def _oauth_option(self, option: str, field_name: str) -> None:
        value = self._get(option)
        if not value:
            return
        if option == "service-account" and self.type is Type.GRAPH:
            self._note(option, Outcome.LEFT_OUT, why="Graph opens the mailbox by the application's own permission")
            return
        self.values[field_name] = value
        self._note(option, Outcome.MAPPED, field_name)

    def _secrets(self) -> None:
        # Whatever the file says is neither kept nor shown: secrets are entered by a person.
        self.values["password"] = {"secret": f"mailbox.{self.name}"}
        self._note("password", Outcome.FILL_IN, "password", f"enter it: `postroom secret set mailbox.{self.name}`")
        if self._get("secret") and self._uses_oauth():
            self.values["client_secret"] = {"secret": f"mailbox.{self.name}.client"}
            self._note(
                "secret",
                Outcome.FILL_IN,
                "client_secret",
                f"enter it: `postroom secret set mailbox.{self.name}.client`",
            )

    def _option(self, option: str, value: str) -> None:
        plain = option.lower().replace("_", "-")
        if plain.startswith("mail."):
            self._property(option, value.strip())
        elif plain == "enable-client":
            on, why = reference_values.boolean(value.strip())
            if on is None:
                why = f"{why}; imported disabled"
            elif on:
                why = "imported disabled: `postroom mailbox enable` after the test"
            self._note(option, Outcome.CHANGED if why else Outcome.MAPPED, "enabled", why)
        elif plain in _HANDLED or plain in _OAUTH or plain.startswith("service-") or plain == "pop-connection-security":
            return
        elif plain in _POP3_FOREIGN and self.type is Type.POP3:
            self._note(option, Outcome.LEFT_OUT, why="POP3 has neither folders nor moving")
        elif plain == "exchange-version" and self.type is not Type.EWS:
            self._note(option, Outcome.LEFT_OUT, why="it is for type EWS")
        elif plain in BY_REFERENCE:
            self._plain(option, BY_REFERENCE[plain], value.strip())
        else:
            self._note(option, Outcome.LEFT_OUT, why="it is not an option of a mailbox, there or here")

    def _plain(self, option: str, name: str, value: str) -> None:
        read: Callable[[str], tuple[Any, str]] = reference_values.text
        if name in _BOOLEAN:
            read = reference_values.boolean
        elif name in _PERIODS:
            read = reference_values.period
        elif name in _LIMITS:
            read = reference_values.number(*_LIMITS[name])
        elif name == "folder_separator":
            read = reference_values.one_letter
        taken, why = read(value)
        if taken is None:
            self._note(option, Outcome.FILL_IN, name, why)
            return
        self.values[name] = taken
        if name == "leave_msg_on_server" and taken and self.type is Type.POP3:
            why = "had no effect there for POP3 and has here: mail stays on the server and is told apart by its UIDL"
        self._note(option, Outcome.CHANGED if why else Outcome.MAPPED, name, why)

    def _property(self, option: str, value: str) -> None:
        hit = find_property(option)
        if hit is None:
            self._note(option, Outcome.LEFT_OUT, why="this property is not known here")
            return
        known, protocol = hit
        if not is_for(protocol, self.type):
            self._note(option, Outcome.LEFT_OUT, why=f"it is for {protocol}, the mailbox is of type {self.type}")
        elif known.option in _PERIODS and value.isdigit():
            # Milliseconds there; the option of its own wins, as it does for the reference's client.
            seconds = max(1, round(int(value) / 1000))
            if known.option.replace("_", "-") not in self.options:
                self.values[known.option] = format_period(parse_period(seconds))
            self._note(option, Outcome.CHANGED, known.option, "milliseconds became a period")
        elif known.effect is Effect.OPTION:
            self._note(option, Outcome.LEFT_OUT, why=f"the option `{known.option}` says it here")
        elif known.effect is Effect.TRUST or not re.fullmatch(known.values, value):
            why = (
                f"`{value[:60]}` would weaken the connection" if known.suffix.startswith("ssl.") else "its value is odd"
            )
            self._note(option, Outcome.LEFT_OUT, why=f"{why}; {known.meaning}")
        else:
            self.values.setdefault("properties", {})[option] = value
            self._note(option, Outcome.MAPPED, f"properties.{option}", known.meaning)

    def _sizes(self) -> None:
        if "maximum-msg-size" not in self.options:
            self.values["maximum_msg_size"] = 5
            self._note("maximum-msg-size", Outcome.CHANGED, "maximum_msg_size", "5 is the default there, 25 here")
        if self.values.get("delete_big_msg") and self.values.get("enable_big_msg_stripping") is False:
            why = "over-size mail is deleted without a trace: think again"
            self._note("delete-big-msg", Outcome.CHANGED, "delete_big_msg", why)


def _rest(sections: Sections, draft: Draft) -> None:
    known = {
        section
        for kind in ("pop-client", "smtp-client", "endpoints", "email-processing")
        for section, _name, _options in named(sections, kind)
    }
    for section in sections:
        if section in known:
            continue
        why = "this section has no counterpart here"
        if section.lower().startswith("secret-"):
            why = "secrets are not imported: enter them with `postroom secret set`"
        draft.note(section, "(all options)", Outcome.LEFT_OUT, why=why)
