"""S3, SQS and Secrets Manager, and the settings that all clients of AWS are made with."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.aws.client import aws_errors, config, error_code
    from postroom.adapters.aws.redrive import find_dead_letters, queue_urls
    from postroom.adapters.aws.s3 import S3Contents, S3RawMessages
    from postroom.adapters.aws.sqs import SqsDeadLetters, SqsQueue, SqsVisibility
    from postroom.adapters.aws.thread_key import ThreadKeys
else:
    __getattr__ = lazily(
        __name__,
        {
            "client": ["aws_errors", "config", "error_code"],
            "redrive": ["find_dead_letters", "queue_urls"],
            "s3": ["S3Contents", "S3RawMessages"],
            "sqs": ["SqsDeadLetters", "SqsQueue", "SqsVisibility"],
            "thread_key": ["ThreadKeys"],
        },
    )

__all__ = [
    "S3Contents",
    "S3RawMessages",
    "SqsDeadLetters",
    "SqsQueue",
    "SqsVisibility",
    "ThreadKeys",
    "aws_errors",
    "config",
    "error_code",
    "find_dead_letters",
    "queue_urls",
]
