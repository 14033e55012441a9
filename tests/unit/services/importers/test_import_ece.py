"""Lists of Cisco ECE become a configuration file: aliases, blocked file extensions, delivery exceptions."""

from __future__ import annotations

import pytest
from postroom.errors import Invalid
from postroom.services.configuration.file import read_configuration
from postroom.services.importers.draft import Outcome
from postroom.services.importers.ece import import_ece

ALIASES = """\
Name *;Description;Email address *;Status *;Automatic BCC;Send mail to;Default alias *;Redirection Email Addresses;\
Server type;Server name;User name;Use SSL;Port;Folder;Department
Customer Support;;support@company.com;Active;archive@company.com;;Yes;hi@company.com;\
IMAP;mail.company.com;jdoe;Yes;993;inbox;Service
Second;;second@company.com;Inactive;nobody;test@company.com;Yes;a@company.com;;;;;;;Service
Broken;;nothing;Active;;;No;;;;;;;;
"""


@pytest.mark.feature("X12")
def test_aliases_become_aliases_and_disabled_mailboxes() -> None:
    result = import_ece(ALIASES, source="aliases.csv")
    configuration = read_configuration(result.text).configuration
    first, second = configuration.aliases
    assert (first.name, first.address, first.default) == ("Customer-Support", "support@company.com", True)
    assert (first.automatic_bcc, first.redirection_addresses) == ("archive@company.com", ("hi@company.com",))
    assert (second.active, second.default, second.send_mail_to) == (False, False, "test@company.com")
    assert [one.name for one in configuration.departments] == ["Service"]
    mailbox = configuration.mailboxes[0]
    assert (mailbox.enabled, mailbox.server, mailbox.login, mailbox.port) == (False, "mail.company.com", "jdoe", 993)
    assert any(row.section == "line 4" and row.outcome is Outcome.LEFT_OUT for row in result.rows)
    assert any(row.option == "Password" and row.outcome is Outcome.FILL_IN for row in result.rows)


def test_blocked_extensions_are_taken_once() -> None:
    text = (
        'Name,Description,Blocked file extension\nBlocked Executables,,.exe\nAgain,,*.EXE\nBad,,a/b\n"Scripts",x,vbs\n'
    )
    configuration = read_configuration(import_ece(text, source="x.csv").text).configuration
    assert [(one.name, one.extension) for one in configuration.blocked_extensions] == [
        ("Blocked Executables", "exe"),
        ("Scripts", "vbs"),
    ]


def test_own_phrases_are_taken_and_predefined_ones_are_there_already() -> None:
    rows = (
        "name\ttype\tphrase\tfailure",
        "Mine\tSubject\tAutomated Response X\tPermanent",
        "pm\taddress\tpostmaster\ttemporary",
        "bad\tsubject\ta@b\tpermanent",
    )
    text = "\n".join(rows)
    result = import_ece(text, source="x.csv")
    configuration = read_configuration(result.text).configuration
    assert [(one.name, one.phrase) for one in configuration.delivery_exceptions] == [("Mine", "Automated Response X")]
    assert "predefined" in next(row.why for row in result.rows if row.section == "line 3")


@pytest.mark.parametrize("text", ["", "hello", "a,b\n1,2\n"])
def test_another_list_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="no list"):
        import_ece(text, source="x")


@pytest.mark.parametrize(
    ("name", "became", "why"),
    [
        ("A", "A-2", "the name A was taken"),
        ("B C", "B-C", "names hold at most 40 letters, digits, '.', '_' and '-' here"),
        ("Ä", "A-2", "names hold at most 40 letters, digits, '.', '_' and '-' here; the name A was taken"),
        ("D", "D", ""),
    ],
    ids=["taken", "spelling", "both", "as it is"],
)
def test_a_new_name_is_explained_by_its_true_reason(name: str, became: str, why: str) -> None:
    result = import_ece(f"Name,Email address\nA,a@example.com\n{name},b@example.com\n", source="x.csv")
    renamed = next(row for row in result.rows if (row.section, row.option) == ("line 3", "Name"))
    assert (renamed.to, renamed.why) == (f"aliases[name={became}].name", why)
    assert renamed.outcome is (Outcome.CHANGED if why else Outcome.MAPPED)
