"""Settings of a function, read once from its environment, with all problems reported together.

The table below is the only list of environment variables; `template.yaml` is held to it by a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from postroom.errors import Invalid, Problem


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: what it is for, and how its text is checked; `default` None means required."""

    variable: str
    purpose: str
    default: str | None = None


SETTINGS: dict[str, Setting] = {
    "table": Setting("TABLE_NAME", "the DynamoDB table"),
    "raw_bucket": Setting("RAW_BUCKET", "the bucket of raw messages"),
    "content_bucket": Setting("CONTENT_BUCKET", "the bucket of attachments, long bodies and configurations"),
    "poll_queue": Setting("POLL_QUEUE_URL", "the queue of poll requests"),
    "ews_poll_queue": Setting("EWS_POLL_QUEUE_URL", "the queue of poll requests for EWS mailboxes"),
    "inbound_queue": Setting("INBOUND_QUEUE_URL", "the queue of stored raw messages"),
    "inbound_dead_letters": Setting("INBOUND_DEAD_LETTER_QUEUE_URL", "where raw messages go that failed five times"),
    "outbound_queue": Setting("OUTBOUND_QUEUE_URL", "the queue of mails to send"),
    "credentials_key": Setting("CREDENTIALS_KEY_ID", "the KMS key of credentials"),
    "thread_key_secret": Setting("THREAD_KEY_SECRET_ARN", "the secret that signs thread tokens"),
    "configuration_set": Setting("CONFIGURATION_SET", "the SES configuration set"),
    "first_administrator": Setting(
        "FIRST_ADMINISTRATOR", "the address of who becomes partition administrator while there is none", ""
    ),
    "allow_plaintext_credentials": Setting(
        "ALLOW_PLAINTEXT_CREDENTIALS", "whether credentials may travel without TLS", "false"
    ),
    "private_mail_networks": Setting(
        "PRIVATE_MAIL_NETWORKS", "networks, separated by commas, where private mail servers may be", ""
    ),
}


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings one function asked for; reading one it did not ask for is a programming error."""

    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    @property
    def allow_plaintext_credentials(self) -> bool:
        """Tell whether credentials may travel without TLS."""
        return self.values["allow_plaintext_credentials"] == "true"

    @property
    def private_mail_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Networks where private mail servers may be."""
        return tuple(ip_network(text.strip()) for text in self.values["private_mail_networks"].split(",") if text)


def _any_text(_text: str) -> str:
    return ""


def _check_boolean(text: str) -> str:
    return "" if text in ("true", "false") else "must be `true` or `false`."


def _check_networks(text: str) -> str:
    for part in filter(None, text.split(",")):
        try:
            ip_network(part.strip())
        except ValueError as error:
            return f"holds {part.strip()!r}, which is no network: {error}."
    return ""


_CHECKS: dict[str, Callable[[str], str]] = {
    "allow_plaintext_credentials": _check_boolean,
    "private_mail_networks": _check_networks,
}


def read_environment(environ: Mapping[str, str], *names: str) -> Environment:
    """Read the named settings; raises Invalid with every problem found."""
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for name in names:
        setting = SETTINGS[name]
        text = environ.get(setting.variable, setting.default)
        if text is None or (not text and setting.default is None):
            problems.append(
                Problem(setting.variable, "is not set.", f"It names {setting.purpose}; template.yaml sets it.")
            )
        elif complaint := _CHECKS.get(name, _any_text)(text):
            problems.append(Problem(setting.variable, complaint, f"It says {setting.purpose}."))
        else:
            values[name] = text
    if problems:
        raise Invalid(problems)
    return Environment(values)
