"""Mail of machines: delivery reports, bounces, complaints, automatic replies."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.mail.reports.automatic_evidence import (
        CORROBORATING,
        PERSON,
        Automatic,
        Evidence,
        automatic,
        corroborates_failure,
        corroboration,
        withholding_headers,
    )
    from postroom.mail.reports.bounce import read_bounce
    from postroom.mail.reports.delivery_report import DeliveryReport, Recipient, ReportKind
    from postroom.mail.reports.report_text import human_text, returned_message_id
    from postroom.mail.reports.server import is_titled
    from postroom.mail.reports.standard import read_report
    from postroom.mail.reports.substitute import is_substitute
else:
    __getattr__ = lazily(
        __name__,
        {
            "automatic_evidence": [
                "Automatic",
                "CORROBORATING",
                "Evidence",
                "PERSON",
                "automatic",
                "corroborates_failure",
                "corroboration",
                "withholding_headers",
            ],
            "bounce": ["read_bounce"],
            "delivery_report": ["DeliveryReport", "Recipient", "ReportKind"],
            "report_text": ["human_text", "returned_message_id"],
            "server": ["is_titled"],
            "standard": ["read_report"],
            "substitute": ["is_substitute"],
        },
    )

__all__ = [
    "CORROBORATING",
    "PERSON",
    "Automatic",
    "DeliveryReport",
    "Evidence",
    "Recipient",
    "ReportKind",
    "automatic",
    "corroborates_failure",
    "corroboration",
    "human_text",
    "is_substitute",
    "is_titled",
    "read_bounce",
    "read_report",
    "returned_message_id",
    "withholding_headers",
]
