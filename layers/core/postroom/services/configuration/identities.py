"""Which mailbox of a new configuration is which of the old: by identity, which a rename keeps (docs/adr/0024)."""

from __future__ import annotations

from collections.abc import Iterator

from postroom.errors import Problem
from postroom.mail.headers import address_key
from postroom.model.configuration import Configuration, Mailbox
from postroom.rules.polling import place, place_parts

_TWICE = "mail that lies on its server would come, and be answered, a second time"


def named_before(old: Configuration, new: Configuration) -> dict[str, Mailbox]:
    """Map the names of mailboxes in `new` to what they were in `old`, under whatever name."""
    before = {mailbox.identity: mailbox for mailbox in old.mailboxes}
    return {mailbox.name: before[mailbox.identity] for mailbox in new.mailboxes if mailbox.identity in before}


def guards(old: Configuration, new: Configuration) -> Iterator[Problem]:
    """Name the mailboxes that would lose what is stored of them, although their names say that they are the same."""
    there = {mailbox.name: mailbox for mailbox in old.mailboxes}
    identities = {mailbox.identity for mailbox in new.mailboxes}
    for mailbox in new.mailboxes:
        same_name = there.get(mailbox.name)
        named = there.get(mailbox.renamed_from or "")
        if same_name is not None and same_name.identity not in identities:
            first = same_name.renamed_from
            yield Problem(
                _path(mailbox),
                f"would part the mailbox from what is stored of it under `{same_name.identity}`: {_TWICE}.",
                f"Write `renamed_from: {first}`." if first else "Remove `renamed_from`.",
            )
        elif named is not None and named.identity not in identities:
            yield Problem(
                _path(mailbox),
                f"names `{named.name}`, which was itself renamed: what is stored of it is kept under "
                f"`{named.identity}`, and {_TWICE}.",
                f"Write `renamed_from: {named.identity}`.",
            )


def warnings(old: Configuration, new: Configuration) -> Iterator[Problem]:
    """Say what a mailbox is taken for, where a person may have meant something else."""
    before = named_before(old, new)
    kept = {mailbox.identity for mailbox in new.mailboxes}
    gone = [mailbox for mailbox in old.mailboxes if mailbox.identity not in kept]
    for mailbox in new.mailboxes:
        was = before.get(mailbox.name)
        if was is not None:
            yield from _moved(old.effective(was), new.effective(mailbox))
            continue
        if mailbox.renamed_from:
            yield Problem(
                _path(mailbox),
                f"names no mailbox of the configuration in force; what is stored of a removed one, "
                f"`{mailbox.renamed_from}`, counts as this mailbox's.",
                "Remove `renamed_from` if it is another mailbox.",
            )
        for other in gone:
            if not mailbox.renamed_from and _is_alike(old.effective(other), new.effective(mailbox)):
                yield Problem(
                    f"mailboxes[name={mailbox.name}]",
                    f"is like the mailbox `{other.name}` that goes, and is taken for another one: {_TWICE}.",
                    f"If it is the same, write `renamed_from: {other.identity}`.",
                )


def successor_of(gone: Mailbox, old: Configuration, new: Configuration) -> Mailbox | None:
    """Find the mailbox that one which goes may have been renamed to, where nobody has said so."""
    before = named_before(old, new)
    new_ones = (mailbox for mailbox in new.mailboxes if mailbox.name not in before)
    return next((one for one in new_ones if _is_alike(old.effective(gone), new.effective(one))), None)


def _moved(was: Mailbox, now: Mailbox) -> Iterator[Problem]:
    before = place_parts(was)
    for option, part in place_parts(now).items():
        if part != before[option]:
            by_address = option == "login" and was.login == now.login
            yield Problem(
                f"mailboxes[name={now.name}].{'address' if by_address else option}",
                "changes: the mailbox is taken for the same if its server shows mail there that is known by id and "
                "content; else all that lies there is looked at anew, and what was stored is known by its bytes.",
                f"`postroom mailbox show {now.name}` tells after the next poll whether that was done.",
            )


def _is_alike(one: Mailbox, other: Mailbox) -> bool:
    return place(one) == place(other) or address_key(one.bare_address) == address_key(other.bare_address)


def _path(mailbox: Mailbox) -> str:
    return f"mailboxes[name={mailbox.name}].renamed_from"
