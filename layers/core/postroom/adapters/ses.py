"""Amazon SES (API v2): one request a mail, never repeated by the client."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
)

from postroom.errors import SendDeferred, SendRefused, SendUncertain
from postroom.ports import BeforeData, Envelope, Sent

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

TAG = "postroom-outbound"
"""Tag that SES gives back in every event about the mail."""

_BETWEEN = re.compile(r"[\s,;:<>\"'()]+")

_REFUSED: dict[str, str] = {
    "MessageRejected": "Read the reason; a sandbox account may write to verified addresses only.",
    "BadRequestException": "Correct the addresses or the content.",
    "NotFoundException": "Deploy the stack again: the SES configuration set is missing.",
    "ValidationException": "Correct the addresses or the content.",
}
_DEFERRED: dict[str, str] = {
    "TooManyRequestsException": "It is tried again by itself.",
    "ThrottlingException": "It is tried again by itself.",
    "Throttling": "It is tried again by itself.",
    "LimitExceededException": "Ask AWS for a higher sending quota, or wait for tomorrow.",
    "SendingPausedException": "Sending is paused for this account: resume it in SES.",
    "AccountSuspendedException": "AWS has suspended sending for this account: see your AWS support case.",
    "AccessDeniedException": "Give the function's role the right ses:SendEmail for this identity.",
}


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
        except (EndpointConnectionError, ConnectTimeoutError, NoCredentialsError, ParamValidationError) as error:
            raise SendDeferred(f"SES could not be reached: {error}", on="SES") from error
        except HTTPClientError as error:  # read timeout, connection closed: the request may have been taken
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
    if code == "MailFromDomainNotVerifiedException" or (code == "MessageRejected" and _names(said, sender)):
        return SendDeferred(
            what,
            on="SES",
            code="identity_not_verified",
            remedy=f"Verify {sender or 'the sender'} or its domain in SES; the mail waits.",
        )
    if code in _DEFERRED or status == 429:
        return SendDeferred(what, on="SES", code=code, remedy=_DEFERRED.get(code, "It is tried again by itself."))
    if code in _REFUSED or 400 <= status < 500:
        return SendRefused(what, on="SES", code=code, remedy=_REFUSED.get(code, ""))
    return SendUncertain(what, on="SES", code=code)  # a 500 says nothing of what had happened before it


def _names(said: str, sender: str) -> bool:
    """Tell whether SES misses the sender's identity ("… not verified … failed the check …"), not a recipient's."""
    # As a whole word: `port@…` is no part of `support@…`, who is a recipient that the sandbox does not let through.
    return bool(sender) and sender.casefold() in {word.strip(".") for word in _BETWEEN.split(said.casefold())}
