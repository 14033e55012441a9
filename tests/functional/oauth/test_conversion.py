"""Mailboxes under an e-mail account: converted from a password, added anew, and taken out again (C08)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from postroom.adapters.net.tls import client_context
from postroom.model.configuration.mailbox import DEFAULT_PORTS, Type
from postroom.model.configuration.oauth import AUTHORITIES, SERVERS, Cloud, Provider
from postroom.model.messages import stored_event
from postroom_cli.author import author
from postroom_cli.commands.connection import try_connection
from postroom_cli.mailservers.tokens import CLIENT, TENANT, refusal

from tests.functional.cli.conftest import Command, Ran, postroom
from tests.functional.oauth.conftest import Site
from tests.support.aws_stack import sqs_event
from tests.support.mails import mail

__all__ = ["postroom"]

PASSWORD = "unused"  # of the simulators' users
OFFICE = (Provider.MICROSOFT, Cloud.WORLDWIDE)
ACCOUNT = ("--account", "office")

Apply = Callable[..., None]


@pytest.fixture
def apply(site: Site, postroom: Command, monkeypatch: pytest.MonkeyPatch) -> Apply:
    """Apply a configuration file: an account that has consented, whose provider's servers are the simulators."""
    monkeypatch.setitem(AUTHORITIES, OFFICE, site.authority)
    for type_, server in ((Type.IMAP, site.imap), (Type.POP3, site.pop3)):
        monkeypatch.setitem(SERVERS[OFFICE], type_, "127.0.0.1")
        monkeypatch.setitem(DEFAULT_PORTS, (type_, True), server.port)
    site.pop3.store = site.imap.store
    with Path(os.environ["SSL_CERT_FILE"]).open("a") as trusted:
        trusted.write(site.imap.ca_pem)
    client_context.cache_clear()
    site.service.refresh_tokens.add("refresh-0")
    for name, secret in (("account.office", "refresh-0"), ("mailbox.box0", PASSWORD), ("mailbox.box1", PASSWORD)):
        assert postroom("secret", "set", name, stdin=secret).status == 0

    def applied(*mailboxes: dict[str, Any], **more: Any) -> None:
        document = {
            "settings": {"default_inbound_queue": "general"},
            "queues": [{"name": "general"}],
            "oauth_applications": [
                {"name": "app", "client_id": CLIENT, "tenant_id": TENANT, "client_secret": {"secret": "app"}}
            ],
            "accounts": [{"name": "office", "application": "app", "address": "box0@example.com"}],
            "mailboxes": [
                {
                    "name": f"box{number}",
                    "address": f"box{number}@example.com",
                    "enabled": True,
                    "leave_msg_on_server": True,
                    "server": "127.0.0.1",
                    "port": site.pop3.port if given.get("type") == "POP3" else site.imap.port,
                    "ca_certificate": site.imap.ca_pem,
                    "password": {"secret": f"mailbox.box{number}"},
                    **given,
                }
                for number, given in enumerate(mailboxes)
            ],
            **more,
        }
        ran = postroom("config", "apply", "-", "--yes", stdin=json.dumps(document))
        assert ran.status == 0, ran.err

    return applied


def settings(postroom: Command, name: str = "box0") -> dict[str, Any]:
    """Return the mailbox as the configuration has it."""
    exported = postroom("config", "export", "--json").json
    found: dict[str, Any] = next(one for one in exported.get("mailboxes", []) if one["name"] == name)
    return found


def versions(postroom: Command) -> list[str]:
    """Return what was changed, newest first."""
    return [one["note"] for one in postroom("config", "history", "--json").json]


def interactions(site: Site) -> list[str]:
    """Process every stored raw message, and return the subjects of the interactions that there are."""
    bucket = site.stack.environment["RAW_BUCKET"]
    rows = site.stack.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    for row in rows:
        site.stack.invoke("ProcessInbound", sqs_event(stored_event(bucket, row["Key"])))
    return sorted(str(row["subject"]) for row in site.stack.interactions.list_queue("general"))


def refused(ran: Ran) -> tuple[int, str, str, str]:
    """Return status, code, message and remedy of an error, which always has all of them."""
    error = ran.json["error"]
    if "problems" in error:
        (problem,) = error["problems"]
        return ran.status, problem["path"], problem["problem"], problem["remedy"]
    return ran.status, error["code"], error["message"], error["remedy"]


@pytest.mark.feature("C08")
def test_a_mailbox_is_converted_and_fetches_on_where_it_was(
    site: Site,
    postroom: Command,
    apply: Apply,
) -> None:
    apply({})
    site.deliver("IMAP", mail(subject="one"))
    site.deliver("IMAP", mail(subject="two"))
    site.poll()
    before = site.state()
    assert (len(site.raw()), site.service.forms) == (2, [])
    tried = postroom("mailbox", "convert", "box0", *ACCOUNT, "--dry-run", "--json")
    assert (tried.status, tried.json["applied"], tried.json["test"]["messages"]) == (0, False, 2)
    assert "account" not in settings(postroom)
    done = postroom("mailbox", "convert", "box0", *ACCOUNT, "--json").json
    assert (done["applied"], done["moved"], done["password"]) == (True, False, "mailbox.box0")
    assert [step["name"] for step in done["test"]["steps"] if step["ok"]][-3:] == ["login", "folder", "count"]
    assert settings(postroom) == {
        "name": "box0",
        "address": "box0@example.com",
        "enabled": True,
        "leave_msg_on_server": True,
        "account": "office",
        "before_account": {
            "server": "127.0.0.1",
            "port": site.imap.port,
            "ca_certificate": site.imap.ca_pem,
            "password": {"secret": "mailbox.box0"},
        },
    }
    newest = postroom("config", "history", "--json").json[0]
    assert (newest["note"], newest["author"]) == ("mailbox box0 converted to the account office", author())
    site.deliver("IMAP", mail(subject="three"))
    site.poll()
    after = site.state()
    assert site.well()
    assert len(site.raw()) == 3
    assert before.lease is not None
    assert after.lease is not None
    assert (before.position and before.position.cursor, after.position and after.position.cursor) == ("2", "3")
    assert after.lease.token == before.lease.token + 1
    assert interactions(site) == ["one", "three", "two"]


@pytest.mark.feature("C08")
@pytest.mark.parametrize(("first", "then"), [("POP3", "imap-and-smtp"), ("IMAP", "pop3-and-smtp")])
def test_another_protocol_fetches_what_lies_there_once_more_and_makes_nothing_twice(
    site: Site,
    postroom: Command,
    apply: Apply,
    first: str,
    then: str,
) -> None:
    account = {"name": "office", "application": "app", "address": "box0@example.com", "server_type": then}
    apply({"type": first, "first_connection": "from-now"}, accounts=[account])
    site.poll()
    for number in range(3):
        site.deliver("IMAP", mail(subject=str(number)))
    site.poll()
    site.deliver("IMAP", mail(subject="3"))
    converted = postroom("mailbox", "convert", "box0", *ACCOUNT, "--json").json
    assert (converted["applied"], converted["moved"]) == (True, True)
    # It goes to another place; and POP3 has no dates: what `from-now` had left alone, if anything, would be taken.
    warned = ["mailboxes[name=box0].type", *(["first_connection"] if first == "IMAP" else [])]
    assert [one["path"] for one in converted["warnings"]] == warned
    for _cycle in range(2):
        site.poll()
    assert site.well()
    assert interactions(site) == ["0", "1", "2", "3"]
    # And back, by the other protocol again, while more has come.
    site.deliver("IMAP", mail(subject="4"))
    assert postroom("mailbox", "revert", "box0", "--json").json["moved"]
    assert settings(postroom).get("type", "IMAP") == first
    assert postroom("mailbox", "enable", "box0").status == 0
    site.poll()
    assert site.well()
    assert interactions(site) == ["0", "1", "2", "3", "4"]


@pytest.mark.feature("C08")
def test_a_shared_mailbox_is_converted_only_as_one_and_only_when_the_account_opens_it(
    site: Site,
    postroom: Command,
    apply: Apply,
) -> None:
    apply({}, {})
    status, path, problem, remedy = refused(postroom("mailbox", "convert", "box1", *ACCOUNT, "--json"))
    assert (status, path) == (2, "account")
    assert "box0@example.com, not to box1@example.com" in problem
    assert "--shared" in remedy
    del site.imap.store.users["box1@example.com"]  # the server lets nobody into it by this token
    status, code, message, remedy = refused(postroom("mailbox", "convert", "box1", *ACCOUNT, "--shared", "--json"))
    assert (status, code) == (5, "not_of_account")
    assert "box1@example.com is no mailbox that the account office may open" in message
    assert "box0@example.com full access" in remedy
    assert len(versions(postroom)) == 1
    site.imap.store.users["box1@example.com"] = PASSWORD
    assert postroom("mailbox", "convert", "box1", *ACCOUNT, "--shared").status == 0
    assert settings(postroom, "box1")["shared_mailbox"] is True
    site.deliver("IMAP", mail(subject="shared"), user="box1@example.com")
    site.poll("box1")
    assert site.raw() == [mail(subject="shared")]


@pytest.mark.feature("C08", "C09")
@pytest.mark.parametrize(
    ("prepare", "code", "words"),
    [
        pytest.param(
            lambda site: site.service.script.append(refusal(400, "invalid_grant", 50173)),
            "consent_revoked",
            "postroom oauth login office",
            id="revoked",
        ),
        pytest.param(
            lambda site: site.service.script.append(refusal(400, "invalid_grant", 700082)),
            "consent_expired",
            "postroom oauth login office",
            id="expired",
        ),
        pytest.param(
            lambda site: site.service.script.append(refusal(400, "invalid_grant", 65001)),
            "consent_missing",
            "postroom oauth login office",
            id="permission-revoked",
        ),
        pytest.param(
            lambda site: site.imap.store.users.clear(), "token_refused", "postroom oauth login office", id="not-let-in"
        ),
        pytest.param(
            lambda site: site.imap.store.delete("box0@example.com", "INBOX"), "folder_missing", "folder", id="folder"
        ),
    ],
)
def test_what_does_not_open_is_not_converted(
    site: Site,
    postroom: Command,
    apply: Apply,
    prepare: Callable[[Site], None],
    code: str,
    words: str,
) -> None:
    apply({})
    before = settings(postroom)
    prepare(site)
    status, told, message, remedy = refused(postroom("mailbox", "convert", "box0", *ACCOUNT, "--json"))
    assert (status, told) == (5, code)
    assert "nothing was changed" in message
    assert words in remedy
    assert settings(postroom) == before
    assert len(versions(postroom)) == 1


@pytest.mark.feature("C08")
def test_without_consent_it_is_said_how_to_get_it(site: Site, postroom: Command, apply: Apply) -> None:
    apply({}, accounts=[{"name": "new", "application": "app", "address": "box0@example.com"}])
    status, code, _message, remedy = refused(postroom("mailbox", "convert", "box0", "--account", "new", "--json"))
    assert (status, code) == (5, "secret_missing")
    assert "postroom oauth login new" in remedy


OWN_OAUTH = {"client_id": "c", "directory_id": "t", "grant": "password"}


@pytest.mark.feature("C08")
@pytest.mark.parametrize(
    ("arguments", "mailbox", "account", "status", "words"),
    [
        pytest.param(("box7", *ACCOUNT), {}, {}, 3, "no such mailbox", id="unknown-mailbox"),
        pytest.param(("box0", "--account", "ofice"), {}, {}, 2, "Did you mean `office`", id="unknown-account"),
        pytest.param(("box0", *ACCOUNT), {}, {"active": False}, 2, "is inactive", id="inactive-account"),
        pytest.param(("box0", *ACCOUNT, "--shared"), {}, {}, 2, "no shared one", id="its-own-as-shared"),
        pytest.param(("box0", *ACCOUNT), OWN_OAUTH, {}, 2, "OAuth 2.0 of its own", id="own-oauth"),
        pytest.param(
            ("box0", *ACCOUNT),
            {"processed_items_folder_name": "done"},
            {"server_type": "pop3-and-smtp"},
            2,
            "POP3 cannot move messages",
            id="what-the-other-protocol-cannot-do",
        ),
    ],
)
def test_what_cannot_be_converted_is_refused_before_anything_is_asked(
    site: Site,
    postroom: Command,
    apply: Apply,
    arguments: tuple[str, ...],
    mailbox: dict[str, Any],
    account: dict[str, Any],
    status: int,
    words: str,
) -> None:
    apply(mailbox, accounts=[{"name": "office", "application": "app", "address": "box0@example.com", **account}])
    before = settings(postroom)
    ran = postroom("mailbox", "convert", *arguments, "--json")
    assert ran.status == status
    assert words in ran.out
    assert refused(ran)[3]
    assert settings(postroom) == before
    assert site.service.forms == []


@pytest.mark.feature("C08")
def test_a_converted_mailbox_returns_to_its_password_disabled(site: Site, postroom: Command, apply: Apply) -> None:
    apply({"login": "box0@example.com"})
    original = settings(postroom)
    site.deliver("IMAP", mail(subject="one"))
    site.poll()
    assert postroom("mailbox", "convert", "box0", *ACCOUNT).status == 0
    again = refused(postroom("mailbox", "convert", "box0", *ACCOUNT, "--json"))
    assert (again[0], again[1]) == (2, "account")
    assert "mailbox revert" in again[3]
    tried = postroom("mailbox", "revert", "box0", "--dry-run", "--json").json
    assert (tried["applied"], tried["removed"], tried["password_missing"]) == (False, False, None)
    assert postroom("mailbox", "revert", "box0").status == 0
    assert settings(postroom) == {name: value for name, value in original.items() if name != "enabled"}
    assert versions(postroom)[0] == "mailbox box0 taken out of the account office, with its own login and disabled"
    assert postroom("mailbox", "list", "--json").lines[0]["health"]["state"] == "inactive"
    assert postroom("mailbox", "enable", "box0").status == 0
    forms = len(site.service.forms)
    site.deliver("IMAP", mail(subject="two"))
    site.poll()
    assert (len(site.raw()), len(site.service.forms)) == (2, forms)
    assert postroom("mailbox", "revert", "box0").status == 2


@pytest.mark.feature("C08")
def test_a_password_that_was_removed_meanwhile_must_be_entered_again(
    site: Site,
    postroom: Command,
    apply: Apply,
) -> None:
    apply({})
    assert postroom("secret", "remove", "mailbox.box0").status == 7
    assert postroom("mailbox", "convert", "box0", *ACCOUNT).status == 0
    removed = postroom("secret", "remove", "mailbox.box0", "--json")
    assert (removed.status, removed.json["wanted_by_revert"]) == (0, ["box0"])
    told = postroom("mailbox", "revert", "box0")
    assert "postroom secret set mailbox.box0" in told.out
    assert postroom("mailbox", "enable", "box0").status == 0
    site.poll()
    assert site.health().code == "secret_missing"
    assert postroom("secret", "set", "mailbox.box0", stdin=PASSWORD).status == 0
    site.begin_anew()
    site.poll()
    assert site.well()


@pytest.mark.feature("C08")
def test_a_new_mailbox_of_an_account_is_added_when_it_opens_and_goes_with_its_account(
    site: Site,
    postroom: Command,
    apply: Apply,
) -> None:
    apply()
    add = ("mailbox", "add", "team", "--address", "Team <box1@example.com>", *ACCOUNT)
    assert refused(postroom(*add, "--json"))[1] == "account"
    assert refused(postroom(*add[:-2], "--shared", "--json"))[1] == "--shared"
    del site.imap.store.users["box1@example.com"]
    assert refused(postroom(*add, "--shared", "--json"))[:2] == (5, "not_of_account")
    assert len(versions(postroom)) == 1
    site.imap.store.users["box1@example.com"] = PASSWORD
    assert postroom(*add, "--shared", "--json").json["enabled"] is False
    assert settings(postroom, "team") == {
        "name": "team",
        "address": "Team <box1@example.com>",
        "account": "office",
        "shared_mailbox": True,
    }
    assert postroom("mailbox", "enable", "team").status == 0
    status, path, problem, _remedy = refused(postroom("mailbox", "revert", "team", "--json"))
    assert (status, path) == (2, "mailboxes[name=team]")
    assert "enabled" in problem
    assert postroom("mailbox", "disable", "team").status == 0
    gone = postroom("mailbox", "revert", "team", "--json").json
    assert (gone["applied"], gone["removed"]) == (True, True)
    assert postroom("mailbox", "show", "team").status == 3
    assert versions(postroom)[0] == "mailbox team removed with its place in the account office"


@pytest.mark.feature("C08")
def test_a_new_mailbox_of_an_account_takes_the_accounts_protocol(
    site: Site,
    postroom: Command,
    apply: Apply,
) -> None:
    pop3 = {"name": "office", "application": "app", "address": "box0@example.com", "server_type": "pop3-and-smtp"}
    apply(accounts=[pop3])
    assert postroom("mailbox", "add", "box0", "--address", "box0@example.com", *ACCOUNT).status == 0
    assert settings(postroom)["type"] == "POP3"


def without_account(postroom: Command) -> Ran:
    """Apply the configuration as it is, without its account."""
    document = postroom("config", "export", "--json").json
    del document["accounts"]
    return postroom("config", "apply", "-", "--yes", "--json", stdin=json.dumps(document))


@pytest.mark.feature("C10")
def test_an_account_goes_only_after_everything_that_uses_it(site: Site, postroom: Command, apply: Apply) -> None:
    smtp = {"name": "office", "type": "smtp", "host": "smtp.example.com", "authentication": "oauth-service"}
    servers = {"outbound_servers": [{"name": "smtp-client"}, {**smtp, "account": "office"}]}
    aliases = {"aliases": [{"name": "main", "address": "box1@example.com", "default": True}]}
    apply({}, **servers, **aliases)
    assert postroom("mailbox", "convert", "box0", *ACCOUNT).status == 0
    add = ("mailbox", "add", "box1", "--address", "box1@example.com", *ACCOUNT, "--shared")
    assert postroom(*add).status == 0
    problems = without_account(postroom).json["error"]["problems"]
    assert [(one["path"], one["problem"]) for one in problems] == [
        (f"{path}.account", f"there is no account `office`, which `{name}` names.")
        for path, name in (("mailboxes[0]", "box0"), ("mailboxes[1]", "box1"), ("outbound_servers[1]", "office"))
    ]
    # A mailbox that was made under the account stays while it is enabled, or its address is the default alias's.
    assert postroom("mailbox", "revert", "box0").status == 0
    assert "default alias" in refused(postroom("mailbox", "revert", "box1", "--json"))[2]
    document = postroom("config", "export", "--json").json
    document["aliases"][0]["default"] = False
    del document["outbound_servers"][1]
    assert postroom("config", "apply", "-", "--yes", stdin=json.dumps(document)).status == 0
    assert postroom("mailbox", "enable", "box1").status == 0
    assert "enabled" in refused(postroom("mailbox", "revert", "box1", "--json"))[2]
    assert postroom("mailbox", "disable", "box1").status == 0
    assert postroom("mailbox", "revert", "box1").status == 0
    assert without_account(postroom).status == 0
    assert settings(postroom)["password"] == {"secret": "mailbox.box0"}


@pytest.mark.feature("C09")
def test_an_account_is_tested_with_every_mailbox_that_it_opens(site: Site, postroom: Command, apply: Apply) -> None:
    apply()
    alone = postroom("oauth", "test", "office", "--json")
    assert (alone.status, [row["address"] for row in alone.json["mailboxes"]]) == (0, ["box0@example.com"])
    for name, number in (("one", 1), ("two", 2)):
        add = ("mailbox", "add", name, "--address", f"box{number}@example.com", *ACCOUNT, "--shared")
        assert postroom(*add).status == 0
    del site.imap.store.users["box2@example.com"]  # its right to this one was taken away
    ran = postroom("oauth", "test", "office", "--json")
    own, one, two = ran.json["mailboxes"]
    assert (ran.status, own["messages"], one["messages"], two["messages"]) == (5, 0, 0, None)
    assert (two["step"], two["code"]) == ("login", "not_of_account")
    assert "full access" in two["remedy"]
    site.service.script.append(refusal(400, "invalid_grant", 50173))
    site.begin_anew()
    told = postroom("oauth", "test", "office")
    assert (told.status, "postroom oauth login office" in told.out) == (5, True)
    assert postroom("oauth", "test", "nobody", "--json").status == 3


@pytest.mark.feature("C08")
def test_who_sends_with_a_password_still_is_told(site: Site, postroom: Command, apply: Apply) -> None:
    server = {"name": "smtp", "type": "smtp", "host": "smtp.example.com", "user": "u", "password": {"secret": "s"}}
    alias = {"name": "sales", "address": "Sales <BOX0@example.com>", "outbound_server": "smtp"}
    apply({}, outbound_servers=[server, {"name": "smtp-client"}], aliases=[alias])
    (warning,) = postroom("mailbox", "convert", "box0", *ACCOUNT, "--dry-run", "--json").json["warnings"]
    assert "`sales` goes on sending by `smtp`" in warning["problem"]
    assert "account: office" in warning["remedy"]
    assert len(site.service.forms) == 1


def test_the_token_of_an_account_is_no_secret_that_nobody_uses(site: Site, postroom: Command, apply: Apply) -> None:
    apply()
    ran = postroom("secret", "remove", "account.office", "--json")
    assert (ran.status, "accounts[name=office]" in ran.out) == (7, True)
    assert site.secret("account.office") == "refresh-0"


@pytest.mark.feature("C08")
def test_who_changes_the_configuration_during_the_test_wins(
    site: Site,
    postroom: Command,
    apply: Apply,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    apply({})
    really = try_connection

    def meanwhile(*arguments: Any, **more: Any) -> Any:
        assert postroom("mailbox", "change", "box0", "description=changed").status == 0
        return really(*arguments, **more)

    monkeypatch.setattr("postroom_cli.commands.converting.try_connection", meanwhile)
    assert postroom("mailbox", "convert", "box0", *ACCOUNT, "--json").status == 7
    assert (settings(postroom)["description"], settings(postroom).get("account")) == ("changed", None)
