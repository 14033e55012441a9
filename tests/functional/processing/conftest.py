"""A stack with a configuration of one department, three queues and two mailboxes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.aws_stack import AwsStack

CONFIGURATION: dict[str, Any] = {
    "settings": {
        "default_domain": "example.com",
        "default_department": "service",
        "default_inbound_queue": "general",
        "exception_queue": "exceptions",
        "trusted_authserv_ids": ["mx.example.com"],
    },
    "departments": [{"name": "service"}],
    "queues": [{"name": "general"}, {"name": "support"}, {"name": "exceptions"}],
    "endpoints": [{"name": "support", "queue": "support", "acknowledgement": "received"}],
    "templates": [
        {"name": "received", "subject": "We have your mail", "text": "Your number is {{interaction.id}}. {{subject}}"}
    ],
    "mailboxes": [
        {
            "name": "support",
            "address": "support@example.com",
            "server": "mail.example.com",
            "endpoint": "support",
            "password": {"secret": "support"},
        },
        {
            "name": "sales",
            "address": "sales@example.com",
            "server": "mail.example.com",
            "password": {"secret": "sales"},
        },
    ],
    "outbound_servers": [{"name": "smtp-client", "type": "ses"}],
}


@pytest.fixture
def configured(stack: AwsStack) -> AwsStack:
    """The stack with the configuration in force."""
    stack.configure(**CONFIGURATION)
    return stack
