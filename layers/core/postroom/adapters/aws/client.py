"""What all AWS adapters share: how long a call may take, how often it is tried, and what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from postroom.errors import Permanent, PostroomError, Transient

if TYPE_CHECKING:
    from botocore.exceptions import _ClientErrorResponseTypeDef

# Condition failures are answers, not errors: those who set the condition handle them.
_ANSWERS = frozenset({"ConditionalCheckFailedException"})

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "DisabledException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "KMSInvalidStateException",
        "NoSuchBucket",
        "NotFoundException",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
    }
)

# 4xx codes that another try can mend; 5xx all can.
_PASSING = frozenset(
    {
        "ConditionalRequestConflict",
        "LimitExceededException",
        "OperationAborted",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeTooSkewed",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


def config(*, connections: int = 10, attempts: int = 3, read_timeout: float = 10.0) -> Config:
    """Describe a client: `connections` at the same time, `attempts` in all, seconds until an answer."""
    return Config(
        max_pool_connections=connections,
        connect_timeout=3.0,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )


@contextmanager
def aws_errors(doing: str, *, on: str = "") -> Iterator[None]:
    """Translate botocore's errors; `doing` says what was being done, in the form 'writing the interaction'.

    Failed conditions pass through untouched. What a person must mend outside (a permission, a key, a missing bucket)
    is Transient too: mail must not be set aside for it, it waits until the permission is back.
    """
    try:
        yield
    except ClientError as error:
        if _is_answer(error.response):
            raise
        raise _translated(error, doing, on) from error
    except BotoCoreError as error:
        raise Transient(
            f"AWS did not answer while {doing}: {type(error).__name__}", on=on, code="aws_unreachable"
        ) from error


def error_code(error: ClientError) -> str:
    """Return the code AWS gave."""
    return error.response.get("Error", {}).get("Code", "")


def _is_answer(response: _ClientErrorResponseTypeDef) -> bool:
    code = response.get("Error", {}).get("Code", "")
    if code == "TransactionCanceledException":
        reasons: list[dict[str, Any]] = response.get("CancellationReasons", [])  # type: ignore[assignment]  # stubs lack it
        return any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons)
    return code in _ANSWERS


def _translated(error: ClientError, doing: str, on: str) -> PostroomError:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _DENIED:
        return Transient(
            f"AWS refused while {doing}: {code}",
            on=on,
            code="aws_denied",
            remedy="Look whether the resource, its key and the function's permission are there; it is tried again.",
        )
    if code in _PASSING or code == "TransactionCanceledException" or status >= 500:
        return Transient(f"AWS was busy while {doing}: {code}", on=on, code="aws_busy")
    return Permanent(f"AWS refused what was asked while {doing}: {code}", on=on, code="aws_refused")
