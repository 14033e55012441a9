"""What SES would tell EventBridge about a mail it took: events in SES's own shape, simulated.

Shape: Amazon SES Developer Guide, "Examples of event data that Amazon SES publishes"; through EventBridge each is the
`detail` of an event with source `aws.ses`. What becomes of the mail is decided by its recipient, with the addresses of
SES's own mailbox simulator; every other address accepts.
"""

from __future__ import annotations

import base64
import email
import email.policy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SIMULATOR_DOMAIN = "simulator.amazonses.com"


@dataclass(frozen=True, slots=True)
class Accepted:
    """One mail that the local SES took."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    configuration_set: str | None
    tags: Mapping[str, str]
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """Return it for a machine, the content in base64."""
        return {
            "message_id": self.message_id,
            "sender": self.sender,
            "recipients": list(self.recipients),
            "content": base64.b64encode(self.content).decode("ascii"),
            "configuration_set": self.configuration_set,
            "tags": dict(self.tags),
            "at": self.at.isoformat(),
        }


def accepted(request: Mapping[str, Any], *, message_id: str, at: datetime) -> Accepted:
    """Read a `SendEmail` request (SES API v2) that was answered with `message_id`."""
    destination = request.get("Destination", {})
    recipients = [
        address for key in ("ToAddresses", "CcAddresses", "BccAddresses") for address in destination.get(key) or ()
    ]
    raw = request.get("Content", {}).get("Raw", {}).get("Data", "")
    content = base64.b64decode(raw) if isinstance(raw, str) else bytes(raw)
    return Accepted(
        message_id=message_id,
        sender=request.get("FromEmailAddress") or "",
        recipients=tuple(recipients),
        content=content,
        configuration_set=request.get("ConfigurationSetName"),
        tags={tag["Name"]: tag["Value"] for tag in request.get("EmailTags") or ()},
        at=at,
    )


def events(mail: Accepted, *, matching: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield `PutEvents` entries for the event types of `matching` (`send`, `delivery`, `bounce`, `complaint` …)."""
    for kind, key, detail in _what_happens(mail):
        if key in matching:
            yield {
                "Source": "aws.ses",
                "DetailType": f"Email {kind}",
                "Detail": json.dumps({"eventType": kind, "mail": _mail(mail), key: detail}),
            }


def _what_happens(mail: Accepted) -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "Send", "send", {}
    moment = _moment(mail.at)
    bounced = [address for address in mail.recipients if _is_simulator(address, "bounce")]
    complained = [address for address in mail.recipients if _is_simulator(address, "complaint")]
    delivered = [address for address in mail.recipients if address not in bounced]
    if bounced:
        yield (
            "Bounce",
            "bounce",
            {
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": [
                    {
                        "emailAddress": address,
                        "action": "failed",
                        "status": "5.1.1",
                        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                    }
                    for address in bounced
                ],
                "timestamp": moment,
                "feedbackId": f"feedback-{mail.message_id}",
                "reportingMTA": "dns; local.invalid",
            },
        )
    if delivered:
        yield (
            "Delivery",
            "delivery",
            {
                "timestamp": moment,
                "processingTimeMillis": 1,
                "recipients": delivered,
                "smtpResponse": "250 2.6.0 Message received (simulated by the local runner)",
                "reportingMTA": "local.invalid",
            },
        )
    if complained:
        yield (
            "Complaint",
            "complaint",
            {
                "complainedRecipients": [{"emailAddress": address} for address in complained],
                "timestamp": moment,
                "feedbackId": f"feedback-{mail.message_id}",
                "complaintFeedbackType": "abuse",
            },
        )


def _is_simulator(address: str, kind: str) -> bool:
    local, _at, domain = address.strip("<> ").lower().rpartition("@")
    return domain == SIMULATOR_DOMAIN and local.partition("+")[0] == kind


def _mail(mail: Accepted) -> dict[str, Any]:
    message = email.message_from_bytes(mail.content, policy=email.policy.compat32)
    headers = [{"name": name, "value": str(value)} for name, value in message.items()]
    return {
        "timestamp": _moment(mail.at),
        "source": mail.sender,
        "sourceArn": "arn:aws:ses:eu-central-1:123456789012:identity/local",
        "sendingAccountId": "123456789012",
        "messageId": mail.message_id,
        "destination": list(mail.recipients),
        "headersTruncated": False,
        "headers": headers,
        "commonHeaders": {
            "from": [str(message.get("From", ""))],
            "to": [str(message.get("To", ""))],
            "messageId": str(message.get("Message-ID", mail.message_id)),
            "subject": str(message.get("Subject", "")),
        },
        "tags": {
            "ses:operation": ["SendEmail"],
            "ses:configuration-set": [mail.configuration_set or ""],
            **{name: [value] for name, value in mail.tags.items()},
        },
    }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
