"""Turn a stored raw message into an interaction, or a wrapping interaction; never neither.

Everything that makes up the interaction is written at once under an id that its bytes decide: the same mail again, from
a repeated event, a second download or a redrive, finds itself there and changes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from postroom.errors import TooLarge, Transient
from postroom.model.automatic_reply import Cap, Withheld
from postroom.model.configuration.mailbox import Mailbox
from postroom.model.identity import interaction_id, parse_raw_key
from postroom.model.interaction import Added, Attachment, Interaction, Subtype
from postroom.model.messages import send_request
from postroom.model.outbound import Outbound
from postroom.model.raw_message import RawMessage
from postroom.model.understanding import ReadFile, Understanding
from postroom.ports import Clock, Contents, Interactions, Outbox, Queue, RawMessages
from postroom.rules.attachments.judge import Action
from postroom.rules.routing import route
from postroom.services.inbound.acknowledge import acknowledge, without_acknowledgement
from postroom.services.inbound.duplicates import note_repetition
from postroom.services.inbound.facts import Copy, Facts, copies, stripped, with_replacement_text
from postroom.services.inbound.find_thread import Threaded, find_thread
from postroom.services.inbound.late_parents import heal_threads
from postroom.services.inbound.record_report import record_report
from postroom.services.inbound.understand import PREVIEW, understand, wrap
from postroom.services.mailboxes.latency import note_arrival
from postroom.services.policy.compiled import Policies, Policy

INLINE_ATTACHMENT = 8_000
"""Bytes; smaller attachments lie in the item itself (S05), as long as they fit together."""

_INLINE_TOTAL = 24_000


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a raw message."""

    interaction: Interaction
    added: Added | Withheld
    outbound_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ingest:
    """The use case with what it needs; one for each warm function."""

    raw: RawMessages
    contents: Contents
    interactions: Interactions
    outbox: Outbox
    policies: Policies
    outbound_queue: Queue
    clock: Clock

    def __call__(self, key: str) -> Ingested:
        """Process the raw message under `key`; raises Transient when it must be tried again."""
        mailbox_name = parse_raw_key(key).mailbox
        stored = self.raw.get(key)
        policy, mailbox = self.policies.of_mailbox(mailbox_name)
        understood = understand(stored.content, policy=policy)
        try:
            return self._store(stored, mailbox_name, mailbox, understood, policy)
        except TooLarge as error:
            # No later try would do better, and the wrapping one is small whatever the mail is.
            return self.wrap(key, error.what)

    def wrap(self, key: str, reason: str) -> Ingested:
        """Make a wrapping interaction of a raw message that processing failed at again and again."""
        mailbox_name = parse_raw_key(key).mailbox
        stored = self.raw.get(key)
        policy, mailbox = self.policies.of_mailbox(mailbox_name)
        understood = wrap(stored.content, reason, policy=policy, raw_key=key)
        return self._store(stored, mailbox_name, mailbox, understood, policy)

    def _store(
        self, stored: RawMessage, mailbox_name: str, mailbox: Mailbox | None, mail: Understanding, policy: Policy
    ) -> Ingested:
        facts = Facts(stored, mailbox_name, mailbox, policy, self.clock())
        if facts.oversize:
            mail = stripped(mail, facts)
        thread = find_thread(mail, interactions=self.interactions, policy=policy, mailbox=mailbox_name)
        files = self._attachments(mail, facts)
        # The one whose id is the raw message's own comes last: while it is missing, the sweeper repeats all of it.
        for recipient in reversed(copies(mail, mailbox, policy)):
            own_id = interaction_id(facts.mailbox_name, mail.sha256, recipient.identity)
            own_files = self._quarantined(own_id, files, mail, facts)
            interaction = self._interaction(own_id, mail, thread, own_files, recipient, facts)
            ingested = self._write(interaction, mail, recipient, facts)
        if mail.report is not None:  # repeatable: a report counts once
            record_report(ingested.interaction, mail, outbox=self.outbox, now=facts.now)
        heal_threads(ingested.interaction, thread, interactions=self.interactions, now=facts.now)
        if ingested.outbound_id is not None:
            # It lies in the outbox already: should this message be lost, the sweeper queues it again.
            with contextlib.suppress(Transient):
                self.outbound_queue.send(send_request(ingested.outbound_id))
        return ingested

    def _interaction(
        self,
        own_id: str,
        mail: Understanding,
        thread: Threaded,
        files: tuple[Attachment, ...],
        recipient: Copy,
        facts: Facts,
    ) -> Interaction:
        subtype = mail.subtype or (Subtype.INBOUND_CUSTOMER_REPLY if thread.join else Subtype.INBOUND_NEW)
        routed = route(facts.policy.configuration, facts.mailbox, subtype)
        return Interaction(
            id=own_id,
            mailbox=facts.mailbox_name,
            queue=routed.queue,
            department=routed.department,
            thread_id=thread.join or own_id,
            parent_id=thread.parent,
            subtype=subtype,
            status=routed.status,
            subject=mail.subject,
            sender=mail.sender,
            created=facts.now,
            size=mail.size,
            sha256=mail.sha256,
            raw_key=facts.stored.key,
            message_id=mail.message_id,
            to=mail.to,
            cc=mail.cc,
            reply_to=mail.reply_to,
            date=mail.date,
            server_date=facts.server_date,
            wrap_reason=mail.wrap_reason,
            attachments=files,
            decisions=(*mail.decisions, thread.decision, *recipient.decisions, *routed.decisions),
            attributes={**mail.attributes, **recipient.attributes},
            preview=" ".join((mail.body.text_reply or mail.body.text)[: 4 * PREVIEW].split())[:PREVIEW],
        )

    def _attachments(self, mail: Understanding, facts: Facts) -> tuple[Attachment, ...]:
        """Store what is let in: small files in the item, others once by content; the original is the raw message."""
        recorded: list[Attachment] = []
        inline_left = _INLINE_TOTAL
        for file in mail.files:
            attachment = file.attachment
            if mail.wrap_reason:
                recorded.append(replace(attachment, key=facts.stored.key))
            elif attachment.blocked:
                recorded.append(attachment)
            elif attachment.size < INLINE_ATTACHMENT and attachment.size <= inline_left:
                inline_left -= attachment.size
                recorded.append(replace(attachment, inline_data=file.data()))
            else:
                key = f"attachments/{facts.day:%Y/%m/%d}/{attachment.sha256}"
                self._put(key, file)
                recorded.append(replace(attachment, key=key))
        return tuple(recorded)

    def _quarantined(
        self, own_id: str, files: tuple[Attachment, ...], mail: Understanding, facts: Facts
    ) -> tuple[Attachment, ...]:
        """Store what is blocked for this interaction alone: deleting it takes it from no other mail."""
        if facts.policy.attachments.action is Action.DELETE or not any(one.blocked for one in files):
            return files
        recorded: list[Attachment] = []
        for attachment, file in zip(files, mail.files, strict=True):
            if attachment.blocked:
                key = f"quarantine/{facts.day:%Y/%m/%d}/{own_id}/{attachment.sha256}"
                self._put(key, file)
                attachment = replace(attachment, key=key)
            recorded.append(attachment)
        return tuple(recorded)

    def _put(self, key: str, file: ReadFile) -> None:
        self.contents.put(key, file.data(), content_type="application/octet-stream")

    def _write(self, interaction: Interaction, mail: Understanding, recipient: Copy, facts: Facts) -> Ingested:
        outbound: Outbound | None = None
        caps: Sequence[Cap] = ()
        template = facts.acknowledgement if recipient.is_first else ""
        if template:
            plan = acknowledge(
                interaction,
                mail,
                template_name=template,
                policy=facts.policy,
                mailbox=facts.mailbox,
                old=facts.old,
                now=facts.now,
            )
            interaction = replace(interaction, decisions=(*interaction.decisions, plan.decision))
            outbound, caps = plan.outbound, plan.caps
        body = with_replacement_text(mail.body, facts.policy)
        added = self.interactions.add(interaction, body, outbound=outbound, caps=caps)
        if added is Added.EXISTED and recipient.is_first:
            note_repetition(interaction.id, facts, interactions=self.interactions)
        if isinstance(added, Withheld):
            # Our reply is withheld, never the mail (docs/threat-model.md 7).
            interaction = without_acknowledgement(interaction, added)
            outbound = None
            added = self.interactions.add(interaction, body)
        if added is Added.CREATED and recipient.is_first:
            note_arrival(interaction, old=facts.old)
        return Ingested(interaction, added, outbound.id if outbound else None)
