"""A bad file: every problem is listed with its path and line, what is wrong with the value, and the remedy."""

from __future__ import annotations

import random

import pytest
from postroom.errors import Invalid
from postroom.services.configuration.file import read_configuration

from tests.unit.services.configuration.files import mailbox, only_problem, problems, read

EWS = "mailboxes:\n  - {name: e, address: e@example.com, type: EWS, server: mail.example.com}\n"


def test_every_problem_of_a_file_is_listed_at_once_in_the_order_of_its_lines() -> None:
    found = problems(
        "endpoints:\n"
        "  - {name: e, queue: nowhere}\n"
        "mailboxes:\n"
        "  - name: support\n"
        "    address: support@example.com\n"
        "    server: imap.example.com\n"
        "    cycle_time: 00:00:00\n"
        "    endpoint: missing\n"
        "    mode: fast\n"
        "  - name: support\n"
        "    address: Support@Example.com\n"
        "    server: imap.example.com\n"
        "    maximum_msg_number: many\n"
    )
    assert [(problem.path, getattr(problem, "line", None)) for problem in found] == [
        ("endpoints[0].queue", 2),
        ("mailboxes[0].cycle_time", 7),
        ("mailboxes[0].endpoint", 8),
        ("mailboxes[0].mode", 9),
        ("mailboxes[1].name", 10),
        ("mailboxes[1].address", 11),
        ("mailboxes[1].maximum_msg_number", 13),
    ]
    assert all(problem.problem.endswith(".") and problem.remedy.endswith((".", "?")) for problem in found)


@pytest.mark.parametrize(
    ("line", "path", "problem", "remedy"),
    [
        pytest.param("cycle_time: 00:00:00", "cycle_time", "zero", "00:00:01", id="G06 cycle-time of zero"),
        pytest.param("cycle_time: soon", "cycle_time", "not a period", "hh:mm:ss", id="G04 a word for a period"),
        pytest.param("cycle_time: 00:61:00", "cycle_time", "not a period", "hh:mm:ss", id="G04 61 minutes"),
        pytest.param("maximum_msg_number: 0", "maximum_msg_number", "out of range", "1 to 10000", id="G18 zero"),
        pytest.param("maximum_msg_number: 1.5", "maximum_msg_number", "whole number", "1 to", id="G18 a fraction"),
        pytest.param("maximum_msg_size: 101", "maximum_msg_size", "out of range", "1 to 100", id="G08 too large"),
        pytest.param("inbound_msg_copy_limit: 51", "inbound_msg_copy_limit", "range", "1 to 50", id="G05 51 copies"),
        pytest.param("copy_message_with_header: 'X Y'", "copy_message_with_header", "no header", "letters", id="G05"),
        pytest.param("type: imap", "type", "not one of", "did you mean IMAP", id="G24 lower case"),
        pytest.param("security: tls", "security", "not one of", "ssl-tls", id="G19 unknown security"),
        pytest.param("grant: password2", "grant", "not one of", "client_credentials", id="G03 unknown grant"),
        pytest.param("port: 70000", "port", "out of range", "65535", id="G20 port too large"),
        pytest.param("port: 110", "port", "POP3", "protocol's own", id="G20 port of another protocol"),
        pytest.param("port: 143", "port", "without TLS", "start-tls-required", id="G20 plain port with TLS"),
        pytest.param("port: 587", "port", "sending", "protocol's own", id="G20 submission port"),
        pytest.param("folder_separator: '//'", "folder_separator", "length", "at most 1", id="G14 two characters"),
        pytest.param("leave_msg_on_server: maybe", "leave_msg_on_server", "neither", "true or false", id="G15"),
        pytest.param("exchange_version: Exchange2016", "exchange_version", "IMAP", "type EWS", id="G12 not for IMAP"),
        pytest.param(
            "properties: {mail.imap.magic: 1}",
            "properties.mail.imap.magic",
            "mail.imap.magic",
            "Remove",
            id="G16 unknown property, by name",
        ),
        pytest.param(
            "properties: {mail.pop3.disabletop: true}",
            "properties.mail.pop3.disabletop",
            "pop3",
            "Remove",
            id="G16 property of another protocol",
        ),
        pytest.param(
            "properties: {mail.imap.ssl.protocols: SSLv3}",
            "properties.mail.imap.ssl.protocols",
            "SSLv3",
            "TLSv1.2",
            id="G16 bad value",
        ),
        pytest.param(
            "properties: {mail.imap.ssl.trust: '*'}",
            "properties.mail.imap.ssl.trust",
            "certificates",
            "ca_certificate",
            id="G16 trust without a CA",
        ),
        pytest.param(
            "properties: {mail.imap.port: 1}",
            "properties.mail.imap.port",
            "option of its own",
            "`port`",
            id="G16 property that is an option",
        ),
        pytest.param("first_connection: since", "first_connection_since", "missing", "2026-11-21", id="X13 no date"),
        pytest.param(
            "first_connection_since: 2026-01-01",
            "first_connection_since",
            "contradicts",
            "since",
            id="X13 a date without since",
        ),
        pytest.param("first_connection_since: someday", "first_connection_since", "no date", "2026-11-21", id="X13"),
        pytest.param(
            "processed_items_folder_name: INBOX",
            "processed_items_folder_name",
            "again",
            "another",
            id="G21 the folder that is fetched",
        ),
        pytest.param("failed_items_folder_name: ''", "failed_items_folder_name", "empty", "move_failed", id="G13"),
        pytest.param("shared_mailbox: true", "shared_mailbox", "needs an account", "account", id="C08 no account"),
        pytest.param(
            "before_account: {server: a.example.com}",
            "before_account",
            "without `account`",
            "Remove",
            id="C08 own",
        ),
        pytest.param("scope: https://x/.default", "scope", "OAuth", "client_id", id="G03 scope without client id"),
        pytest.param("ca_certificate: hello", "ca_certificate", "no PEM", "BEGIN CERTIFICATE", id="G19 no certificate"),
        pytest.param("enabled: true", "password", "missing", "postroom secret set", id="enabled without password"),
        pytest.param("cycle-time: 00:01:00", "cycle-time", "not an option", "`cycle_time`", id="reference spelling"),
        pytest.param(
            "pop-connection-security: none",
            "pop-connection-security",
            "not an option",
            "`security`",
            id="reference name of another spelling",
        ),
        pytest.param(
            "password: hunter2", "password", "not a reference", "postroom secret set", id="secret in the file"
        ),
        pytest.param("password: {secret: 'a b'}", "password.secret", "not the name", "postroom secret", id="odd name"),
        pytest.param("password: {}", "password", "not a reference", "secret", id="empty reference"),
        pytest.param("account: nobody", "account", "no account", "accounts", id="C07 unknown account"),
        pytest.param("department: nobody", "department", "no department", "departments", id="C17 unknown department"),
    ],
)
def test_each_bad_value_names_its_field_the_problem_and_the_remedy(
    line: str, path: str, problem: str, remedy: str
) -> None:
    found = [one for one in problems(mailbox(line)) if one.path == f"mailboxes[0].{path}"]
    assert len(found) == 1
    assert problem in found[0].problem
    assert remedy in found[0].remedy


@pytest.mark.parametrize(
    "line",
    [
        "password: CANARY-1",
        "client_secret: CANARY-2",
        "password: {secret: 'CANARY 3'}",
        "passwort: CANARY-4",
        "password: [CANARY-5]",
        "ca_certificate: '-----BEGIN PRIVATE KEY-----CANARY-6'",
        # a field that is none, one of another sort, a value that looks like a secret wherever it stands
        "password: *CANARY-7",
        "password: !CANARY-8 x",
        "api_token: CANARY-9",
        "properties: {mail.imap.auth.mechanisms: 'PLAIN CANARY-10'}",
        "properties: {mail.imap.password: CANARY-11}",
        "cycle_time: eyJhbGciOiJub25lIn0.CANARY-12",
        "port: '-----BEGIN PRIVATE KEY-----CANARY-13'",
        "security: abc8Q~CANARY-14",
    ],
)
def test_a_secret_written_into_the_file_by_mistake_is_never_repeated(line: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_configuration(mailbox(line))
    assert "CANARY" not in str(caught.value)
    assert "CANARY" not in repr(caught.value.problems)


@pytest.mark.parametrize(
    ("server", "words", "remedy"),
    [
        pytest.param("mail.example.com", "host name", "https://mail.example.com/EWS/Exchange.asmx", id="host name"),
        pytest.param("http://mail.example.com/EWS", "not protected", "https", id="plain http"),
        pytest.param("https://me:pw@mail.example.com/EWS", "credentials", "password", id="credentials in the URL"),
        pytest.param("https:///EWS", "no host", "https://", id="no host"),
    ],
)
def test_an_ews_server_must_be_an_https_url(server: str, words: str, remedy: str) -> None:
    problem = only_problem(EWS.replace("mail.example.com", f"'{server}'"))
    assert problem.path == "mailboxes[0].server"
    assert words in problem.problem
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("server", "words", "remedy"),
    [
        pytest.param("graph.example.com", "host name", "https://graph.example.com.", id="host name"),
        pytest.param("http://graph.example.com", "not protected", "https", id="plain http"),
        pytest.param("https://me:pw@graph.example.com", "credentials", "password", id="credentials in the URL"),
        pytest.param("https://graph.example.com:x", "no URL", "https://", id="no port"),
        pytest.param("https://graph.example.com/v1.0/", "more than", "/v1.0", id="version"),
        pytest.param("https://graph.example.com/?a=b", "more than", "/v1.0", id="query"),
        pytest.param("https://gate.example.com/graph", "", "", id="gateway"),
    ],
)
def test_another_address_of_microsoft_graph_is_an_https_url_of_the_service_s_root(
    server: str, words: str, remedy: str
) -> None:
    text = f"mailboxes:\n  - {{name: g, address: g@example.com, type: GRAPH, client_id: c, server: '{server}'}}\n"
    if not words:
        assert read(text).mailboxes[0].server == server
        return
    problem = only_problem(text)
    assert problem.path == "mailboxes[0].server"
    assert words in problem.problem
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("server", "words"),
    [("https://imap.example.com", "URL"), ("imap.example.com:993", "port"), ("not a host", "no host name")],
)
def test_an_imap_server_must_be_a_host_name(server: str, words: str) -> None:
    problem = only_problem(mailbox().replace("imap.example.com", f"'{server}'"))
    assert words in problem.problem


@pytest.mark.parametrize("type_", ["POP3"])
@pytest.mark.parametrize(
    "option",
    [
        "folder_path: Archive",
        "processed_items_folder_name: done",
        "failed_items_folder_name: bad",
        "move_failed_ews_item: false",
        "folder_separator: '.'",
    ],
)
def test_an_option_that_the_type_cannot_honour_is_refused_by_name(type_: str, option: str) -> None:
    problem = only_problem(mailbox(f"type: {type_}", option))
    assert problem.path == f"mailboxes[0].{option.partition(':')[0]}"
    assert type_ in problem.problem
    assert "type EWS, GRAPH, IMAP" in problem.remedy


@pytest.mark.parametrize(
    "second", ["SUPPORT@example.com", "Someone <support@EXAMPLE.com>", '"=?utf-8?q?D=C3=A9pt?=" <support@example.com>']
)
def test_a_mailbox_address_used_twice_is_refused_whatever_its_display_name(second: str) -> None:
    problem = only_problem(mailbox() + f"  - name: other\n    server: imap.example.com\n    address: '{second}'\n")
    assert (problem.path, problem.line) == ("mailboxes[1].address", 7)
    assert "`support`" in problem.problem


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("legal@mycompany.com", ""),
        ('"Legal Dpt" <legal@mycompany.com>', "Legal Dpt"),
        ('"=?Cp1252?Q?Dpt_=E9_Legal?=" <legal@mycompany.com>', "Dpt é Legal"),
    ],
)
def test_any_rfc_5322_mailbox_is_an_address(address: str, name: str) -> None:
    found = read(mailbox().replace("support@example.com", f"'{address}'")).mailboxes[0]
    assert found.sender.address == "legal@mycompany.com"
    assert found.sender.name == name
    assert found.user == "legal@mycompany.com"


@pytest.mark.parametrize(
    "address", ["x", "a@b, c@d", "'@example.com'", "a b@example.com", "a@", "''", '"a@example.com\\r\\nBcc: x@y"']
)
def test_what_is_no_single_address_is_refused(address: str) -> None:
    assert any(
        one.path == "mailboxes[0].address" for one in problems(mailbox().replace("support@example.com", address))
    )


def test_a_target_that_its_calendar_leaves_no_time_for_is_refused() -> None:
    text = """
    calendars: [{name: mornings, hours: {monday: [08:00-08:30]}}]
    service_levels: [{name: slow, calendar: mornings, first_response: 04:00:00, resolution: 30:00:00}]
    """
    problem = only_problem(text)
    assert problem.path == "service_levels[0].resolution"
    assert "0.5 hours a week" in problem.problem
    assert "shorter period" in problem.remedy


def test_a_bad_object_does_not_make_its_name_unknown_to_others() -> None:
    problem = only_problem("queues:\n  - {name: q, color: red}\nendpoints:\n  - {name: e, queue: q}\n")
    assert problem.path == "queues[0].color"


def test_a_missing_required_option_is_named_with_what_it_is() -> None:
    problem = only_problem("templates:\n  - {name: t, subject: s}\n")
    assert problem.path == "templates[0].text"
    assert "missing" in problem.problem


def test_a_template_that_no_acknowledgement_could_be_written_by_is_refused() -> None:
    picture = random.Random(7).randbytes(150_000).hex()
    problem = only_problem(f"templates:\n  - {{name: t, subject: s, text: Hello, html: '<img src={picture}>'}}\n")
    assert problem.path == "templates[0].html"
    assert "too large" in problem.problem


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        pytest.param(
            "outbound_servers: [{name: s, type: smtp, authentication: anonymous}]",
            "host",
            "missing",
            id="S07 SMTP without host",
        ),
        pytest.param(
            "outbound_servers: [{name: s, type: smtp, host: h.example.com, user: u}]",
            "password",
            "missing",
            id="S07 basic without password",
        ),
        pytest.param(
            "outbound_servers: [{name: s, type: smtp, host: h.example.com, authentication: anonymous, user: u}]",
            "user",
            "contradicts",
            id="S07 anonymous with user",
        ),
        pytest.param("outbound_servers: [{name: s, host: h.example.com}]", "host", "no meaning", id="SES with a host"),
        pytest.param(
            "outbound_servers: [{name: s, attachment_encoding: 'txt=7bits'}]",
            "attachment_encoding",
            "no encoding",
            id="S01",
        ),
        pytest.param("outbound_servers: [{name: s, body_charset: klingon}]", "body_charset", "not known", id="S02"),
        pytest.param("outbound_servers: [{name: s, body_encoding: 9bit}]", "body_encoding", "not known", id="S02 enc"),
        pytest.param("outbound_servers: [{name: s, maximum_size: 101}]", "maximum_size", "out of range", id="S08"),
        pytest.param(
            "aliases: [{name: a, address: a@example.com, default: true, active: false}]",
            "default",
            "inactive",
            id="C01 inactive default",
        ),
        pytest.param(
            "aliases: [{name: a, address: a@example.com, automatic_bcc: 'a@b, c@d'}]",
            "automatic_bcc",
            "more than one address",
            id="C01 two blind copies",
        ),
        pytest.param(
            "delivery_exceptions: [{name: x, type: subject, phrase: 'a@b', failure: permanent}]",
            "phrase",
            "contains '@'",
            id="C13 phrase with @",
        ),
        pytest.param(
            "delivery_exceptions: [{name: x, type: body, phrase: x, failure: permanent}]",
            "type",
            "not one of",
            id="C13 type",
        ),
        pytest.param("blocked_extensions: [{name: x, extension: 'a/b'}]", "extension", "no file extension", id="C11"),
        pytest.param("masking_patterns: [{name: x, pattern: '(?<=a)b'}]", "pattern", "look-behind", id="C15 RE2"),
        pytest.param("masking_patterns: [{name: x, pattern: 'a*'}]", "pattern", "empty", id="C15 empty match"),
        pytest.param("masking_patterns: [{name: x, kind: dna}]", "kind", "no kind", id="C15 unknown kind"),
        pytest.param("masking_patterns: [{name: x}]", "pattern", "Neither", id="C15 neither"),
        pytest.param(
            "masking_patterns: [{name: x, kind: card, inbound: no, outbound: no}]",
            "inbound",
            "nothing",
            id="C15 masks nothing",
        ),
        pytest.param(
            "templates: [{name: t, subject: s, text: 'Dear {{customer.mood}}'}]",
            "text",
            "customer.mood",
            id="a field that a template does not have",
        ),
        pytest.param("oauth_applications: [{name: x, client_id: c}]", "tenant_id", "missing", id="C06 tenant"),
        pytest.param("oauth_applications: [{name: x, client_id: '', tenant_id: t}]", "client_id", "empty", id="C06 id"),
        pytest.param(
            "oauth_applications: [{name: x, client_id: c, tenant_id: https://login.example.com/t}]",
            "tenant_id",
            "no directory",
            id="C06 a tenant's address",
        ),
        pytest.param(
            "accounts: [{name: x, application: y, address: a@example.com}]",
            "application",
            "no OAuth",
            id="C07 unknown application",
        ),
    ],
)
def test_other_objects_are_checked_too(text: str, path: str, words: str) -> None:
    section = text.partition(":")[0]
    found = [one for one in problems(text) if one.path == f"{section}[0].{path}"]
    assert len(found) == 1
    assert words in found[0].problem


@pytest.mark.parametrize(("pattern", "words"), [("abc", "no group"), ("(a)(?!b)", "look-ahead")], ids=["group", "RE2"])
def test_a_subject_pattern_that_could_join_nothing_is_refused(pattern: str, words: str) -> None:
    problem = only_problem(f"settings: {{threads: {{subject_reference: '{pattern}'}}}}")
    assert problem.path == "settings.threads.subject_reference"
    assert words in problem.problem


ACCOUNTS = """\
oauth_applications: [{name: app, client_id: c, tenant_id: t}]
accounts:
  - {name: one, application: app, address: one@example.com}
"""


@pytest.mark.parametrize(
    ("option", "field", "words"),
    [
        ("port: 1993", "port", "comes from the account"),
        ("security: none", "security", "comes from the account"),
        ("server: imap.example.com", "server", "fixed by the account's provider"),
        ("password: {secret: s}", "password", "comes from the account"),
        ("service_account: svc@example.com", "service_account", "comes from the account"),
        ("properties: {mail.imaps.auth.mechanisms: PLAIN}", "account", "leaves XOAUTH2 out"),
        ("properties: {mail.imaps.auth.xoauth2.disable: 'true'}", "properties", "no way to log in with a token"),
    ],
    ids=lambda value: value.partition(":")[0] if ":" in value else "",
)
def test_what_an_account_decides_is_not_written_beside_it(option: str, field: str, words: str) -> None:
    mailboxes = f"mailboxes:\n  - {{name: m, address: one@example.com, account: one, {option}}}\n"
    problem = only_problem(ACCOUNTS + mailboxes)
    assert (problem.path, words in problem.problem) == (f"mailboxes[0].{field}", True)


def test_two_accounts_do_not_keep_their_tokens_in_one_place() -> None:
    other = "  - {name: two, application: app, address: two@example.com, refresh_token: {secret: account.one}}\n"
    problem = only_problem(ACCOUNTS + other)
    assert problem.path == "accounts[1].refresh_token"
    assert "account `one`" in problem.problem


def test_a_department_has_one_default_alias() -> None:
    problem = only_problem(
        "aliases:\n"
        "  - {name: a, address: a@example.com, default: true}\n"
        "  - {name: b, address: b@example.com, default: true}\n"
    )
    assert problem.path == "aliases[1].default"
    assert "`a`" in problem.problem


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        (["security: none", "port: 143"], "security"),
        (["delete_big_msg: true", "enable_big_msg_stripping: false"], "delete_big_msg"),
        (["delete_bad_formatted_msg: true"], "delete_bad_formatted_msg"),
        (["server: outlook.office365.com"], "password"),
    ],
)
def test_what_is_allowed_and_unwise_is_a_warning(lines: list[str], field: str) -> None:
    text = mailbox(*lines)
    if any(line.startswith("server") for line in lines):
        text = text.replace("    server: imap.example.com\n", "")
    assert [warning.path for warning in read_configuration(text).warnings] == [f"mailboxes[0].{field}"]


@pytest.mark.parametrize(
    ("server", "warned"),
    [
        ("https://gate.example.com/graph", True),
        ("https://graph.microsoft.com.example.net", True),
        ("https://graph.microsoft.us", False),
        ("https://DOD-graph.microsoft.us", False),
        ("https://microsoftgraph.chinacloudapi.cn", False),
    ],
)
def test_whoever_is_given_the_tokens_of_graph_beside_microsoft_is_named(server: str, warned: bool) -> None:
    text = f"mailboxes:\n  - {{name: g, address: g@example.com, type: GRAPH, client_id: c, server: '{server}'}}\n"
    warnings = read_configuration(text).warnings
    assert [warning.path for warning in warnings] == (["mailboxes[0].server"] if warned else [])
    assert all("the access token" in warning.problem for warning in warnings)


@pytest.mark.parametrize(
    ("lines", "warned"),
    [
        pytest.param(["type: graph"], True, id="graph"),
        pytest.param(["type: ews", "host: https://mail.example.com/EWS/Exchange.asmx"], True, id="ews"),
        pytest.param(["type: ses"], False, id="ses"),
    ],
)
def test_a_way_out_that_cannot_be_taken_yet_is_a_warning(lines: list[str], *, warned: bool) -> None:
    text = "\n    ".join(["outbound_servers:\n  - name: out", *lines])
    paths = [warning.path for warning in read_configuration(text).warnings]
    assert paths == (["outbound_servers[0].type"] if warned else [])


@pytest.mark.parametrize("name", ["Support <support@groups.example>", "<support.groups.example>", "support", "a b@c.d"])
def test_a_list_of_our_own_is_named_by_its_address_or_its_id(name: str) -> None:
    found = only_problem(f"settings:\n  own_lists: [team.groups.example, '{name}']\n")
    assert found.path == "settings.own_lists[1]"
    assert "neither an address nor a List-Id" in found.problem
    assert "support@groups.example.com" in found.remedy


@pytest.mark.parametrize("line", ["per_domain_a_day: -1", "per_domain_a_day: many"])
def test_a_cap_by_domain_is_a_number(line: str) -> None:
    assert only_problem(f"settings:\n  auto_reply:\n    {line}\n").path == "settings.auto_reply.per_domain_a_day"


def test_an_answer_to_a_forward_goes_to_one_of_two() -> None:
    found = only_problem("settings: {answer_forwards_to: everybody}\n")
    assert found.path == "settings.answer_forwards_to"
