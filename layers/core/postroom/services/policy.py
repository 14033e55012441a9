"""What the configuration means for reading a mail: made once for each configuration, used for every mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from postroom.mail.address import parse_addresses
from postroom.model.configuration import Configuration
from postroom.rules import attachments, exceptions, masking


@dataclass(frozen=True, slots=True)
class Policy:
    """Compiled settings; `own_addresses` in lower case."""

    configuration: Configuration
    own_addresses: frozenset[str]
    exceptions: tuple[exceptions.DeliveryException, ...]
    strict_exceptions: bool
    attachments: attachments.AttachmentPolicy
    masking: tuple[masking.Compiled, ...]
    trusted_authserv_ids: tuple[str, ...]
    auto_reply_age: timedelta
    thread_keys: tuple[bytes, ...]


def policy_of(configuration: Configuration, *, thread_keys: Sequence[bytes] = ()) -> Policy:
    """Compile what reading needs of a configuration."""
    own = {
        parsed.address.lower()
        for text in (
            *(mailbox.address for mailbox in configuration.mailboxes),
            *(alias.address for alias in configuration.aliases),
            *(address for alias in configuration.aliases for address in alias.redirection_addresses),
        )
        for parsed in parse_addresses(text)
    }
    return Policy(
        configuration=configuration,
        own_addresses=frozenset(own),
        exceptions=exceptions.predefined(),
        strict_exceptions=False,
        attachments=attachments.AttachmentPolicy(),
        masking=masking.compile_patterns(()),
        trusted_authserv_ids=configuration.settings.trusted_authserv_ids,
        auto_reply_age=configuration.settings.auto_reply.maximum_age,
        thread_keys=tuple(thread_keys),
    )
