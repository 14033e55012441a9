"""What is known of a mail beside its bytes: when and where it came in, whether it was cut, and for whom it is."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from postroom.mail.headers import address_key
from postroom.mail.outgoing import thread_token
from postroom.model import (
    MAILBOX_ADDRESS,
    OLD,
    OVERSIZE,
    SERIES,
    SERVER_DATE,
    SERVER_ID,
    SIZE,
    Body,
    Decision,
    Outcome,
    RawMessage,
    Understanding,
    parse_raw_key,
)
from postroom.model import DecisionRule as Rule
from postroom.model.configuration import Mailbox
from postroom.services.policy import Policy


@dataclass(frozen=True, slots=True)
class Facts:
    """One raw message with its mailbox (None: not configured any more), and the time."""

    stored: RawMessage
    mailbox_name: str
    mailbox: Mailbox | None
    now: datetime

    @property
    def server_date(self) -> datetime | None:
        """Return when the mail server received it, as the fetcher noted."""
        text = self.stored.metadata.get(SERVER_DATE, "")
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(text).astimezone(UTC)
        return None

    @property
    def day(self) -> datetime:
        """Return the day attachments are filed under: the same at every try, since the raw key names it."""
        return parse_raw_key(self.stored.key).stored

    @property
    def series(self) -> str:
        """Return what its id on the server means one and the same mail in; empty when an earlier version fetched it."""
        return self.stored.metadata.get(SERIES, "")

    @property
    def old(self) -> bool:
        """Tell whether it lay there before the mailbox was connected (X13)."""
        return self.stored.metadata.get(OLD) == "true"

    @property
    def oversize(self) -> bool:
        """Tell whether only its headers were fetched (G08)."""
        return self.stored.metadata.get(OVERSIZE) == "true"


def acknowledgement_of(mailbox: Mailbox | None, policy: Policy) -> str:
    """Name the template of the endpoint that the mailbox names, or of the default one; empty for none."""
    configuration = policy.configuration
    endpoints = {endpoint.name: endpoint for endpoint in configuration.endpoints}
    named = endpoints.get(mailbox.endpoint or "") if mailbox else None
    endpoint = named or endpoints.get(configuration.settings.default_endpoint or "")
    return (endpoint.acknowledgement or "") if endpoint else ""


def stripped(mail: Understanding, policy: Policy, facts: Facts) -> Understanding:
    """Return an over-size mail as people see it: its headers, the replacement text, and why (G08, S03)."""
    size = facts.stored.metadata.get(SIZE, "")
    limit = facts.mailbox.maximum_msg_size if facts.mailbox else 0
    detail = f"{size} bytes on the server, maximum_msg_size is {limit} MB: only the headers were fetched"
    text = policy.texts.over_size
    return replace(
        mail,
        body=Body(text=text, text_reply=text),
        files=(),
        attributes={
            **mail.attributes,
            "OverSize": size,
            "OverSizeReason": detail,
            "ServerId": facts.stored.metadata.get(SERVER_ID, ""),
        },
        decisions=(*mail.decisions, Decision(Rule.OVER_SIZE, Outcome.HEADERS_ONLY, detail)),
    )


def with_replacement_text(body: Body, policy: Policy) -> Body:
    """Return the body, or the replacement text where a mail has no text at all (S04)."""
    if body.text.strip():
        return body
    return replace(body, text=policy.texts.no_body, text_reply=policy.texts.no_body)


@dataclass(frozen=True, slots=True)
class Copy:
    """One interaction to make of a mail. The first has the raw message's own identity."""

    identity: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()

    @property
    def is_first(self) -> bool:
        """Tell whether it is the one interaction that every mail becomes."""
        return not self.identity


def copies(mail: Understanding, mailbox: Mailbox | None, policy: Policy) -> list[Copy]:
    """List the interactions to make: one, or one for each unique recipient where the mailbox asks for it (G05).

    An address of ours is the same recipient with our token in its plus-part and without.
    """
    # Answers leave from the address that a mail came in by, also when its mailbox is not configured any more (C04).
    by = {MAILBOX_ADDRESS: mailbox.address} if mailbox else {}
    if mailbox is None or not mailbox.copy_message_to_recipients:
        return [Copy(attributes=by)]
    recipients = list(dict.fromkeys(_recipient(one.address, policy) for one in (*mail.to, *mail.cc) if one.address))
    kept = recipients[: mailbox.inbound_msg_copy_limit]
    if not kept:
        return [Copy(attributes=by)]
    detail = f"{len(kept)} of {len(recipients)} recipients; inbound_msg_copy_limit is {mailbox.inbound_msg_copy_limit}"
    decision = Decision(Rule.COPIES, Outcome.COPIED, detail)
    return [
        Copy(
            identity="" if number == 0 else recipient,
            attributes={mailbox.copy_message_with_header: recipient, **by},
            decisions=(decision,),
        )
        for number, recipient in enumerate(kept)
    ]


def _recipient(address: str, policy: Policy) -> str:
    plain = address_key(thread_token.without_plus_part(address))
    return plain if plain in policy.own_addresses else address_key(address)
