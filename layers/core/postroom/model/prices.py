"""What AWS asks for what Postroom uses, and how much of it one step takes: the one table behind `docs/costs.md` and
`postroom mailbox costs`.

Quantities that tests count stand beside those that are assumed; `docs/costs.md` says which is which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

REGION = "us-east-1"
AS_OF = date(2026, 5, 11)  # the last time that they were compared with what AWS asks
MONTH = 730 * 3600  # seconds, as AWS counts a month


class Resource(StrEnum):
    """What is billed."""

    S3_PUT = "S3 puts"
    S3_GET = "S3 gets"
    S3_STORAGE = "GB stored in S3 for a month"
    WRITE_UNITS = "DynamoDB write units"
    READ_UNITS = "DynamoDB read units"
    SQS = "SQS requests"
    LAMBDA = "Lambda requests"
    LAMBDA_TIME = "Lambda GB-seconds"
    LOGS = "GB of log lines"
    SES = "mails sent by SES"


@dataclass(frozen=True, slots=True)
class Price:
    """So many US dollars for so many of it; on demand, first tier, without the free one."""

    dollars: float
    per: int


PRICES: Mapping[Resource, Price] = {
    Resource.S3_PUT: Price(0.005, 1_000),
    Resource.S3_GET: Price(0.0004, 1_000),
    Resource.S3_STORAGE: Price(0.023, 1),
    Resource.WRITE_UNITS: Price(0.625, 1_000_000),
    Resource.READ_UNITS: Price(0.125, 1_000_000),
    Resource.SQS: Price(0.40, 1_000_000),
    Resource.LAMBDA: Price(0.20, 1_000_000),
    Resource.LAMBDA_TIME: Price(0.0000133334, 1),  # arm64
    Resource.LOGS: Price(0.50, 1),
    Resource.SES: Price(0.10, 1_000),
}


class Step(StrEnum):
    """What is done again and again."""

    POLL = "poll requests"  # one message for up to a hundred mailboxes, and this mailbox's share of it
    LOOK = "looks"  # one mailbox of it
    FETCH = "polls that fetched"
    MAIL = "mails"
    ACKNOWLEDGEMENT = "acknowledgements"


_GB = 1_000_000_000

USES: Mapping[Step, Mapping[Resource, float]] = {
    # Sent in batches of ten, received, deleted; one read of the configuration's pointer; one item
    # says when its mailboxes were polled. The time: five round trips of 80 ms and a TLS handshake, which the mailboxes
    # of a message spend together, at 1 GB of memory.
    Step.POLL: {
        Resource.SQS: 3,
        Resource.WRITE_UNITS: 1,
        Resource.READ_UNITS: 0.5,
        Resource.LAMBDA: 1,
        Resource.LAMBDA_TIME: 0.65,
        Resource.LOGS: 600 / _GB,
    },
    # Its state, read with the others of the message; the processor time of TLS.
    Step.LOOK: {Resource.READ_UNITS: 0.5, Resource.LAMBDA_TIME: 0.004},
    # Taking the lease, and giving it back with all that was done.
    Step.FETCH: {Resource.WRITE_UNITS: 2, Resource.READ_UNITS: 1, Resource.LAMBDA_TIME: 0.5},
    Step.MAIL: {
        Resource.S3_PUT: 1,
        Resource.S3_GET: 1,
        Resource.WRITE_UNITS: 7,
        Resource.READ_UNITS: 2,
        Resource.SQS: 2,
        Resource.LAMBDA: 1,
        Resource.LAMBDA_TIME: 0.25,  # 150 ms at 1,769 MB
        Resource.LOGS: 300 / _GB,
    },
    # With the interaction in one transaction; then three updates while it is sent.
    Step.ACKNOWLEDGEMENT: {
        Resource.WRITE_UNITS: 16 + 9,
        Resource.READ_UNITS: 2,
        Resource.SQS: 3,
        Resource.LAMBDA: 2,  # sending, and following what SES tells
        Resource.LAMBDA_TIME: 0.25,
        Resource.LOGS: 600 / _GB,
        Resource.SES: 1,
    },
}


def dollars(resource: Resource, quantity: float) -> float:
    """Return what so much of it costs."""
    price = PRICES[resource]
    return quantity * price.dollars / price.per
