"""Import lists of Cisco Enterprise Chat and Email: aliases, blocked file extensions, delivery exceptions (CSV)."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from postroom.errors import Invalid, Problem
from postroom.mail.headers import is_valid
from postroom.rules import predefined
from postroom.services.importers.draft import Draft, Imported, Outcome, finish, why_renamed

Record = dict[str, str]

_MOST_ROWS = 100_000


def import_ece(text: str, *, source: str) -> Imported:
    """Read one CSV list, known by its columns; raises Invalid when it is none of the three."""
    rows = _records(text)
    columns = set(rows[0]) if rows else set()
    draft = Draft()
    if "emailaddress" in columns:
        for number, row in enumerate(rows, start=2):
            _alias(f"line {number}", row, draft)
        _one_default(draft)
    elif {"blockedfileextension"} & columns or {"extension"} & columns:
        for number, row in enumerate(rows, start=2):
            _extension(f"line {number}", row, draft)
    elif {"phrase", "failure"} <= columns:
        for number, row in enumerate(rows, start=2):
            _exception(f"line {number}", row, draft)
    else:
        raise Invalid(
            [
                Problem(
                    "line 1",
                    "names the columns of no list that is known.",
                    "Give Name and `Email address` (aliases), `Blocked file extension`, or Type, Phrase and Failure.",
                )
            ]
        )
    return finish(draft, source)


def _records(text: str) -> list[Record]:
    text = text.lstrip("\ufeff")
    first, _, _ = text.partition("\n")
    separator = max((",", ";", "\t"), key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header = [_column(cell) for cell in next(reader, [])]
    records = []
    for row in reader:
        if any(cell.strip() for cell in row):
            records.append({name: cell.strip() for name, cell in zip(header, row, strict=False) if name})
        if len(records) > _MOST_ROWS:
            raise Invalid([Problem("(file)", f"has more than {_MOST_ROWS:,} rows.", "Split the list.")])
    return records


def _column(cell: str) -> str:
    """`Email address *` and `e-mail_address` are one column."""
    return re.sub(r"[^a-z0-9]", "", cell.casefold())


def _yes(value: str) -> bool:
    return value.casefold() in ("yes", "true", "1", "active", "y")


def _department(row: Record, draft: Draft) -> dict[str, str]:
    name = row.get("department", "")
    if not name:
        return {}
    for known in draft.document.get("departments", []):
        if name in (known["name"], known.get("description")):
            return {"department": known["name"]}
    plain = draft.unique("departments", name)
    draft.add("departments", {"name": plain, **({"description": name} if plain != name else {})})
    return {"department": plain}


def _alias(place: str, row: Record, draft: Draft) -> None:
    address = row.get("emailaddress", "")
    if not is_valid(address):
        draft.note(place, "Email address", Outcome.LEFT_OUT, why=f"`{address[:80]}` is no e-mail address")
        return
    wanted = row.get("name") or address.partition("@")[0]
    name = draft.unique("aliases", wanted)
    values: dict[str, Any] = {"name": name, "address": address, **_department(row, draft)}
    path = f"aliases[name={name}]"
    why = why_renamed(wanted, name)
    draft.note(place, "Name", Outcome.CHANGED if why else Outcome.MAPPED, f"{path}.name", why)
    draft.note(place, "Email address", Outcome.MAPPED, f"{path}.address")
    if row.get("description") or why:
        values["description"] = row.get("description") or wanted
    if row.get("status") and not _yes(row["status"]):
        values["active"] = False
        draft.note(place, "Status", Outcome.MAPPED, f"{path}.active")
    for column, option in (
        ("automaticbcc", "automatic_bcc"),
        ("sendmailto", "send_mail_to"),
        ("sendemailto", "send_mail_to"),
    ):
        if value := row.get(column, ""):
            ok = is_valid(value)
            if ok:
                values[option] = value
            draft.note(
                place,
                option.replace("_", " "),
                Outcome.MAPPED if ok else Outcome.LEFT_OUT,
                f"{path}.{option}" if ok else "",
                "" if ok else "it is not one e-mail address",
            )
    if _yes(row.get("defaultalias", "")):
        values["default"] = True
    redirections = row.get("redirectionemailaddresses") or row.get("redirectionaddresses") or ""
    addresses = [part.strip() for part in redirections.split(";") if part.strip()]
    for wrong in (part for part in addresses if not is_valid(part)):
        draft.note(place, "Redirection email addresses", Outcome.LEFT_OUT, why=f"`{wrong[:80]}` is no e-mail address")
    if kept := [part for part in addresses if is_valid(part)]:
        values["redirection_addresses"] = kept
        draft.note(place, "Redirection email addresses", Outcome.MAPPED, f"{path}.redirection_addresses")
    draft.add("aliases", values)
    if row.get("servertype", "").upper() in ("POP3", "IMAP"):
        _mailbox(place, name, row, values, draft)


def _mailbox(place: str, name: str, row: Record, alias: dict[str, Any], draft: Draft) -> None:
    """Make a mailbox, disabled, of the incoming server of an alias."""
    kind = row["servertype"].upper()
    ssl = _yes(row.get("usessl", "")) or row.get("port") in ("993", "995")
    values: dict[str, Any] = {
        "name": name,
        "address": alias["address"],
        "type": kind,
        "server": row.get("servername") or "mail.example.invalid",
        "security": "ssl-tls" if ssl else "start-tls-required",
        "password": {"secret": f"mailbox.{name}"},
    }
    values |= {key: alias[key] for key in ("department",) if key in alias}
    path = f"mailboxes[name={name}]"
    if row.get("username"):
        values["login"] = row["username"]
    if row.get("port", "").isdigit():
        values["port"] = int(row["port"])
    if kind == "IMAP" and row.get("folder"):
        values["folder_path"] = "INBOX" if row["folder"].casefold() == "inbox" else row["folder"]
    draft.add("mailboxes", values)
    draft.note(place, "Server type, name, user, port, folder", Outcome.MAPPED, path)
    if not ssl:
        draft.note(place, "Use SSL", Outcome.CHANGED, f"{path}.security", "credentials travel protected here")
    if not row.get("servername"):
        draft.note(place, "Server name", Outcome.FILL_IN, f"{path}.server", "it is empty")
    draft.note(
        place, "Password", Outcome.FILL_IN, f"{path}.password", f"enter it: `postroom secret set mailbox.{name}`"
    )


def _one_default(draft: Draft) -> None:
    defaults: set[str] = set()
    for alias in draft.document.get("aliases", []):
        if not alias.get("default"):
            continue
        department = alias.get("department", "")
        path = f"aliases[name={alias['name']}].default"
        if alias.get("active") is False or department in defaults:
            del alias["default"]
            why = "an inactive alias cannot be it" if alias.get("active") is False else "the department has one already"
            draft.note("Default alias", alias["name"], Outcome.LEFT_OUT, path, why)
        else:
            defaults.add(department)
            draft.note("Default alias", alias["name"], Outcome.MAPPED, path)


def _extension(place: str, row: Record, draft: Draft) -> None:
    extension = (row.get("blockedfileextension") or row.get("extension") or "").lstrip("*").lstrip(".").lower()
    if not re.fullmatch(r"[a-z0-9_+~.-]{1,20}", extension):
        draft.note(place, "Blocked file extension", Outcome.LEFT_OUT, why="it is no file extension")
        return
    department = _department(row, draft)
    taken = [(one["extension"], one.get("department")) for one in draft.document.get("blocked_extensions", [])]
    if (extension, department.get("department")) in taken:
        draft.note(place, "Blocked file extension", Outcome.LEFT_OUT, why=f"{extension} is there already")
        return
    name = _free_name(row.get("name") or extension, "blocked_extensions", draft)
    values = {"name": name, "extension": extension, **department}
    if row.get("description"):
        values["description"] = row["description"]
    draft.add("blocked_extensions", values)
    draft.note(place, "Blocked file extension", Outcome.MAPPED, f"blocked_extensions[name={name}]")


def _exception(place: str, row: Record, draft: Draft) -> None:
    kind, phrase, failure = row.get("type", "subject").casefold(), row["phrase"], row["failure"].casefold()
    if kind not in ("address", "subject") or failure not in ("permanent", "temporary") or not phrase or "@" in phrase:
        why = "type is address or subject, failure permanent or temporary, and the phrase has no @"
        draft.note(place, "Phrase", Outcome.LEFT_OUT, why=why)
        return
    known = {(one.type.value, one.phrase.casefold(), one.failure.value) for one in predefined()}
    if (kind, phrase.casefold(), failure) in known:
        draft.note(place, "Phrase", Outcome.LEFT_OUT, why=f"`{phrase}` is predefined here too")
        return
    department = _department(row, draft)
    taken = [
        (o["type"], o["phrase"].casefold(), o.get("department")) for o in draft.document.get("delivery_exceptions", [])
    ]
    if (kind, phrase.casefold(), department.get("department")) in taken:
        draft.note(place, "Phrase", Outcome.LEFT_OUT, why=f"`{phrase}` is there already")
        return
    name = _free_name(row.get("name") or phrase, "delivery_exceptions", draft)
    values = {"name": name, "type": kind, "phrase": phrase, "failure": failure, **department}
    if row.get("description"):
        values["description"] = row["description"]
    draft.add("delivery_exceptions", values)
    draft.note(place, "Phrase", Outcome.MAPPED, f"delivery_exceptions[name={name}]")


def _free_name(wanted: str, section: str, draft: Draft) -> str:
    taken = {str(one["name"]).casefold() for one in draft.document.get(section, [])}
    name, number = wanted[:90], 1
    while name.casefold() in taken:
        number += 1
        name = f"{wanted[:90]} ({number})"
    return name
