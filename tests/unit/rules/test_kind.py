"""The kind of a mail: the order of the decisions, and that each is recorded."""

from __future__ import annotations

import pytest
from postroom.mail.reports.automatic_evidence import Evidence
from postroom.model.interaction import Subtype
from postroom.rules.delivery_exceptions import predefined
from postroom.rules.kind import Kind, decide_kind

from tests.unit.conftest import MakeMail

REPORT = (
    "--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
    "Final-Recipient: rfc822; bob@example.net\nAction: {action}\nStatus: {status}\n--x--\n"
)
RETURNED = (
    "--x\n\nSomething went wrong.\n--x\nContent-Type: message/rfc822\n\n"
    "Message-ID: <{id}@example.org>\nFrom: support@example.org\nTo: bob@example.net\nSubject: hi\n\nhi\n--x--\n"
)
MULTIPART = {"Content_Type": "multipart/mixed; boundary=x"}


def kind(message: object, *, strict: bool = False) -> Kind:
    return decide_kind(
        message,  # type: ignore[arg-type]  # what the fixture makes
        is_ours=lambda message_id: message_id == "<ours@example.org>",
        exceptions=predefined(),
        strict=strict,
    )


@pytest.mark.parametrize(
    ("body", "fields", "subtype", "rules"),
    [
        pytest.param("Hello", {}, None, ["kind"], id="person"),
        pytest.param(
            REPORT.format(action="failed", status="5.1.1"),
            {"Content_Type": "multipart/report; boundary=x"},
            Subtype.INBOUND_NDR,
            ["kind.report", "kind.automatic"],
            id="report",
        ),
        pytest.param(
            REPORT.format(action="delivered", status="2.0.0"),
            {"Content_Type": "multipart/report; boundary=x"},
            Subtype.INBOUND_REPORT,
            ["kind.report", "kind.automatic"],
            id="delivered",
        ),
        pytest.param(
            RETURNED.format(id="ours"),
            MULTIPART | {"From": "postmaster@mx.example"},
            Subtype.INBOUND_NDR,
            ["kind.message-part", "kind.automatic"],
            id="our-mail-returned-by-a-mail-system",
        ),
        pytest.param(RETURNED.format(id="ours"), MULTIPART, None, ["kind"], id="our-mail-forwarded-by-a-person"),
        pytest.param(
            RETURNED.format(id="other"),
            MULTIPART | {"From": "mmdf@mx.example"},
            Subtype.INBOUND_NDR,
            ["kind.ndr-sender", "kind.automatic"],
            id="a-sender-of-the-list-returns-some-mail",
        ),
        pytest.param(
            RETURNED.format(id="ours"),
            MULTIPART | {"Return_Path": "<>"},
            Subtype.INBOUND_NDR,
            ["kind.message-part", "kind.automatic"],
            id="our-mail-returned-with-an-empty-path",
        ),
        pytest.param(
            "Please call me.",
            {"From": "postmaster@customer.example"},
            Subtype.INBOUND_AUTOMATIC,
            ["kind.automatic", "kind.delivery-exception"],
            id="a-postmaster-who-writes-a-letter",
        ),
        pytest.param("Weekly", {"List_Id": "<l.example>"}, Subtype.INBOUND_AUTOMATIC, ["kind.automatic"], id="list"),
        pytest.param(
            "Away",
            {"Subject": "Out of office", "Return_Path": "<>"},
            Subtype.PERMANENT_UNDELIVERABLE,
            ["kind.automatic", "kind.delivery-exception"],
            id="corroborated-phrase",
        ),
        pytest.param(
            "Away",
            {"Subject": "Out of office", "Return_Path": "<>", "Auto_Submitted": "auto-replied"},
            Subtype.INBOUND_AUTOMATIC,
            ["kind.automatic", "kind.delivery-exception"],
            id="phrase-of-an-answering-machine",
        ),
        pytest.param(
            "Help", {"Subject": "My system is slow"}, None, ["kind.delivery-exception"], id="uncorroborated-phrase"
        ),
    ],
)
def test_the_kind_is_decided_in_order_and_recorded(
    mail: MakeMail, body: str, fields: dict[str, str], subtype: Subtype | None, rules: list[str] | None
) -> None:
    found = kind(mail(body, **fields))
    assert found.subtype is subtype
    if rules is not None:
        assert [each.rule for each in found.decisions] == rules


def test_the_report_keeps_its_recipients_and_the_evidence_beside_it(mail: MakeMail) -> None:
    found = kind(
        mail(
            REPORT.format(action="failed", status="5.1.1"),
            Content_Type="multipart/report; boundary=x",
            Return_Path="<>",
        )
    )
    assert found.report is not None
    assert found.report.recipients[0].address == "bob@example.net"
    assert found.automatic.evidence is Evidence.REPORT
    assert found.decisions[0].detail == "rfc3464: bob@example.net 5.1.1 userunknown"


def test_our_mail_is_named_when_a_mail_system_returns_it(mail: MakeMail) -> None:
    found = kind(mail(RETURNED.format(id="ours"), **(MULTIPART | {"From": "MMDF@mx.example"})))
    assert found.original_message_id == "<ours@example.org>"


def test_a_hint_leaves_the_mail_where_it_is_unless_phrases_are_strict(mail: MakeMail) -> None:
    message = mail("Help", Subject="Question about vacation days")
    hint, strict = kind(message), kind(message, strict=True)
    assert hint.subtype is None
    assert not hint.is_delivery_exception
    assert hint.decisions[0].outcome == "hint"
    assert strict.subtype is Subtype.PERMANENT_UNDELIVERABLE
    assert strict.is_delivery_exception
    assert strict.decisions[0].outcome == "permanent"


def test_a_temporary_phrase_makes_a_temporary_exception(mail: MakeMail) -> None:
    found = kind(mail("?", Subject="mail failure", From="Mail_master@x.example", Auto_Submitted="auto-replied"))
    assert found.subtype is Subtype.TEMPORARY_UNDELIVERABLE


def test_a_name_is_no_evidence_for_a_phrase_about_that_name(mail: MakeMail) -> None:
    found = kind(mail("Please call me.", From="postmaster@customer.example"))
    assert found.exception is not None
    assert not found.is_delivery_exception


def test_a_phrase_in_the_subject_is_corroborated_by_the_name_of_a_mail_system(mail: MakeMail) -> None:
    found = kind(mail("?", From="postmaster@customer.example", Subject="user unknown"))
    assert found.subtype is Subtype.TEMPORARY_UNDELIVERABLE


def test_strict_takes_the_senders_name_for_proof(mail: MakeMail) -> None:
    assert kind(mail("Hi", From="postmaster@customer.example"), strict=True).subtype is Subtype.INBOUND_NDR


def test_a_report_outranks_every_phrase(mail: MakeMail) -> None:
    body = REPORT.format(action="failed", status="5.1.1")
    found = kind(mail(body, Subject="Out of office", Content_Type="multipart/report; boundary=x"), strict=True)
    assert found.subtype is Subtype.INBOUND_NDR
    assert found.exception is None


@pytest.mark.fault(96)
@pytest.mark.parametrize(
    ("fields", "is_substitute"),
    [
        ({"From": "Mailserver 2010"}, True),
        ({"From": "Mailserver 2010", "Received": "from a by b"}, False),
        ({"From": "Mailserver 2010", "Message_ID": "<1@example.org>"}, False),
        ({"From": "Mailserver <server@example.org>"}, False),
        ({"From": "Mailserver 2010", "Content_Type": "multipart/mixed; boundary=x"}, False),
    ],
)
def test_what_a_server_wrote_instead_of_a_mail_is_told_by_what_it_lacks(
    mail: MakeMail, fields: dict[str, str], is_substitute: bool
) -> None:
    given = {"Date": "Mon, 30 Nov 2026 09:00:00 +0000", **fields}
    found = kind(mail("The message could not be retrieved.", **given))
    assert (found.subtype is Subtype.SERVER_SUBSTITUTE) is is_substitute
