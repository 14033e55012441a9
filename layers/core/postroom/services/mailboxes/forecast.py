"""What will go wrong with a mailbox that is well today: expiring secrets, protocols that are switched off (X08)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from postroom.model.configuration import Mailbox, SecretReference, Security, Type, clouds

AHEAD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing to see to: which rule says so, what will happen, and what to do."""

    rule: str
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A warning that holds for some mailboxes."""

    name: str
    holds: Callable[[Mailbox], bool]
    text: str
    remedy: str


def _by_password(mailbox: Mailbox) -> bool:
    return mailbox.client_id is None and mailbox.account is None


def _is_exchange_by_password(mailbox: Mailbox) -> bool:
    by_protocol = mailbox.type in (Type.IMAP, Type.POP3)
    return by_protocol and clouds.is_exchange_online(mailbox.server) and _by_password(mailbox)


RULES: tuple[Rule, ...] = (
    Rule(
        "ews-exchange-online",
        lambda mailbox: mailbox.type is Type.EWS and clouds.is_exchange_online(mailbox.server),
        "Exchange Online blocks EWS since October 2026.",
        "Change the type to GRAPH.",
    ),
    Rule(
        "password-exchange-online",
        _is_exchange_by_password,
        "Exchange Online takes no passwords for IMAP and POP3 any more.",
        "Use OAuth (`client_id`, `directory_id`, …) or the type GRAPH.",
    ),
    Rule(
        "password-google",
        lambda mailbox: clouds.is_google_mail(mailbox.server) and _by_password(mailbox),
        "Google takes app passwords only, and none where an administrator has switched them off.",
        "Use OAuth.",
    ),
    Rule(
        "plain-text",
        lambda mailbox: mailbox.type in (Type.IMAP, Type.POP3) and mailbox.security is Security.NONE,
        "Mail and password travel unencrypted.",
        "Set `security` to ssl-tls or start-tls-required.",
    ),
    Rule(
        "opportunistic-tls",
        lambda mailbox: mailbox.type in (Type.IMAP, Type.POP3) and mailbox.security is Security.START_TLS,
        "Whoever stands between can keep the connection unencrypted.",
        "Set `security` to start-tls-required or ssl-tls.",
    ),
)


def warnings(mailbox: Mailbox, *, today: date, valid_until: Mapping[str, date]) -> tuple[Concern, ...]:
    """List what to see to; `valid_until`: name of a secret → its last day, where the issuer sets one."""
    found = [Concern(rule.name, rule.text, rule.remedy) for rule in RULES if rule.holds(mailbox)]
    for reference in (mailbox.password, mailbox.client_secret):
        last = valid_until.get(_name(reference)) if reference else None
        if last is not None and last - today <= AHEAD:
            when = f"expires on {last}" if last >= today else f"expired on {last}"
            found.append(
                Concern("secret-expires", f"The {reference} {when}.", "Make a new one and enter it: nothing is lost.")
            )
    return tuple(found)


def _name(reference: SecretReference) -> str:
    return reference.secret or str(reference.secretsmanager)
