"""Amazon SES (API v2): one request a mail, never repeated by the client."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from postroom.errors import SendDeferred, SendRefused, SendUncertain
from postroom.model import Envelope, Sent
from postroom.ports import BeforeData

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

TAG = "postroom-outbound"
"""Tag that SES gives back in every event about the mail."""

_BETWEEN = re.compile(r"[\s,;:<>\"'()]+")

_REFUSED: dict[str, str] = {
    "MessageRejected": "Read the reason; correct the content or the recipients.",
    "BadRequestException": "Correct the addresses or the content.",
    "ValidationException": "Correct the addresses or the content.",
}
_NOT_PERMITTED = (
    "sender_not_permitted",
    "This stack may send as its parameter SesIdentity only: deploy it with an identity that {sender} belongs to, or "
    "give its alias an outbound server of type smtp",
)
_FOR_ADMINISTRATORS: dict[str, tuple[str, str]] = {
    "AccessDeniedException": _NOT_PERMITTED,
    "AccessDenied": _NOT_PERMITTED,
    "MailFromDomainNotVerifiedException": (
        "identity_not_verified",
        "Mend the MAIL FROM domain of {sender} in SES, or let SES use its own when it fails",
    ),
    "NotFoundException": ("configuration_set_missing", "Deploy the stack again: its SES configuration set is missing"),
    "SendingPausedException": (
        "sending_paused",
        "Sending is paused for this account or its configuration set: resume it in SES",
    ),
    "AccountSuspendedException": (
        "account_suspended",
        "AWS has suspended sending for this account: see your AWS support case",
    ),
}
"""What only an administrator's act ends: code of SES → ours (`services/outbound/waiting.py` says
how they are waited for), and the remedy."""

_QUOTA = (
    "ses_quota",
    "The mails that SES takes in 24 hours are spent: they become free hour by hour. Ask AWS for a higher sending quota "
    "(Service Quotas, SES); the mail waits.",
)
_RATE = ("ses_rate", "SES takes so many mails a second: it is tried again by itself within seconds to minutes.")
_DAILY = re.compile(r"\bdaily\b|\bquota\b|24[- ]?hour", re.IGNORECASE)
_NOT_VERIFIED = re.compile(r"\bnot verified\b", re.IGNORECASE)
_LIMITED = frozenset({"TooManyRequestsException", "LimitExceededException"})
_NOT_TAKEN = frozenset({401, 403, 408})
"""Statuses by which AWS turns a request away unread: signed by a clock that is wrong, by an old role."""

_UNSENT = (
    EndpointConnectionError,
    ConnectTimeoutError,
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    ParamValidationError,
)


class SesTransport:
    """Implements ports.Transport; the client must be made with `total_max_attempts=1`."""

    def __init__(self, client: SESV2Client, *, configuration_set: str) -> None:
        self._client = client
        self._configuration_set = configuration_set

    def send(self, content: bytes, envelope: Envelope, *, outbound_id: str, before_data: BeforeData) -> Sent:
        """Make one request; raises SendRefused, SendDeferred or SendUncertain."""
        before_data()
        try:
            answer = self._client.send_email(
                FromEmailAddress=envelope.sender,
                Destination={"ToAddresses": list(envelope.recipients)},
                Content={"Raw": {"Data": content}},
                EmailTags=[{"Name": TAG, "Value": outbound_id}],
                ConfigurationSetName=self._configuration_set,
            )
        except ClientError as error:
            raise _refusal(error, envelope.sender) from error
        except _UNSENT as error:
            raise SendDeferred(f"SES could not be reached: {error}", on="SES") from error
        except BotoCoreError as error:  # read timeout, connection closed: the request may have been taken
            raise SendUncertain(f"SES did not answer: {error}", on="SES") from error
        return Sent(
            provider_id=answer["MessageId"],
            message_id=message_id_of(answer["MessageId"], self._client.meta.region_name),
        )


def message_id_of(provider_id: str, region: str) -> str:
    """Return the Message-ID header that SES writes over ours (SES developer guide, 'Message-ID')."""
    return f"<{provider_id}@{'email' if region == 'us-east-1' else region}.amazonses.com>"


def _refusal(error: ClientError, sender: str) -> SendRefused | SendDeferred | SendUncertain:
    code = error.response["Error"]["Code"]
    said = error.response["Error"].get("Message", "")
    what = f"SES answered {code}: {said}"
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    ours, remedy = _FOR_ADMINISTRATORS.get(code, ("", ""))
    if code == "MessageRejected" and _names(said, sender):
        ours, remedy = "identity_not_verified", "Verify {sender} or its domain in SES"
    elif code == "MessageRejected" and _NOT_VERIFIED.search(said):
        # Of a recipient SES asks this only in the sandbox.
        ours = "ses_sandbox"
        remedy = "Ask AWS to take this account out of the SES sandbox, or verify the recipient"
    if ours:
        remedy = f"{remedy.format(sender=sender or 'the sender')}; the mail waits. After that it leaves within 30 min."
        return SendDeferred(what, on="SES", code=ours, remedy=remedy)
    if status == 429 or "Throttling" in code or code in _LIMITED:
        spent = code == "LimitExceededException" or _DAILY.search(said)
        ours, remedy = _QUOTA if spent else _RATE
        return SendDeferred(what, on="SES", code=ours, remedy=remedy)
    if status in _NOT_TAKEN:
        return SendDeferred(what, on="SES", code=code, remedy="It is tried again by itself.")
    if code in _REFUSED or 400 <= status < 500:
        return SendRefused(what, on="SES", code=code, remedy=_REFUSED.get(code, ""))
    return SendUncertain(what, on="SES", code=code)  # a 500 says nothing of what had happened before it


def _names(said: str, sender: str) -> bool:
    """Tell whether SES misses the sender's identity ("… not verified … failed the check …"), not a recipient's."""
    # As a whole word: `port@…` is no part of `support@…`, who is a recipient that the sandbox does not let through.
    return bool(sender) and sender.casefold() in {word.strip(".") for word in _BETWEEN.split(said.casefold())}
