"""Structural evidence of automatic mail."""

from __future__ import annotations

import pytest
from postroom.mail.automatic import Evidence, automatic, corroboration, is_mailer, list_headers

from .conftest import MakeMail


@pytest.mark.parametrize(
    ("header", "value", "rule", "evidence"),
    [
        ("Auto-Submitted", "auto-replied", "auto-submitted-reply", Evidence.REPLY),
        ("Auto-Submitted", "auto-generated (cron)", "auto-submitted", Evidence.GENERATED),
        ("Auto-Submitted", "something-new; x=y", "auto-submitted", Evidence.GENERATED),
        ("Return-Path", "<>", "null-return-path", Evidence.REPORT),
        ("Return-Path", "<MAILER-DAEMON@mx.example>", "mailer-return-path", Evidence.REPORT),
        (
            "Content-Type",
            "multipart/report; report-type=delivery-status; boundary=x",
            "multipart-report",
            Evidence.REPORT,
        ),
        ("X-Failed-Recipients", "bob@example.net", "failed-recipients", Evidence.REPORT),
        ("From", "Mail Delivery Subsystem <Mailer-Daemon@mx.example>", "mailer-sender", Evidence.REPORT),
        ("From", "MAILER-DAEMON", "mailer-sender", Evidence.REPORT),
        ("X-Autoreply", "yes", "x-autoreply", Evidence.REPLY),
        ("X-Autorespond", "Re: hello", "x-autorespond", Evidence.REPLY),
        ("X-POST-MessageClass", "9; Autoresponder", "x-post-messageclass", Evidence.REPLY),
        ("Delivered-To", "Autoresponder", "delivered-to-autoresponder", Evidence.REPLY),
        ("X-FC-MachineGenerated", "true", "x-fc-machinegenerated", Evidence.GENERATED),
        ("Precedence", "auto_reply", "precedence-auto-reply", Evidence.REPLY),
        ("Precedence", "Bulk", "precedence-bulk", Evidence.LIST),
        ("Precedence", "junk", "precedence-bulk", Evidence.LIST),
        ("List-Id", "<news.example.com>", "list-id", Evidence.LIST),
        ("List-Unsubscribe", "<mailto:u@example.com>", "list-unsubscribe", Evidence.LIST),
        ("X-GitHub-Reason", "mention", "github", Evidence.GENERATED),
    ],
)
def test_a_header_of_a_machine_makes_a_mail_automatic(
    mail: MakeMail, header: str, value: str, rule: str, evidence: Evidence
) -> None:
    found = automatic(mail(**{header.replace("-", "_"): value}))
    assert found.is_automatic
    assert (found.rule, found.evidence) == (rule, evidence)
    assert found.why is not None
    assert found.why.startswith(f"{header}: ")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Auto-Submitted", "no"),
        ("Auto-Submitted", "No (a person)"),
        ("X-Auto-Response-Suppress", "All"),
        ("X-Auto-Response-Suppress", "OOF, AutoReply"),
        ("Return-Path", "<ann@example.com>"),
        ("Precedence", "first-class"),
        ("X-Autoreply", "no"),
        ("X-FC-MachineGenerated", "false"),
        ("Delivered-To", "support@example.com"),
        ("X-Priority", "1"),
        ("From", "Anna Postmaster <anna@example.com>"),
    ],
)
def test_mail_of_people_is_not_automatic(mail: MakeMail, header: str, value: str) -> None:
    assert not automatic(mail(**{header.replace("-", "_"): value})).is_automatic


def test_a_missing_return_path_alone_proves_nothing(mail: MakeMail) -> None:
    assert not automatic(mail()).is_automatic


def test_the_second_field_of_a_name_counts_too(mail: MakeMail) -> None:
    assert automatic(mail(Precedence=["first-class", "bulk"])).rule == "precedence-bulk"


def test_an_encoded_name_does_not_become_an_address(mail: MakeMail) -> None:
    hidden = "=?utf-8?q?=2C_=3Cmailer-daemon=40x.example=3E=2C?= <ann@example.com>"
    assert not automatic(mail(From=hidden)).is_automatic


def test_lists_and_applications_do_not_corroborate_a_phrase(mail: MakeMail) -> None:
    assert not corroboration(mail(List_Id="<l.example>", X_GitHub_Reason="mention")).is_automatic
    assert corroboration(mail(List_Id="<l.example>", Auto_Submitted="auto-replied")).is_automatic


@pytest.mark.parametrize(
    "address", ["MAILER-DAEMON@x", "postmaster@example.com", "mmdf@x", "mailer-daemon", "postmaster+x@y"]
)
def test_names_of_mail_systems_are_known(address: str) -> None:
    assert is_mailer(address)


@pytest.mark.parametrize("address", ["postmasters@x", "ann@mailer-daemon.example", "", "daemon@x"])
def test_other_names_are_people(address: str) -> None:
    assert not is_mailer(address)


def test_the_list_headers_are_named(mail: MakeMail) -> None:
    assert list_headers(mail(List_Id="x", List_Post="y")) == ("List-Id", "List-Post")
    assert list_headers(mail()) == ()


def test_what_decided_is_shown_shortened(mail: MakeMail) -> None:
    why = automatic(mail(X_Autoreply="very " * 100)).why
    assert why is not None
    assert len(why) == 120
