"""Replies find their thread by proof; what is only claimed starts a new one, with a hint."""

from __future__ import annotations

import pytest
from postroom.model.interaction import Subtype

from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_outbound import answer
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail

PASS = "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org"


def sent_message_id(stack: AwsStack) -> tuple[str, str]:
    """Send the queued acknowledgement by SES; return its outbound id and the signed Message-ID in its references."""
    from postroom.mail.outgoing import thread_token

    (message,) = stack.queued("OUTBOUND_QUEUE_URL")
    stack.client("ses").verify_email_identity(EmailAddress="support@example.com")
    assert stack.invoke("SendOutbound", sqs_event(message)) == {"batchItemFailures": []}
    secret = stack.client("secretsmanager").get_secret_value(SecretId=stack.environment["THREAD_KEY_SECRET_ARN"])
    key = secret["SecretString"].encode()
    return message["outbound"], thread_token.message_id_for(message["outbound"], key=key, domain="example.com")


@pytest.mark.feature("X05")
def test_a_reply_joins_by_our_signed_token_whoever_sends_it(configured: AwsStack) -> None:
    root = configured.process(mail())
    outbound_id, signed = sent_message_id(configured)
    reply = mail(f"References: <1@example.org> {signed}", sender="carol@elsewhere.example", message_id="<2@x>")
    made = configured.interactions.get(configured.process(reply))
    assert made is not None
    assert (made.thread_id, made.parent_id) == (root, outbound_id)
    assert made.subtype is Subtype.INBOUND_CUSTOMER_REPLY
    assert configured.interactions.thread(root)[0] == root
    assert set(configured.interactions.thread(root)) == {root, outbound_id, made.id}


@pytest.mark.feature("X05")
def test_a_reply_joins_by_the_message_id_that_ses_gave(configured: AwsStack) -> None:
    root = configured.process(mail())
    outbound_id, _signed = sent_message_id(configured)
    outbound = configured.outbox.get(outbound_id)
    assert outbound is not None
    assert outbound.message_id is not None
    assert outbound.message_id.endswith(".amazonses.com>")
    reply = mail(f"In-Reply-To: {outbound.message_id}", message_id="<2@x>")
    made = configured.interactions.get(configured.process(reply))
    assert made is not None
    assert made.thread_id == root


@pytest.mark.feature("X05")
def test_a_participant_joins_by_reference_when_dmarc_proves_them(configured: AwsStack) -> None:
    root = configured.process(mail())
    made = configured.interactions.get(
        configured.process(mail(PASS, "In-Reply-To: <1@example.org>", message_id="<2@x>"))
    )
    assert made is not None
    assert (made.thread_id, made.parent_id) == (root, root)


@pytest.mark.fault(59)
@pytest.mark.feature("X05")
@pytest.mark.parametrize(
    ("headers", "sender", "rule"),
    [
        (["In-Reply-To: <1@example.org>"], "eve@evil.example", "thread.stranger"),
        (["In-Reply-To: <1@example.org>"], "ann@example.org", "thread.unproven"),
        (
            ["In-Reply-To: <pr1.abcdefghijklmnopqrstuvwxyz.aaaaaaaaaaaaaaaa@example.com>"],
            "ann@example.org",
            "thread.forged-token",
        ),
    ],
    ids=["stranger", "unproven-participant", "forged-token"],
)
def test_a_claim_without_proof_starts_a_new_thread_with_a_hint(
    configured: AwsStack, headers: list[str], sender: str, rule: str
) -> None:
    configured.process(mail())
    made = configured.interactions.get(configured.process(mail(*headers, sender=sender, message_id="<2@x>")))
    assert made is not None
    assert made.thread_id == made.id
    assert any(one.rule == rule and one.detail for one in made.decisions)


@pytest.mark.feature("G27")
def test_a_reply_whose_parent_is_gone_is_kept_as_a_root_that_says_so(configured: AwsStack) -> None:
    root = configured.process(mail())
    outbound_id, signed = sent_message_id(configured)
    for gone in (root, outbound_id):
        configured.client("dynamodb").delete_item(
            TableName=configured.table, Key={"pk": {"S": f"I#{gone}"}, "sk": {"S": "0"}}
        )
    made = configured.interactions.get(configured.process(mail(f"In-Reply-To: {signed}", message_id="<2@x>")))
    assert made is not None
    assert (made.thread_id, made.parent_id) == (made.id, None)
    assert any(one.rule == "thread.parent-deleted" and "deleted or archived" in one.detail for one in made.decisions)


def configured_threads(stack: AwsStack, **threads: object) -> None:
    stack.configure(**{**CONFIGURATION, "settings": {**CONFIGURATION["settings"], "threads": threads}})


@pytest.mark.feature("X05")
@pytest.mark.parametrize(
    ("headers", "sender", "joins"),
    [
        ([], "ann@example.org", True),
        (["Authentication-Results: mx.example.com; dmarc=fail header.from=example.org"], "ann@example.org", False),
        ([], "eve@evil.example", False),
    ],
    ids=["participant", "failed-dmarc", "stranger"],
)
def test_participants_join_unverified_where_the_configuration_allows_it(
    configured: AwsStack, headers: list[str], sender: str, joins: bool
) -> None:
    configured_threads(configured, unverified_participants=True)
    root = configured.process(mail())
    reply = mail(*headers, "In-Reply-To: <1@example.org>", sender=sender, message_id="<2@x>")
    made = configured.interactions.get(configured.process(reply))
    assert made is not None
    assert (made.thread_id == root) is joins


@pytest.mark.parametrize("allowed", [True, False], ids=["allowed", "by-default"])
def test_a_subject_with_an_interactions_id_joins_only_where_the_configuration_lets_subjects_decide(
    configured: AwsStack, allowed: bool
) -> None:
    if allowed:
        configured_threads(configured, subject_reference=r"\[#([a-z2-7]{26})\]")
    root = configured.process(mail())
    made = configured.interactions.get(
        configured.process(mail(subject=f"Re: parcel [#{root}]", message_id="<2@x>", sender="bob@example.net"))
    )
    assert made is not None
    assert (made.thread_id == root) is allowed


@pytest.mark.feature("X05")
@pytest.mark.parametrize("strangers", [1, 12], ids=["one", "more-than-are-looked-at"])
def test_a_strangers_mail_under_a_known_message_id_takes_no_reply_away(configured: AwsStack, strangers: int) -> None:
    root = configured.process(mail())
    for number in range(strangers):
        lure = mail(sender="eve@elsewhere.example", to="ann@example.org, support@example.com", body=f"lure {number}")
        configured.process(lure)
    made = configured.interactions.get(
        configured.process(mail(PASS, "In-Reply-To: <1@example.org>", message_id="<2@x>"))
    )
    assert made is not None
    assert made.thread_id == root


def test_a_reply_joins_the_thread_of_the_mailbox_that_it_came_to(configured: AwsStack) -> None:
    both = mail(to="support@example.com, sales@example.com")
    roots = {name: configured.process(both, mailbox=name) for name in ("support", "sales")}
    for name, root in roots.items():
        reply = mail(PASS, "In-Reply-To: <1@example.org>", message_id=f"<{name}@x>", body=name)
        made = configured.interactions.get(configured.process(reply, mailbox=name))
        assert made is not None
        assert made.thread_id == root


def test_an_agents_answer_goes_to_whom_the_mail_proposes(configured: AwsStack) -> None:
    sender = '"Kim Doe via Users" <users@lists.example>'
    listed = configured.process(mail("X-Original-From: Kim Doe <kim@customer.example>", sender=sender))
    own = configured.process(mail("Reply-To: support@example.com", sender="ann@example.org", message_id="<2@x>"))
    assert answer(configured, listed).outbound.to == ("kim@customer.example",)
    assert answer(configured, own).outbound.to == ("ann@example.org",)
