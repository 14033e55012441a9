"""The configuration that administrators write: objects, options, and what they are worth by default."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.model.configuration import clouds
    from postroom.model.configuration.calendars import Calendar, Holiday, ServiceLevel, Weekday
    from postroom.model.configuration.capabilities import CAPABILITIES, REQUIREMENTS, unsupported
    from postroom.model.configuration.change import (
        SETTINGS,
        Change,
        ChangeKind,
        Edit,
        FieldChange,
        ObjectChange,
        RecordedChange,
        WaitingChange,
        object_version,
        reference,
    )
    from postroom.model.configuration.clouds import is_microsoft_graph
    from postroom.model.configuration.document import (
        SMTP_PORTS,
        Alias,
        Authentication,
        Configuration,
        Department,
        Endpoint,
        OutboundServer,
        ReplacementTexts,
        ServerType,
        Settings,
        SmtpSecurity,
    )
    from postroom.model.configuration.fields import (
        NAME_PATTERN,
        MailboxAddress,
        SecretReference,
        is_host,
        split_mailbox,
    )
    from postroom.model.configuration.mailbox import FirstConnection, Grant, Mailbox, OwnLogin, Security, Type
    from postroom.model.configuration.oauth import AccountServerType, Cloud, EmailAccount, OAuthApplication, Provider
    from postroom.model.configuration.period import format_period, parse_period
    from postroom.model.configuration.policies import (
        AttachmentPolicy,
        DeliveryExceptionPhrase,
        MaskingPattern,
        Template,
    )
    from postroom.model.configuration.properties import (
        PROPERTIES,
        Effect,
        behaviour,
        find_property,
        is_for,
        ways_to_log_in,
    )
    from postroom.model.configuration.sending import ForwardAs, Quote, Receipts, SendingOptions
    from postroom.model.configuration.version import Version
else:
    __getattr__ = lazily(
        __name__,
        {
            "calendars": ["Calendar", "Holiday", "ServiceLevel", "Weekday"],
            "capabilities": ["CAPABILITIES", "REQUIREMENTS", "unsupported"],
            "change": [
                "Change",
                "ChangeKind",
                "Edit",
                "FieldChange",
                "ObjectChange",
                "RecordedChange",
                "SETTINGS",
                "WaitingChange",
                "object_version",
                "reference",
            ],
            "clouds": ["is_microsoft_graph"],
            "document": [
                "Alias",
                "Authentication",
                "Configuration",
                "Department",
                "Endpoint",
                "OutboundServer",
                "ReplacementTexts",
                "SMTP_PORTS",
                "ServerType",
                "Settings",
                "SmtpSecurity",
            ],
            "fields": ["MailboxAddress", "NAME_PATTERN", "SecretReference", "is_host", "split_mailbox"],
            "mailbox": ["FirstConnection", "Grant", "Mailbox", "OwnLogin", "Security", "Type"],
            "oauth": ["AccountServerType", "Cloud", "EmailAccount", "OAuthApplication", "Provider"],
            "period": ["format_period", "parse_period"],
            "policies": ["AttachmentPolicy", "DeliveryExceptionPhrase", "MaskingPattern", "Template"],
            "properties": ["Effect", "PROPERTIES", "behaviour", "find_property", "is_for", "ways_to_log_in"],
            "sending": ["ForwardAs", "Quote", "Receipts", "SendingOptions"],
            "version": ["Version"],
        },
    )

__all__ = [
    "CAPABILITIES",
    "NAME_PATTERN",
    "PROPERTIES",
    "REQUIREMENTS",
    "SETTINGS",
    "SMTP_PORTS",
    "AccountServerType",
    "Alias",
    "AttachmentPolicy",
    "Authentication",
    "Calendar",
    "Change",
    "ChangeKind",
    "Cloud",
    "Configuration",
    "DeliveryExceptionPhrase",
    "Department",
    "Edit",
    "Effect",
    "EmailAccount",
    "Endpoint",
    "FieldChange",
    "FirstConnection",
    "ForwardAs",
    "Grant",
    "Holiday",
    "Mailbox",
    "MailboxAddress",
    "MaskingPattern",
    "OAuthApplication",
    "ObjectChange",
    "OutboundServer",
    "OwnLogin",
    "Provider",
    "Quote",
    "Receipts",
    "RecordedChange",
    "ReplacementTexts",
    "SecretReference",
    "Security",
    "SendingOptions",
    "ServerType",
    "ServiceLevel",
    "Settings",
    "SmtpSecurity",
    "Template",
    "Type",
    "Version",
    "WaitingChange",
    "Weekday",
    "behaviour",
    "clouds",
    "find_property",
    "format_period",
    "is_for",
    "is_host",
    "is_microsoft_graph",
    "object_version",
    "parse_period",
    "reference",
    "split_mailbox",
    "unsupported",
    "ways_to_log_in",
]
