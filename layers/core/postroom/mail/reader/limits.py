"""Limits of the mail reader, and the one error it raises."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound what one message may cost; generous, since only hostile mail comes near them."""

    message_bytes: int = 150 * 1024 * 1024
    header_bytes: int = 3 * 1024 * 1024  # of one header section
    headers: int = 10_000  # fields in one header section
    parts: int = 10_000  # of a message, those of embedded messages included
    depth: int = 100  # multiparts within multiparts, embedded messages included
    parameters: int = 2_000  # of one Content-Type or Content-Disposition
    addresses: int = 10_000  # of all address headers together
    address_bytes: int = 1024 * 1024  # of all address headers together


LIMITS = Limits()


class Unreadable(ValueError):
    """Say that a message is beyond a limit, as only hostile mail is; `limit` names the field of Limits."""

    def __init__(self, reason: str, limit: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.limit = limit
