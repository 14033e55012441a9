"""An E-mail Server's options become a file with everything disabled, and a table of what became of each."""

from __future__ import annotations

import json

import pytest
from postroom.errors import Invalid
from postroom.model.configuration.document import Configuration
from postroom.model.configuration.mailbox import Mailbox, Type
from postroom.services.configuration.file import read_configuration
from postroom.services.importers.draft import Imported, Outcome, Row
from postroom.services.importers.genesys import import_genesys

INI = """\
; exported options
[pop-client support]
address = "Legal Dpt" <legal@example.com>
mailbox = legal
password = CANARY-1
server = mail.example.com
port = 110
type = POP3
enable-client = true
cycle-time = 00:01:00
leave-msg-on-server = true
maximum-msg-size = 500
endpoint = Support Queue
folder-path = INBOX
mail.pop3.disabletop = true
mail.pop3.magic = 1
mail.pop3.connectiontimeout = 30000
frobnicate = CANARY-2

[endpoints:101]
Support Queue = Email Support
default = Inbound Q

[email-processing]
default-inbound-queue = Inbound Q
enable-message-id-check = true

[smtp-client]
server = smtp.example.com
port = 25
user = x
password = CANARY-3

[secret-google]
secret = CANARY-4
"""
LIST = """\
'pop-client support' [list] (size=4)
    'address' [str] = "legal@example.com"
    'type' [str] = "IMAP"
    'server' [str] = "mail.example.com"
    'password' [str] = "CANARY"
'endpoints:1' [list] =
    'default' [str] = "Inbound"
"""


def imported(text: str) -> tuple[Configuration, Imported]:
    result = import_genesys(text, source="export.cfg")
    return read_configuration(result.text).configuration, result


def row(result: Imported, section: str, option: str) -> Row:
    return next(one for one in result.rows if (one.section, one.option) == (section, option))


@pytest.mark.feature("G30", "X12")
def test_every_section_is_imported_and_everything_is_disabled() -> None:
    configuration, _result = imported(INI)
    mailbox = configuration.mailboxes[0]
    assert mailbox.enabled is False
    assert (mailbox.name, mailbox.address, mailbox.user) == ("support", '"Legal Dpt" <legal@example.com>', "legal")
    assert (mailbox.type, mailbox.server, mailbox.port) == (Type.POP3, "mail.example.com", 110)
    assert mailbox.cycle_time.total_seconds() == 60
    assert mailbox.connect_timeout.total_seconds() == 30
    assert mailbox.properties == {"mail.pop3.disabletop": "true"}
    assert mailbox.endpoint == "Support-Queue"
    assert [(one.name, one.queue) for one in configuration.endpoints] == [
        ("Support-Queue", "Email-Support"),
        ("default", "Inbound-Q"),
    ]
    assert configuration.settings.default_endpoint == "default"
    assert configuration.settings.default_inbound_queue == "Inbound-Q"
    assert (configuration.outbound_servers[0].name, configuration.outbound_servers[0].user) == ("smtp-client", "x")


@pytest.mark.parametrize(
    ("option", "outcome", "words"),
    [
        ("enable-client", Outcome.CHANGED, "disabled"),
        ("pop-connection-security", Outcome.CHANGED, "protected"),
        ("maximum-msg-size", Outcome.CHANGED, "from 1 to 100"),
        ("leave-msg-on-server", Outcome.CHANGED, "UIDL"),
        ("folder-path", Outcome.LEFT_OUT, "POP3"),
        ("mail.pop3.magic", Outcome.LEFT_OUT, "not known"),
        ("frobnicate", Outcome.LEFT_OUT, "not an option"),
        ("password", Outcome.FILL_IN, "postroom secret set mailbox.support"),
        ("cycle-time", Outcome.MAPPED, ""),
    ],
)
def test_the_table_says_what_became_of_each_option_and_why(option: str, outcome: Outcome, words: str) -> None:
    _configuration, result = imported(INI)
    found = row(result, "pop-client support", option)
    assert found.outcome is outcome
    assert words in found.why


def test_every_option_of_the_export_is_in_the_table() -> None:
    _configuration, result = imported(INI)
    listed = {(one.section, one.option) for one in result.rows}
    section = ""
    for line in INI.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not section.startswith("secret"):
            assert (section, line.partition("=")[0].strip()) in listed
    assert ("secret-google", "(all options)") in listed


def test_no_secret_of_the_export_is_in_the_file_or_in_the_table() -> None:
    for text in (INI, LIST):
        result = import_genesys(text, source="export.cfg")
        assert "CANARY" not in result.text
        assert "CANARY" not in repr(result.rows)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LIST, id="key/value list"),
        pytest.param(
            "Section,Option,Value\npop-client support,address,legal@example.com\npop-client support,type,IMAP\n"
            "pop-client support,server,mail.example.com\nendpoints:1,default,Inbound\n",
            id="CSV",
        ),
        pytest.param(
            json.dumps(
                {
                    "pop-client support": {
                        "address": "legal@example.com",
                        "type": "IMAP",
                        "server": "mail.example.com",
                    },
                    "endpoints:1": {"default": "Inbound"},
                }
            ),
            id="JSON",
        ),
        pytest.param(
            "\ufeff[pop-client support]\r\naddress=legal@example.com\r\ntype=IMAP\r\nserver=mail.example.com\r\n"
            "[endpoints:1]\r\ndefault=Inbound\r\n",
            id="INI with CRLF and BOM",
        ),
    ],
)
def test_every_form_of_an_export_gives_the_same(text: str) -> None:
    configuration, _result = imported(text)
    mailbox = configuration.mailboxes[0]
    assert (mailbox.name, mailbox.address, mailbox.type, mailbox.endpoint) == (
        "support",
        "legal@example.com",
        Type.IMAP,
        "default",
    )


def one_client(**options: str) -> tuple[Mailbox, Imported]:
    lines = "".join(f"{name.replace('__', '.').replace('_', '-')} = {value}\n" for name, value in options.items())
    configuration, result = imported(f"[pop-client a]\naddress = a@example.com\nserver = x.example.com\n{lines}")
    return configuration.mailboxes[0], result


def test_defaults_that_differ_are_written_out() -> None:
    mailbox, _result = one_client()
    assert (mailbox.type, mailbox.maximum_msg_size) == (Type.POP3, 5)


def test_a_discontinued_login_with_delimiter_is_split() -> None:
    mailbox, result = one_client(
        type="IMAP",
        mailbox="svc@example.com#shared@example.com",
        service_mailbox_delimiter="#",
        service_plus_mailbox_connect="true",
        mail__imap__auth__mechanisms="XOAUTH2",
        client_id="c",
        directory_id="d",
        grant_type="client_credentials",
    )
    assert (mailbox.service_account, mailbox.login) == ("svc@example.com", "shared@example.com")
    assert mailbox.grant == "client_credentials"
    assert row(result, "pop-client a", "service-plus-mailbox-connect").outcome is Outcome.LEFT_OUT


def test_oauth_options_that_had_no_effect_there_are_left_out() -> None:
    mailbox, result = one_client(type="IMAP", client_id="c", directory_id="d", scope="s")
    assert mailbox.client_id is None
    assert "XOAUTH2" in row(result, "pop-client a", "client-id").why


def test_an_ews_host_becomes_the_usual_url() -> None:
    mailbox, result = one_client(type="EWS", exchange_version="Exchange2016", port="443")
    assert mailbox.server == "https://x.example.com/EWS/Exchange.asmx"
    assert mailbox.exchange_version == "Exchange2016"
    assert row(result, "pop-client a", "port").outcome is Outcome.LEFT_OUT


def test_graph_needs_no_server() -> None:
    mailbox, _result = one_client(type="GRAPH", client_id="c", directory_id="d")
    assert mailbox.server is None


@pytest.mark.parametrize(
    ("security", "port", "here"),
    [
        ("none", "993", "ssl-tls"),
        ("none", "143", "start-tls-required"),
        ("", "", "ssl-tls"),
        ("start-tls", "", "start-tls"),
    ],
)
def test_an_unprotected_connection_becomes_the_protected_one_that_fits_its_port(
    security: str, port: str, here: str
) -> None:
    mailbox, _result = one_client(type="IMAP", pop_connection_security=security, port=port)
    assert mailbox.security == here


@pytest.mark.parametrize(
    "options",
    [
        {"cycle_time": "soon"},
        {"cycle_time": "00:00:00"},
        {"maximum_msg_number": "-1"},
        {"folder_separator": "//"},
        {"type": "IMAP", "exchange_version": "x"},
        {"port": "99999"},
        {"mail__pop3__ssl__trust": "*"},
        {"delete_big_msg": "perhaps"},
        {"copy_message_with_header": "X Y"},
        {"failed_items_folder_name": ""},
    ],
)
def test_odd_values_are_in_the_table_and_do_not_stop_the_import(options: dict[str, str]) -> None:
    result = import_genesys(
        "[pop-client a]\naddress = a@example.com\nserver = x.example.com\n"
        + "".join(f"{name.replace('__', '.').replace('_', '-')} = {value}\n" for name, value in options.items()),
        source="x",
    )
    assert any(one.outcome is not Outcome.MAPPED for one in result.rows)


def test_two_clients_of_one_name_get_two_names() -> None:
    configuration, _result = imported(
        "[pop-client büro 1]\naddress = a@example.com\nserver = x.example.com\n"
        "[pop-client buro 1]\naddress = b@example.com\nserver = x.example.com\n"
    )
    assert [one.name for one in configuration.mailboxes] == ["buro-1", "buro-1-2"]


@pytest.mark.parametrize("text", ["", "hello", "a = b", "\x00\x01", "{}", "[", "Section,Value\n"])
def test_a_file_that_is_no_export_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="no section"):
        import_genesys(text, source="x")


def test_what_is_neither_true_nor_false_is_said() -> None:
    text = INI.replace("enable-client = true", "enable-client = maybe").replace(
        "user = x", "user = x\nenable-authentication = perhaps"
    )
    configuration, result = imported(text)
    enabled = row(result, "pop-client support", "enable-client")
    assert (enabled.outcome, enabled.why) == (
        Outcome.CHANGED,
        "`maybe` is neither true nor false; imported disabled",
    )
    login = row(result, "smtp-client", "enable-authentication")
    assert (login.outcome, "`perhaps` is neither" in login.why) == (Outcome.CHANGED, True)
    assert configuration.outbound_servers[0].user == "x"
