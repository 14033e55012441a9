"""Run the demonstration: embedded mail servers, the local runner, mails in, replies out; returns what happened."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from postroom.errors import Permanent
from postroom.mail.headers import is_valid
from postroom.model import Body, Delivery, Event, Interaction, Outbound, OutboxState, Subtype
from postroom.model.configuration import Configuration, ServerType

from postroom_cli.demo.installation import Installation, expected_id, utc_now
from postroom_cli.demo.mails import AUTHSERV_ID, DemoMail, answer_to, built_in_mails
from postroom_cli.local.example import BILLING, CLAIMS, MAILBOXES, SMTP_USERS, SUPPORT, configuration
from postroom_cli.local.mailboxes import LocalMailbox, MailServers, OnServer
from postroom_cli.local.runner import LocalRunner
from postroom_cli.mailservers import SmtpSink

TOLD_LATER = (OutboxState.SENT, OutboxState.FAILED, OutboxState.UNCERTAIN, OutboxState.DEFERRED)
"""States in which nothing more happens by itself within a demonstration."""

_SECONDS_ANY = 30.0  # for things that take no time by themselves
_SECONDS_TOLD = 10.0
_SECONDS_A_MAIL = 0.5  # many times what one takes


class DemoFailed(Permanent):
    """Something that the demonstration is there to show did not happen."""

    code = "demo_failed"
    remedy = "Read the log of the functions above or with --log FILE; `make test` may say more."


@dataclass(frozen=True, slots=True)
class Story:
    """One mail and what became of it."""

    mail: DemoMail
    interaction: Interaction
    raw_identical: bool
    body: Body
    acknowledgement: Outbound | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """One mailbox: how it was opened, what came of its mails, and what lies on its server afterwards."""

    mailbox: LocalMailbox
    login: str
    mails: int
    interactions: int
    raw_identical: int
    on_server: OnServer

    @property
    def afterwards(self) -> str:
        """Say what became of the mails on the server."""
        if self.on_server.is_done(self.mailbox.afterwards):
            return self.mailbox.afterwards.value
        return f"{self.on_server.there} still there, {self.on_server.moved} moved"

    def counts(self) -> dict[str, str | int]:
        """Return the figures of `--json`."""
        return {
            "name": self.mailbox.name,
            "type": self.mailbox.type.value,
            "mails": self.mails,
            "interactions": self.interactions,
            "raw_identical": self.raw_identical,
            "afterwards": self.afterwards,
        }


@dataclass(slots=True)
class Outcome:
    """Everything that happened."""

    stories: list[Story] = field(default_factory=list)
    fetched: list[Fetched] = field(default_factory=list)
    replies: list[Outbound] = field(default_factory=list)
    left_by_smtp: dict[str, bytes] = field(default_factory=dict)  # outbound id → the mail as it left
    left_by_ses: dict[str, bytes] = field(default_factory=dict)
    histories: dict[str, list[Event]] = field(default_factory=dict)  # of the replies
    answer: Story | None = None  # the customer's answer to an acknowledgement
    seconds: float = 0.0

    @property
    def told(self) -> list[Story]:
        """List all mails, with the customer's answer."""
        return [*self.stories, *([self.answer] if self.answer else [])]

    def counts(self) -> dict[str, int | float]:
        """Return the figures of `--json` that are about all mailboxes."""
        stories = self.told
        by_id = {story.interaction.id: story for story in stories}
        return {
            "mails": len(stories),
            "interactions": len(by_id),
            "wrapped": sum(story.interaction.wrap_reason is not None for story in by_id.values()),
            "acknowledgements": sum(
                story.acknowledgement is not None and story.acknowledgement.state is OutboxState.SENT
                for story in by_id.values()
            ),
            "suppressed": sum(withheld(story.interaction) is not None for story in by_id.values()),
            "replies": sum(reply.state is OutboxState.SENT for reply in self.replies),
            "raw_identical": sum(story.raw_identical for story in stories),
            "seconds": round(self.seconds, 1),
        }

    def figures(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {**self.counts(), "mailboxes": [fetched.counts() for fetched in self.fetched]}


def withheld(interaction: Interaction) -> str | None:
    """Say why the interaction's automatic reply was withheld; None when it was not."""
    for decision in interaction.decisions:
        if decision.rule == "auto-reply" and decision.outcome == "suppressed":
            return decision.detail
    return None


def read_mails(directory: Path) -> list[DemoMail]:
    """Read the .eml files of a directory tree as mails for one mailbox, with the line ends that IMAP imposes."""
    paths = sorted(path for path in directory.rglob("*") if path.suffix.lower() == ".eml" and path.is_file())
    if not paths:
        raise DemoFailed("There are no .eml files", on=str(directory), remedy="Give a directory with mails in it.")
    return [DemoMail(str(path.relative_to(directory)), SUPPORT, "", path.read_bytes()) for path in paths]


def run_demo(
    template: Path, *, mails: Sequence[DemoMail] | None = None, progress: Callable[[str], None] = lambda _step: None
) -> Outcome:
    """Run it once; `mails` replace the built-in ones. Raises DemoFailed when something did not happen."""
    started = time.monotonic()
    with ExitStack() as stack:
        servers = stack.enter_context(MailServers(MAILBOXES))
        smtp = stack.enter_context(SmtpSink(SMTP_USERS))
        progress("Starting the local AWS with everything that template.yaml declares")
        runner = stack.enter_context(LocalRunner(template))
        demo = _Demo(servers, smtp, runner)
        progress("Applying the demonstration's configuration")
        wanted = configuration(
            [servers.settings(mailbox.name) for mailbox in MAILBOXES],
            smtp,
            cycle_time="00:01:00",  # each run of the schedule looks once, at once
            sent_by_ses=(CLAIMS, BILLING),
            trusted_authserv_ids=(AUTHSERV_ID,),
        )
        demo.installation.set_up(wanted, servers.secrets())
        outcome = demo.play(list(mails) if mails else built_in_mails(utc_now()), built_in=not mails, progress=progress)
    outcome.seconds = time.monotonic() - started
    return outcome


class _Demo:
    def __init__(self, servers: MailServers, smtp: SmtpSink, runner: LocalRunner) -> None:
        self.servers = servers
        self.smtp = smtp
        self.runner = runner
        self.installation = Installation(runner.aws, runner.environment)

    def play(self, mails: list[DemoMail], *, built_in: bool, progress: Callable[[str], None]) -> Outcome:
        outcome = Outcome()
        progress(f"Putting {len(mails)} mails into the mailboxes; the schedule finds them")
        received: list[bytes] = []
        for wave in (False, True):
            received += self._deliver([mail for mail in mails if mail.later is wave])
        mails = sorted(mails, key=lambda mail: mail.later)
        outcome.stories = self._stories(mails, received, self._settled())
        progress("An agent answers")
        answered = [one for one in (self._answerable(outcome, SUPPORT), self._answerable(outcome, CLAIMS)) if one]
        ids = [self._reply(story.interaction) for story in answered]
        if built_in and len(ids) < 2:
            raise DemoFailed("There was nothing to answer in one of the mailboxes")
        outbound = {one.id: one for one in self._settled()}
        outcome.replies = [outbound[one] for one in ids]
        if built_in:
            progress("A customer answers an acknowledgement; its signed token finds the thread")
            outcome.answer = self._customer_answers(outcome)
        self._collect_what_left(outcome)
        outcome.fetched = self._fetched(outcome)
        self._check(outcome, built_in=built_in)
        return outcome

    # --- mails in ---

    def _deliver(self, mails: Sequence[DemoMail]) -> list[bytes]:
        """Append the mails, wait until each is an interaction; returns them as the server has them."""
        received = [self.servers.deliver(mail.mailbox, mail.raw) for mail in mails]
        wanted = {expected_id(mail.mailbox, raw) for mail, raw in zip(mails, received, strict=True)}
        seconds = _SECONDS_ANY + _SECONDS_A_MAIL * len(mails)
        deadline = time.monotonic() + seconds
        while missing := self._absent(wanted):
            if time.monotonic() > deadline:
                raise DemoFailed(f"{len(missing)} of {len(wanted)} mails were no interactions after {seconds:.0f} s")
            # The minute of the last tick began before these mails, or the configuration, were there.
            self.runner.invoke("schedule_polls")
            self.runner.wait_until(lambda: not self._absent(wanted), seconds=5, pause=0.2)
        if not self.runner.wait_until(lambda: not self.installation.not_looked_at(), seconds=_SECONDS_ANY):
            raise DemoFailed("A mailbox was not looked at", on=", ".join(self.installation.not_looked_at()))
        return received

    def _absent(self, ids: set[str]) -> set[str]:
        return ids - self.installation.interactions.present(sorted(ids))

    def _stories(
        self, mails: Sequence[DemoMail], received: Sequence[bytes], outbound: Sequence[Outbound]
    ) -> list[Story]:
        acknowledged = [one for one in outbound if one.subtype is Subtype.OUTBOUND_ACKNOWLEDGEMENT]
        acknowledgements = {str(one.answers): one for one in acknowledged}
        stories = []
        for mail, raw in zip(mails, received, strict=True):
            interaction = self.installation.interactions.get(expected_id(mail.mailbox, raw))
            if interaction is None:
                raise DemoFailed("An interaction is gone again", on=mail.name)
            stored = self.installation.raw.get(interaction.raw_key).content
            body = self.installation.interactions.body(interaction.id) or Body("", "")
            stories.append(Story(mail, interaction, stored == raw, body, acknowledgements.get(interaction.id)))
        return stories

    def _fetched(self, outcome: Outcome) -> list[Fetched]:
        """Wait until the servers were told what is stored, and look what lies on them."""
        mine = {
            mailbox: [story for story in outcome.told if story.mail.mailbox == mailbox.name] for mailbox in MAILBOXES
        }
        used = [mailbox for mailbox in MAILBOXES if mine[mailbox]]
        self.runner.wait_until(
            lambda: all(self.servers.on_server(one.name).is_done(one.afterwards) for one in used),
            seconds=_SECONDS_TOLD,
        )
        return [
            Fetched(
                mailbox,
                self.servers.login(mailbox.name),
                mails=len(mine[mailbox]),
                interactions=len({story.interaction.id for story in mine[mailbox]}),
                raw_identical=sum(story.raw_identical for story in mine[mailbox]),
                on_server=self.servers.on_server(mailbox.name),
            )
            for mailbox in used
        ]

    # --- mails out ---

    def _settled(self) -> list[Outbound]:
        """Wait until nothing is on its way out any more; returns every outbound mail."""
        found: list[Outbound] = []

        def settled() -> bool:
            found[:] = self.installation.sent_and_unsent()
            return all(one.state in TOLD_LATER and not self._awaits_report(one) for one in found)

        seconds = _SECONDS_ANY + _SECONDS_A_MAIL * len(found)
        if not self.runner.wait_until(settled, seconds=seconds, pause=0.2):
            waiting = [f"{one.id} is {one.state}" for one in found if one.state not in TOLD_LATER]
            raise DemoFailed(f"Mails did not get out: {', '.join(waiting) or 'no delivery was reported'}")
        return found

    def _awaits_report(self, outbound: Outbound) -> bool:
        by_ses = self._server_type(outbound) is ServerType.SES
        return by_ses and outbound.state is OutboxState.SENT and outbound.delivery is Delivery.UNKNOWN

    def _server_type(self, outbound: Outbound) -> ServerType | None:
        current: Configuration = self.installation.configurations.current()
        return next((one.type for one in current.outbound_servers if one.name == outbound.server), None)

    def _answerable(self, outcome: Outcome, mailbox: str) -> Story | None:
        """Choose the first mail of a person in this mailbox: one that was acknowledged, if there is one."""
        fitting = [
            story
            for story in outcome.stories
            if story.mail.mailbox == mailbox
            and story.interaction.sender is not None
            and is_valid(story.interaction.sender.address)
            and story.interaction.wrap_reason is None
        ]
        return next((story for story in fitting if story.acknowledgement), fitting[0] if fitting else None)

    def _reply(self, interaction: Interaction) -> str:
        text = "Good morning,\n\nthank you for your patience. We are looking into it now.\n\nKind regards\nAnna Agent\n"
        return self.installation.reply(interaction, text, key=f"demo-{interaction.id}").outbound.id

    def _customer_answers(self, outcome: Outcome) -> Story:
        first = next(story for story in outcome.stories if story.mail.name == "new")
        acknowledgement = first.acknowledgement
        if acknowledgement is None or acknowledgement.message_id is None:
            raise DemoFailed("The first mail was not acknowledged", on=first.mail.name)
        raw = answer_to(
            acknowledgement.message_id, to="support@example.com", subject=acknowledgement.subject, now=utc_now()
        )
        mail = DemoMail("answer", SUPPORT, "joins by the signed token of our acknowledgement", raw)
        (story,) = self._stories([mail], self._deliver([mail]), [])
        if story.interaction.thread_id != first.interaction.thread_id:
            raise DemoFailed("The answer to an acknowledgement did not find its thread", on=story.interaction.id)
        return story

    def _collect_what_left(self, outcome: Outcome) -> None:
        by_message_id = {one.message_id: one.id for one in self.installation.sent_and_unsent() if one.message_id}
        for received in self.smtp.mails:
            message_id = _header(received.content, "message-id")
            outcome.left_by_smtp[by_message_id.get(message_id, message_id)] = received.content
        for sent in self.runner.local_aws.sent_mail():
            outcome.left_by_ses[sent["tags"].get("postroom-outbound", sent["message_id"])] = base64.b64decode(
                sent["content"]
            )
        for reply in outcome.replies:
            outcome.histories[reply.id] = self.installation.outbox.history(reply.id)

    def _check(self, outcome: Outcome, *, built_in: bool) -> None:
        """Raise DemoFailed for anything that is not as it must be."""
        left = {**outcome.left_by_smtp, **outcome.left_by_ses}
        for reply in outcome.replies:
            if reply.state is not OutboxState.SENT or reply.id not in left:
                raise DemoFailed(f"A reply is {reply.state}: {reply.reason}", on=reply.id)
        if changed := [story.mail.name for story in outcome.stories if not story.raw_identical]:
            raise DemoFailed("A stored raw message differs from the mail", on=changed[0])
        expected = {story.interaction.id for story in outcome.told}
        if sorted(self.installation.in_queues()) != sorted(expected):
            raise DemoFailed("There are other interactions than one for each mail")
        if complaints := self.servers.complaints():
            raise DemoFailed("A mail server was asked what a real one would refuse", on=complaints[0])
        for fetched in outcome.fetched if built_in else ():
            if not fetched.on_server.is_done(fetched.mailbox.afterwards):
                raise DemoFailed(f"On the server there are {fetched.afterwards}", on=fetched.mailbox.name)
        counts = outcome.counts()
        if built_in and not (counts["wrapped"] and counts["acknowledgements"] and counts["suppressed"]):
            raise DemoFailed("The mails were not all treated as they must be", on=str(dict(counts)))


def _header(content: bytes, name: str) -> str:
    from email import message_from_bytes
    from email.policy import compat32

    return str(message_from_bytes(content, policy=compat32).get(name, "")).strip()


def story_of(outcome: Outcome) -> Mapping[str, Story]:
    """Return the stories by the names of their mails."""
    return {story.mail.name: story for story in outcome.stories}
