"""What the configuration means for reading a mail: compiled once for each configuration and department."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from postroom.model.configuration import Configuration, DeliveryExceptionPhrase, Mailbox, ReplacementTexts
from postroom.ports import Configurations
from postroom.rules import ThreadSettings, compile_pattern, department_of, own_addresses
from postroom.rules import delivery_exceptions as exceptions
from postroom.rules.attachments import judge as attachments
from postroom.rules.masking import mask as masking


@dataclass(frozen=True, slots=True)
class Policy:
    """Compiled settings of one department; `own_addresses` in lower case."""

    configuration: Configuration
    own_addresses: frozenset[str]
    own_lists: frozenset[str]  # settings.own_lists, in lower case
    exceptions: exceptions.PhraseTable
    strict_exceptions: bool
    attachments: attachments.AttachmentRules
    outbound_masking: tuple[masking.Compiled, ...]
    masking: tuple[masking.Compiled, ...]  # of mail that comes in
    trusted_authserv_ids: tuple[str, ...]
    texts: ReplacementTexts
    threads: ThreadSettings
    subject_reference: Any  # compiled; its first group is an interaction's id; None: subjects join nothing
    thread_keys: tuple[bytes, ...]


class Policies:
    """Keeps the compiled policies of the configuration in force; one for each warm function."""

    def __init__(self, configurations: Configurations, thread_keys: Callable[[], Sequence[bytes]]) -> None:
        self._configurations = configurations
        self._thread_keys = thread_keys
        self._configuration: Configuration | None = None
        self._mailboxes: dict[str, Mailbox] = {}
        self._policies: dict[str, Policy] = {}

    def of_mailbox(self, identity: str) -> tuple[Policy, Mailbox | None]:
        """Return the policy that a mailbox's mail is read by, and the mailbox if it is configured still."""
        current = self._configurations.current()
        if current is not self._configuration:
            self._configuration = current
            self._mailboxes = {mailbox.identity: mailbox for mailbox in current.mailboxes}
            self._policies = {}
        mailbox = self._mailboxes.get(identity)
        department = department_of(current, mailbox)
        if department not in self._policies:
            self._policies[department] = policy_of(current, department=department, thread_keys=self._thread_keys())
        return self._policies[department], mailbox


def policy_of(configuration: Configuration, *, department: str = "", thread_keys: Sequence[bytes] = ()) -> Policy:
    """Compile what reading a department's mail needs; `department` empty: the default one."""
    settings = configuration.settings
    department = department or settings.default_department
    return Policy(
        configuration=configuration,
        own_addresses=own_addresses(configuration),
        own_lists=frozenset(one.lower() for one in settings.own_lists),
        exceptions=exceptions.PhraseTable.of(_exceptions(configuration, department)),
        strict_exceptions=settings.delivery_exceptions.mode == "strict",
        attachments=_attachments(configuration, department),
        masking=masking.compile_patterns(_patterns(configuration, department), direction="inbound"),
        outbound_masking=outbound_masking(configuration, department),
        trusted_authserv_ids=settings.trusted_authserv_ids,
        texts=settings.texts,
        threads=ThreadSettings(
            subject_joins=settings.threads.subject_reference is not None,
            unverified_participants_join=settings.threads.unverified_participants,
        ),
        subject_reference=(
            compile_pattern(settings.threads.subject_reference) if settings.threads.subject_reference else None
        ),
        thread_keys=tuple(thread_keys),
    )


def outbound_masking(configuration: Configuration, department: str) -> tuple[masking.Compiled, ...]:
    """Compile the patterns that a department's outgoing mail is masked by."""
    return masking.compile_patterns(_patterns(configuration, department), direction="outbound")


def _exceptions(configuration: Configuration, department: str) -> Iterable[exceptions.DeliveryException]:
    """Own phrases first, then the predefined ones that were not removed (C13)."""
    removed = {text.lower() for text in configuration.settings.delivery_exceptions.removed}
    yield from (_phrase(one) for one in configuration.delivery_exceptions if one.department in (None, department))
    yield from (one for one in exceptions.predefined() if f"{one.type.value}:{one.phrase}".lower() not in removed)


def _phrase(one: DeliveryExceptionPhrase) -> exceptions.DeliveryException:
    return exceptions.DeliveryException(
        name=one.name,
        type=exceptions.ExceptionType(one.type),
        phrase=one.phrase,
        failure=exceptions.Failure(one.failure),
    )


def _attachments(configuration: Configuration, department: str) -> attachments.AttachmentRules:
    """Put the installation's lists over the department's (C11); the dangerous types are on the installation's."""
    ours = configuration.settings.attachments
    theirs = next((one.attachments for one in configuration.departments if one.name == department), None)
    listed = [one for one in configuration.blocked_extensions if one.department in (None, department)]
    return attachments.AttachmentRules(
        block=attachments.DANGEROUS.union(ours.block, (one.extension for one in listed if one.department is None)),
        allow=frozenset(ours.allow),
        department_block=frozenset(theirs.block if theirs else ()).union(
            one.extension for one in listed if one.department is not None
        ),
        department_allow=frozenset(theirs.allow if theirs else ()),
        block_all=ours.block_all or bool(theirs and theirs.block_all),
        block_mismatch=ours.block_mismatch or bool(theirs and theirs.block_mismatch),
        scan_outbound=ours.scan == "both" or bool(theirs and theirs.scan == "both"),
        action=attachments.Action((theirs or ours).action),
    )


def _patterns(configuration: Configuration, department: str) -> list[masking.MaskingRule]:
    return [masking.rule_of(one) for one in configuration.masking_patterns if one.department in (None, department)]
