"""Convert a mailbox with a password to an e-mail account's OAuth 2.0, and take it out of the account again (C08).

Nothing here connects: what a conversion would come to is tested by its caller first, with the same steps as any
connection, and is applied only when the mailbox opens. The mailbox keeps its name, so its position, its lease and the
identities of its mail stay what they are.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from postroom.errors import Invalid, NotFound, NotOpened, Problem
from postroom.mail.headers import address_key
from postroom.model.configuration import (
    Authentication,
    Configuration,
    EmailAccount,
    FirstConnection,
    Mailbox,
    OwnLogin,
    SecretReference,
    ServerType,
    Type,
)
from postroom.rules.polling import position
from postroom.services.configuration.checks import uses_oauth
from postroom.services.mailboxes.connection_check import ConnectionTest

_NOT_OF_ACCOUNT = frozenset({"token_refused", "mailbox_not_connected", "folder_not_permitted"})
"""Codes by which a server says that a good token does not open this mailbox."""

_WITHOUT_CONSENT = frozenset({"secret_missing", "consent_missing", "consent_revoked", "consent_expired"})


@dataclass(frozen=True, slots=True)
class Conversion:
    """What converting or taking out comes to; `mailbox` None: it was made under the account, and goes with it.

    `password` is what opened it before, or opens it again. `moved`: its server, user or protocol is another one, so
    that what lies there is looked at anew; what was stored already is known by its content. `warnings`: what goes on
    with a password.
    """

    configuration: Configuration
    mailbox: Mailbox | None
    account: str
    note: str
    password: SecretReference | None = None
    moved: bool = False
    warnings: tuple[Problem, ...] = ()


def convert(configuration: Configuration, name: str, *, account: str, shared: bool = False) -> Conversion:
    """Put a mailbox with a password under an account; raises NotFound, or Invalid with every problem."""
    mailbox = existing(configuration, name)
    problems = [*_not_convertible(mailbox)]
    try:
        found = account_of(configuration, account, address=mailbox.bare_address, shared=shared)
    except Invalid as error:
        problems += error.problems
    if problems:
        raise Invalid(problems)
    own = {field: getattr(mailbox, field) for field in OwnLogin.model_fields}
    changes = dict.fromkeys(OwnLogin.model_fields) | {
        "type": found.server_type.mailbox_type,
        "account": account,
        "shared_mailbox": shared or None,
        "before_account": OwnLogin(**own).model_dump(mode="json", exclude_defaults=True),
    }
    new, changed = _replaced(configuration, mailbox, changes)
    note = f"mailbox {name} converted to {'a shared mailbox of ' if shared else ''}the account {account}"
    moved = _moved(configuration, new, name)
    warnings = (*_sending(configuration, mailbox, account), *_undated(changed, moved=moved))
    return Conversion(new, changed, account, note, mailbox.password, moved, warnings)


def revert(configuration: Configuration, name: str) -> Conversion:
    """Take a mailbox out of its account: a converted one has its password again and is disabled, a new one goes."""
    mailbox = existing(configuration, name)
    account = mailbox.account
    if account is None:
        raise Invalid([Problem("account", f"`{name}` belongs to no account.", "There is nothing to take it out of.")])
    if mailbox.before_account is None:
        kept = tuple(found for found in configuration.mailboxes if found.name != name)
        new = configuration.model_copy(update={"mailboxes": kept})
        return Conversion(new, None, account, f"mailbox {name} removed with its place in the account {account}")
    own = mailbox.before_account
    changes = dict.fromkeys(("account", "shared_mailbox", "before_account", "enabled", *OwnLogin.model_fields))
    new, changed = _replaced(configuration, mailbox, changes | own.model_dump(mode="json", exclude_defaults=True))
    note = f"mailbox {name} taken out of the account {account}, with its own login and disabled"
    moved = _moved(configuration, new, name)
    return Conversion(new, changed, account, note, own.password, moved, tuple(_undated(changed, moved=moved)))


def account_of(configuration: Configuration, name: str, *, address: str, shared: bool) -> EmailAccount:
    """Find the account that shall open an address; raises Invalid when it does not belong to it."""
    account = configuration.account(name)
    if account is None:
        known = [found.name for found in configuration.accounts]
        close = difflib.get_close_matches(name, known, n=1)
        remedy = f"Did you mean `{close[0]}`?" if close else f"Name one of: {', '.join(known) or '(there is none)'}."
        raise Invalid([Problem("account", f"there is no e-mail account `{name}`.", remedy)])
    if not account.active:
        raise Invalid([Problem("account", f"`{name}` is inactive.", "Activate the account first.")])
    own = address_key(address) == address_key(account.address)
    if shared is not own:
        return account
    problem = (
        Problem("shared", f"{address} is the account's own mailbox, no shared one.", "Leave out `--shared`.")
        if shared
        else Problem(
            "account",
            f"`{name}` belongs to {account.address}, not to {address}.",
            "Add `--shared` when it is a shared mailbox that the account may open, or name its own account.",
        )
    )
    raise Invalid([problem])


def check_opened(tested: ConnectionTest, mailbox: Mailbox) -> None:
    """Raise NotOpened, with the step that failed, when a mailbox did not open by its account."""
    error = not_opened(tested, mailbox)
    if error is not None:
        error.what += "; nothing was changed"
        raise error


def not_opened(tested: ConnectionTest, mailbox: Mailbox) -> NotOpened | None:
    """Say in the account's terms why a mailbox (with what its account adds) did not open; None: it did."""
    failed = next((step for step in tested.steps if not step.ok), None)
    if failed is None:
        return None
    account, address, why = mailbox.account or "", mailbox.service_account or mailbox.user, failed.reason
    code, remedy = failed.code, failed.remedy
    what = f"The mailbox does not open by the account {account} ({failed.name}: {why})"
    if mailbox.shared_mailbox and code in _NOT_OF_ACCOUNT:
        code = "not_of_account"
        what = f"{mailbox.bare_address} is no mailbox that the account {account} may open ({failed.name}: {why})"
        remedy = f"Give {address} full access to it (Exchange: Add-MailboxPermission), or use its own account."
    elif code in _WITHOUT_CONSENT:
        remedy = f"Let {address} consent: `postroom oauth login {account}`."
    return NotOpened(what, on=mailbox.name, step=failed.name, code=code, remedy=remedy)


def mailboxes_of(configuration: Configuration, name: str) -> tuple[Mailbox, ...]:
    """List the mailboxes that an account opens, as they are polled; its own comes first, configured or not (C09)."""
    account = configuration.account(name)
    if account is None:
        raise NotFound("There is no such e-mail account", on=name, remedy="Name one of `accounts`.")
    found = [mailbox for mailbox in configuration.mailboxes if mailbox.account == name]
    own = Mailbox(name=name, address=account.address, account=name, type=account.server_type.mailbox_type)
    found.sort(key=lambda mailbox: mailbox.shared_mailbox)
    wanted = found if any(not mailbox.shared_mailbox for mailbox in found) else [own, *found]
    return tuple(configuration.effective(mailbox) for mailbox in wanted)


def existing(configuration: Configuration, name: str) -> Mailbox:
    """Find a mailbox as it is written, without what its account adds; raises NotFound."""
    mailbox = next((found for found in configuration.mailboxes if found.name == name), None)
    if mailbox is None:
        raise NotFound("There is no such mailbox", on=name, remedy="`postroom mailbox list` shows them.")
    return mailbox


def _not_convertible(mailbox: Mailbox) -> list[Problem]:
    if mailbox.account:
        return [
            Problem(
                "account",
                f"`{mailbox.name}` belongs to the account `{mailbox.account}` already.",
                f"Take it out first: `postroom mailbox revert {mailbox.name}`.",
            )
        ]
    if uses_oauth(mailbox):
        return [
            Problem(
                "client_id",
                f"`{mailbox.name}` logs in with OAuth 2.0 of its own already; only a password is converted.",
                "Leave it, or add it anew under the account: `postroom mailbox add … --account`.",
            )
        ]
    return []


def _replaced(configuration: Configuration, mailbox: Mailbox, changes: dict[str, Any]) -> tuple[Configuration, Mailbox]:
    """Return the configuration with the mailbox changed; None takes an option back to its default."""
    given = mailbox.model_dump(mode="json", exclude_defaults=True) | changes
    changed = Mailbox.model_validate({option: value for option, value in given.items() if value is not None})
    mailboxes = tuple(changed if found is mailbox else found for found in configuration.mailboxes)
    return configuration.model_copy(update={"mailboxes": mailboxes}), changed


def _moved(old: Configuration, new: Configuration, name: str) -> bool:
    before, after = old.mailbox(name), new.mailbox(name)
    return before is not None and after is not None and position.place(before) != position.place(after)


def _sending(configuration: Configuration, mailbox: Mailbox, account: str) -> Iterator[Problem]:
    """Warn of aliases of the address whose mail leaves by a server with a password."""
    for index, alias in enumerate(configuration.aliases):
        server = configuration.outbound_server(alias.outbound_server)
        with_password = server is not None and (server.type, server.authentication) == (
            ServerType.SMTP,
            Authentication.BASIC,
        )
        if server and with_password and address_key(alias.bare_address) == address_key(mailbox.bare_address):
            yield Problem(
                f"aliases[{index}].outbound_server",
                f"the alias `{alias.name}` goes on sending by `{server.name}`, with a password.",
                f"Where the provider takes none any more, give it a server with `account: {account}`.",
            )


def _undated(mailbox: Mailbox, *, moved: bool) -> Iterator[Problem]:
    """Warn where nothing tells any more which mail was there before the first connection: no dates, and other ids."""
    if moved and mailbox.type is Type.POP3 and mailbox.first_connection is not FirstConnection.ALL:
        yield Problem(
            "first_connection",
            "was decided with dates or ids that POP3 does not have: older mail that lies there is taken too.",
            "Move it out of the inbox first, where agents are not to see it.",
        )
