"""One mail by SMTP: as many transactions as its recipients need, and what became of it at each of them.

Nothing can have been sent before the content goes on the wire; from then until the final reply nobody knows.
"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from postroom.adapters.transports.smtp_client import SmtpClient
from postroom.adapters.transports.smtp_replies import Stage, Verdict, about_us, held, judge, not_sent, reply_error, said
from postroom.errors import PostroomError, SendDeferred, SendRefused, SendUncertain
from postroom.model import AtRecipient, Envelope, OutboxState, Sent
from postroom.ports import BeforeData

_TOO_MANY = re.compile(r"too many (recipients|rcpts?|addresses)|\b[45]\.5\.3\b", re.IGNORECASE)
_TOO_MANY_CODES = frozenset({450, 451, 452, 552})  # RFC 5321 §4.5.3.1.10: 452, and 552 of servers of before it

_CONTROLS = frozenset(map(chr, (*range(0x20), 0x7F)))

_STATES: tuple[tuple[type[PostroomError], OutboxState], ...] = (
    (SendUncertain, OutboxState.UNCERTAIN),
    (SendRefused, OutboxState.FAILED),
    (SendDeferred, OutboxState.DEFERRED),
)


def hand_over(
    client: SmtpClient, content: bytes, envelope: Envelope, before_data: BeforeData, *, on: str, outbound_id: str
) -> Sent:
    """Make one attempt; raises SendRefused, SendDeferred or SendUncertain where that is so for every recipient."""
    limit = client.size_limit()
    if limit and len(content) > limit:
        raise SendRefused(f"The mail has {len(content):,} bytes, the server takes {limit:,}", on=on, code="too_large")
    told: dict[str, AtRecipient] = {}
    first_reply = ""
    waiting: Sequence[str] = envelope.recipients
    while waiting:
        turn = _Transaction(client, on, outbound_id, waiting, before=told)
        turn.run(content, envelope.sender, before_data)
        told |= turn.told
        first_reply = first_reply or turn.reply
        waiting = turn.too_many
        if turn.error is not None and not waiting and _same(told, envelope.recipients):
            raise turn.error
    return Sent(
        provider_id=first_reply[:200],
        others={one: answer for one, answer in told.items() if answer.state is not OutboxState.SENT},
    )


def _same(told: Mapping[str, AtRecipient], recipients: Sequence[str]) -> bool:
    """Tell whether one error says all that there is to say: no recipient has the mail, and all for one reason."""
    states = {(told[one].state, told[one].code) for one in recipients}
    return len(states) == 1 and all(state is not OutboxState.SENT for state, _code in states)


def _at(error: PostroomError) -> AtRecipient:
    return AtRecipient(next(state for sort, state in _STATES if isinstance(error, sort)), error.code, error.what)


@dataclass(slots=True)
class _Transaction:
    """MAIL, RCPT for each recipient, DATA, content. `told`: what became of it at each; `error`: of those taken."""

    client: SmtpClient
    on: str
    outbound_id: str
    recipients: Sequence[str]
    before: Mapping[str, AtRecipient]  # what earlier transactions of the mail ended in
    told: dict[str, AtRecipient] = field(default_factory=dict)
    too_many: tuple[str, ...] = ()  # for the next transaction
    reply: str = ""
    error: PostroomError | None = None

    def run(self, content: bytes, sender: str, before_data: BeforeData) -> None:
        """Go through it once; raises only LeaseLost, of `before_data`."""
        try:
            taken = self._envelope(content, sender)
            if not taken:
                return
            before_data({**self.before, **self.told, **dict.fromkeys(self.too_many, _LATER)})
            self._expect(self.client.docmd("DATA"), Stage.DATA)
        except (smtplib.SMTPException, PostroomError) as error:
            if isinstance(error, PostroomError) and error.code == "lease_lost":
                raise
            self._ends(session_error(error, on=self.on))
            return
        try:
            code, text = self.client.content(content)
        except (smtplib.SMTPException, PostroomError) as error:
            what = f"The connection was lost after the content went out: {error}"
            self._ends(SendUncertain(what, on=self.on, step="data"))
            return
        try:
            self._expect((code, text), Stage.CONTENT)
        except (SendRefused, SendDeferred, SendUncertain) as error:
            self._ends(error)
            return
        self.reply = said(code, text)
        self.told |= dict.fromkeys(taken, AtRecipient(OutboxState.SENT))

    def _envelope(self, content: bytes, sender: str) -> tuple[str, ...]:
        """Name the sender and the recipients; returns the recipients that the server takes it for."""
        commands = [
            " ".join([f"MAIL FROM:<{sender}>", *_mail_options(self.client, content, self.outbound_id)]),
            *(" ".join([f"RCPT TO:<{one}>", *_recipient_options(self.client, one)]) for one in self.recipients),
        ]
        if any(not one.isascii() or _CONTROLS & set(one) for one in commands):
            # What is checked is what is sent (docs/threat-model.md 15): a line break here would be another command.
            raise SendRefused("An address holds what no address may", on=self.on, code="address_invalid")
        if self.client.has_extn("pipelining"):
            first, *others = self.client.in_one_go(commands)
            self._expect(first, Stage.MAIL)
        else:
            self._expect(self.client.docmd(commands[0]), Stage.MAIL)
            others = self.client.in_one_go(commands[1:])
        answers = [(recipient, *reply) for recipient, reply in zip(self.recipients, others, strict=True)]
        taken = tuple(one for one, code, text in answers if self._judged(code, text) is Verdict.TAKEN)
        for recipient, code, text in answers:
            if recipient not in taken:
                self._not_taken(recipient, code, text, some=bool(taken))
        if not taken:
            self.error = self._nobody(answers)
        return taken

    def _judged(self, code: int, text: bytes) -> Verdict:
        return judge(code, said(code, text), Stage.RCPT)

    def _not_taken(self, recipient: str, code: int, text: bytes, *, some: bool) -> None:
        answer, verdict = said(code, text), self._judged(code, text)
        if some and code in _TOO_MANY_CODES and _TOO_MANY.search(answer):
            self.too_many += (recipient,)
        elif verdict is Verdict.REFUSED:
            self.told[recipient] = AtRecipient(OutboxState.FAILED, "recipients_refused", answer)
        else:
            ours = about_us(code, answer, Stage.RCPT) if verdict is Verdict.ABOUT_US else ""
            self.told[recipient] = AtRecipient(OutboxState.DEFERRED, ours, answer)

    def _nobody(self, answers: Sequence[tuple[str, int, bytes]]) -> PostroomError:
        """Make the error of a transaction in which no recipient was taken."""
        ours = next((one.code for one in self.told.values() if one.state is OutboxState.DEFERRED and one.code), "")
        answer = said(*answers[0][1:])
        if ours:
            return held(f"The server refused us, not the recipients: {answer}", ours, on=self.on)
        if any(one.state is OutboxState.DEFERRED for one in self.told.values()):
            return SendDeferred(f"The server put every recipient off: {answer}", on=self.on)
        return SendRefused(f"The server refused every recipient: {answer}", on=self.on, code="recipients_refused")

    def _expect(self, reply: tuple[int, bytes], stage: Stage) -> None:
        code, text = reply
        if judge(code, said(code, text), stage) is not Verdict.TAKEN:
            raise reply_error(code, text, on=self.on, stage=stage)

    def _ends(self, error: PostroomError) -> None:
        """End it for all of its recipients that had no answer of their own."""
        self.error = error
        missing = [one for one in self.recipients if one not in self.told and one not in self.too_many]
        self.told |= dict.fromkeys(missing, _at(error))
        # In this session nothing more is tried: what the server takes in a further transaction waits for the next try.
        self.told |= dict.fromkeys(self.too_many, _LATER)
        self.too_many = ()


_LATER = AtRecipient(OutboxState.DEFERRED, "", "the server takes no more recipients at once")


def _mail_options(client: SmtpClient, content: bytes, outbound_id: str) -> list[str]:
    options = [f"SIZE={len(content)}"] if client.has_extn("size") else []
    if client.has_extn("8bitmime") and not content.isascii():
        options.append("BODY=8BITMIME")
    if client.has_extn("dsn"):
        # RFC 3461 §4.3, §4.4: a report names the mail by our id, and repeats no text of it.
        options += ["RET=HDRS", f"ENVID={xtext(outbound_id)}"]
    return options


def _recipient_options(client: SmtpClient, recipient: str) -> list[str]:
    # RFC 3461 §4.2: a report names the recipient whom we wrote to, whatever servers on the way make of the address.
    return [f"ORCPT=rfc822;{xtext(recipient)}"] if client.has_extn("dsn") else []


def xtext(text: str) -> str:
    """Write a text as a parameter of SMTP carries it (RFC 3461 §4)."""
    plain = (character if "!" <= character <= "~" and character not in "+=" else None for character in text)
    return "".join(
        one if one is not None else f"+{ord(character):02X}" for one, character in zip(plain, text, strict=True)
    )


def session_error(error: Exception, *, on: str) -> PostroomError:
    """Translate a failure before the content: certainly not sent, so it may be tried again."""
    if isinstance(error, SendDeferred | SendRefused):
        return error
    if isinstance(error, smtplib.SMTPResponseException):
        told = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
            return SendDeferred(
                f"The server refused the login: {said(error.smtp_code, told)}",
                on=on,
                step="login",
                code="login_refused",
                remedy="Enter the right user and password of this outbound server; the mail waits.",
            )
        return reply_error(error.smtp_code, told, on=on, stage=Stage.SESSION)
    if isinstance(error, PostroomError):
        return not_sent(error, on=on)
    return SendDeferred(f"The session failed: {error}", on=on)
