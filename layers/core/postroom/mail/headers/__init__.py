"""Structured headers: addresses, dates, encoded words, parameters."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.mail.headers.address import Address, is_valid, parse_addresses, parse_mailboxes
    from postroom.mail.headers.canonical import address_key, canonical_address, domain_owner, provider_of
    from postroom.mail.headers.date import parse_date
    from postroom.mail.headers.domain_names import related_domains, suspicious_domain
    from postroom.mail.headers.encoded_words import decode_header
    from postroom.mail.headers.parameters import Parameters, parse
    from postroom.mail.headers.strict_address import NotAnAddress, ascii_domain, typed_address, typed_mailbox
else:
    __getattr__ = lazily(
        __name__,
        {
            "address": ["Address", "is_valid", "parse_addresses", "parse_mailboxes"],
            "canonical": ["address_key", "canonical_address", "domain_owner", "provider_of"],
            "date": ["parse_date"],
            "domain_names": ["related_domains", "suspicious_domain"],
            "encoded_words": ["decode_header"],
            "parameters": ["Parameters", "parse"],
            "strict_address": ["NotAnAddress", "ascii_domain", "typed_address", "typed_mailbox"],
        },
    )

__all__ = [
    "Address",
    "NotAnAddress",
    "Parameters",
    "address_key",
    "ascii_domain",
    "canonical_address",
    "decode_header",
    "domain_owner",
    "is_valid",
    "parse",
    "parse_addresses",
    "parse_date",
    "parse_mailboxes",
    "provider_of",
    "related_domains",
    "suspicious_domain",
    "typed_address",
    "typed_mailbox",
]
