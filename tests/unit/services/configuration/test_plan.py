"""A plan says what applying would change; what is in use is not removed."""

from __future__ import annotations

import pytest
from postroom.errors import Invalid
from postroom.model.configuration.document import Configuration
from postroom.services.configuration import changes as apply

from tests.unit.services.configuration.files import mailbox, read

OAUTH = """\
oauth_applications:
  - {name: office, client_id: c, tenant_id: t}
accounts:
  - {name: team, application: office, address: team@example.com}
mailboxes:
  - {name: team, address: team@example.com, account: team}
"""


def told(old: str, new: str) -> list[tuple[str, str, str, list[str]]]:
    plan = apply.plan(read(old), read(new))
    return [(change.kind, change.section, change.name, [one.field for one in change.fields]) for change in plan.changes]


def test_a_plan_names_added_changed_and_removed_objects_and_the_changed_options() -> None:
    old = mailbox() + "queues:\n  - {name: a}\n  - {name: b}\n"
    new = mailbox("cycle_time: 00:01:00") + "queues:\n  - {name: a}\n  - {name: c}\nsettings: {default_domain: x.org}\n"
    assert told(old, new) == [
        ("changed", "settings", "", ["default_domain"]),
        ("added", "queues", "c", []),
        ("removed", "queues", "b", []),
        ("changed", "mailboxes", "support", ["cycle_time"]),
    ]


def test_the_order_of_objects_is_no_change() -> None:
    assert told("queues: [{name: a}, {name: b}]", "queues: [{name: b}, {name: a}]") == []


def test_a_plan_shows_the_names_of_secrets_only() -> None:
    plan = apply.plan(Configuration(), read(mailbox("password: {secret: support-password}")))
    fields = {one.field: one.after for one in plan.changes[0].fields}
    assert fields["password"] == {"secret": "support-password"}


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        pytest.param(
            mailbox("enabled: true", "password: {secret: s}"),
            "{}",
            "mailboxes[name=support]",
            "enabled",
            id="D04 an enabled mailbox",
        ),
        pytest.param(
            "aliases: [{name: a, address: a@example.com, default: true}]",
            "{}",
            "aliases[name=a]",
            "default alias of the department `default`",
            id="C04 a default alias",
        ),
        pytest.param(
            mailbox("enabled: true", "password: {secret: s}")
            + "aliases: [{name: a, address: Support <support@example.com>}]\n",
            mailbox("enabled: true", "password: {secret: s}"),
            "aliases[name=a]",
            "mailbox `support`",
            id="C04 an alias of an enabled mailbox",
        ),
        pytest.param(
            mailbox() + "aliases: [{name: a, address: Support <SUPPORT@example.com>, default: true}]\n",
            "aliases: [{name: a, address: Support <SUPPORT@example.com>, default: true}]\n",
            "mailboxes[name=support]",
            "`a`, the default alias of the department `default`",
            id="C04 a mailbox with the address of a default alias",
        ),
        pytest.param(
            OAUTH,
            "\n".join(OAUTH.splitlines()[2:]),
            "oauth_applications[name=office]",
            "account `team`",
            id="C06 an application of an account",
        ),
        pytest.param(
            OAUTH,
            "\n".join(OAUTH.splitlines()[:2] + OAUTH.splitlines()[4:]),
            "accounts[name=team]",
            "mailbox `team`",
            id="C10 an account of a mailbox",
        ),
        pytest.param(
            "queues: [{name: q}]\nendpoints: [{name: e, queue: q}]",
            "endpoints: [{name: e, queue: q}]",
            "queues[name=q]",
            "endpoint `e`",
            id="a queue of an endpoint",
        ),
    ],
)
def test_what_is_in_use_is_not_removed_and_the_user_is_named(old: str, new: str, path: str, words: str) -> None:
    from postroom.services.configuration import LIST_SECTIONS
    from postroom.services.configuration.validation import validate
    from postroom.services.configuration.yaml_tree import read_tree

    tree = read_tree(new)[0].plain()
    sections = {
        name: tuple(validate(LIST_SECTIONS[name], item).value for item in items) for name, items in tree.items()
    }
    with pytest.raises(Invalid) as caught:
        apply.plan(read(old), Configuration.model_construct(None, **sections))
    guards = [problem for problem in caught.value.problems if problem.path == path]
    assert any(words in guard.problem for guard in guards)
    assert all("first" in guard.remedy for guard in guards)


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        pytest.param({"login": "box@example.com"}, [], id="a login that says what held before"),
        pytest.param({"login": "BOX@example.com"}, [], id="in capitals"),
        pytest.param({"login": "other"}, ["mailboxes[name=box].login"], id="another login"),
        pytest.param({"address": "other@example.com"}, ["mailboxes[name=box].address"], id="an address that logs in"),
        pytest.param({"server": "Imap.Example.com"}, [], id="a server in capitals"),
        pytest.param(
            {"server": "mail.example.com", "type": "POP3"},
            ["mailboxes[name=box].type", "mailboxes[name=box].server"],
            id="another server by another protocol",
        ),
    ],
)
def test_a_mailbox_that_goes_elsewhere_is_warned_of_by_what_decides_where_it_lies(
    options: dict[str, str], warned: list[str]
) -> None:
    box = {"name": "box", "address": "box@example.com", "server": "imap.example.com"}
    old, new = (Configuration.model_validate({"mailboxes": [one]}) for one in (box, {**box, **options}))
    assert [problem.path for problem in apply.plan(old, new).warnings] == warned


def test_a_default_alias_may_go_when_another_takes_its_place() -> None:
    old = "aliases: [{name: a, address: a@example.com, default: true}]"
    new = "aliases: [{name: b, address: b@example.com, default: true}]"
    assert [kind for kind, *_rest in told(old, new)] == ["added", "removed"]


def test_an_account_gives_its_mailboxes_server_user_application_and_token() -> None:
    text = OAUTH + "  - {name: shared, address: shared@example.com, account: team, shared_mailbox: true}\n"
    configuration = read(text)
    own, shared = configuration.mailbox("team"), configuration.mailbox("shared")
    assert own is not None
    assert shared is not None
    assert (own.server, own.user, own.client_id, own.directory_id) == (
        "outlook.office365.com",
        "team@example.com",
        "c",
        "t",
    )
    assert str(own.password) == "secret account.team"
    assert (shared.user, shared.service_account) == ("shared@example.com", "team@example.com")


def test_an_account_opens_only_its_own_address_unless_the_mailbox_is_shared() -> None:
    with pytest.raises(Invalid, match=r"belongs to team@example\.com"):
        read(
            OAUTH.replace(
                "{name: team, address: team@example.com, account", "{name: o, address: o@example.com, account"
            )
        )
