"""The rules of administration: the same for the command line, the API and importers."""

from __future__ import annotations

from typing import Any

import pytest
from postroom.errors import Forbidden, Invalid, Moved, NotFound
from postroom.model.configuration import ChangeKind, Configuration, object_version
from postroom.rules.access import BuiltIn
from postroom.services.administration import (
    NOUNS,
    SECTIONS,
    Add,
    Command,
    Modify,
    Remove,
    Rename,
    Replace,
    RollBack,
    Switch,
    authorise,
    decide,
    history_of,
    perform,
    propose,
)

from tests.unit.services.administration.fakes import ADMIN, Versions, installation, person

BASE = Configuration.model_validate(
    {
        "departments": [{"name": "sales"}, {"name": "legal"}],
        "queues": [{"name": "q", "department": "sales"}],
        "endpoints": [{"name": "e", "queue": "q"}],
        "mailboxes": [
            {"name": "m", "address": "m@example.com", "server": "imap.example.com", "department": "sales"},
            {"name": "l", "address": "l@example.com", "server": "imap.example.com", "department": "legal"},
        ],
        "aliases": [{"name": "a", "address": "m@example.com", "department": "sales"}],
        "oauth_applications": [{"name": "o", "client_id": "c", "tenant_id": "t"}],
        "accounts": [{"name": "team", "application": "o", "address": "team@example.com"}],
        "templates": [{"name": "t", "subject": "s", "text": "x"}],
        "outbound_servers": [{"name": "smtp-client", "type": "ses"}],
        "calendars": [{"name": "always", "hours": "24/7"}],
        "masking_patterns": [{"name": "card numbers", "kind": "card"}],
        "blocked_extensions": [{"name": "exe", "extension": "exe"}],
        "delivery_exceptions": [
            {"name": "gone", "type": "subject", "phrase": "gone", "failure": "permanent", "department": "sales"}
        ],
    }
)
NEW: dict[str, dict[str, Any]] = {
    "departments": {"name": "new"},
    "queues": {"name": "new"},
    "endpoints": {"name": "new", "queue": "q"},
    "mailboxes": {"name": "new", "address": "new@example.com", "server": "imap.example.com"},
    "aliases": {"name": "new", "address": "new@example.com"},
    "outbound_servers": {"name": "new", "type": "ses"},
    "templates": {"name": "new", "subject": "s", "text": "t"},
    "delivery_exceptions": {"name": "new", "type": "subject", "phrase": "p", "failure": "permanent"},
    "blocked_extensions": {"name": "new", "extension": "new"},
    "masking_patterns": {"name": "new", "kind": "iban"},
    "oauth_applications": {"name": "new", "client_id": "c", "tenant_id": "t"},
    "accounts": {"name": "new", "application": "o", "address": "new@example.com"},
    "calendars": {"name": "new", "hours": "24/7"},
    "workflows": {"name": "new", "then": [{"add_tags": ["x"]}]},
    "service_levels": {"name": "new", "calendar": "always", "first_response": "01:00:00"},
}


def base() -> Versions:
    return Versions([BASE])


def test_every_section_has_a_noun() -> None:
    assert set(SECTIONS) == set(NOUNS) == set(Configuration.model_fields)
    assert set(NEW) == set(SECTIONS) - {"settings"}


@pytest.mark.parametrize("section", NEW)
def test_an_object_of_every_section_is_added_changed_and_removed(section: str) -> None:
    versions = base()
    here = installation(versions)
    perform(Add(section, NEW[section]), here, principal=ADMIN)
    added = getattr(versions.current(), section)[-1]
    assert added.name == "new"
    option = "description" if "description" in type(added).model_fields else None
    if option:
        perform(Modify(section, ("new",), {option: "told"}), here, principal=ADMIN)
        assert getattr(versions.current(), section)[-1].description == "told"
        perform(Replace(section, "new", NEW[section]), here, principal=ADMIN)
    assert getattr(versions.current(), section)[-1] == added
    perform(Remove(section, ("new",)), here, principal=ADMIN)
    assert versions.current() == BASE


REFUSED: tuple[tuple[str, Command, str], ...] = (
    ("a mailbox is added disabled", Add("mailboxes", NEW["mailboxes"] | {"enabled": True}), "is added disabled"),
    ("names are given once", Add("queues", {"name": "q"}), "a queue `q` already"),
    ("no name at all", Add("queues", {}), "name: is missing"),
    ("41 characters", Add("queues", {"name": "x" * 41}), "cannot be a name"),
    ("an unknown option", Modify("queues", ("q",), {"size": 3}), "is not an option of a queue"),
    ("a wrong type", Modify("mailboxes", ("m",), {"cycle_time": []}), "cycle_time"),
    ("a port of zero", Modify("mailboxes", ("m",), {"port": 0}), "out of range"),
    ("another name for a mailbox", Modify("mailboxes", ("m",), {"name": "n"}), "is not changed like other options"),
    ("another name for a queue", Replace("queues", "q", {"name": "n"}), "others name it"),
    ("what leads nowhere", Modify("endpoints", ("e",), {"queue": "nowhere"}), "there is no queue `nowhere`"),
    ("what is used", Remove("queues", ("q",)), "queues"),
    ("what cannot be switched", Switch("endpoints", ("e",), on=True), "cannot be switched"),
    ("the settings", Remove("settings", ("",)), "cannot be removed"),
    ("settings once more", Add("settings", {}), "are there already"),
    ("an account of another address", Add("mailboxes", NEW["mailboxes"] | {"account": "team"}), "belongs to"),
    ("an unknown account", Add("mailboxes", NEW["mailboxes"] | {"account": "x"}), "no e-mail account `x`"),
)


@pytest.mark.parametrize(("command", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_wrong_is_refused_with_place_problem_and_remedy(command: Command, words: str) -> None:
    versions = base()
    with pytest.raises(Invalid) as caught:
        perform(command, installation(versions), principal=ADMIN)
    assert any(words in f"{one.path}: {one.problem}" for one in caught.value.problems), caught.value
    assert all(one.path and one.problem and one.remedy for one in caught.value.problems)
    assert versions.version() == 0


@pytest.mark.parametrize(
    "command",
    [Modify("queues", ("x",), {}), Remove("mailboxes", ("x",)), Switch("aliases", ("x",), on=False), Add("things", {})],
)
def test_what_is_not_there_is_not_found_and_no_other_name_is_told(command: Command) -> None:
    with pytest.raises(NotFound) as caught:
        decide(command, BASE, who="anna")
    assert "Did you mean `q`" not in str(caught.value)


def test_a_secret_that_stands_where_its_name_belongs_is_not_repeated() -> None:
    for value in ("Hunter2-hunter2", {"secret": "it is my passw0rd!"}):
        with pytest.raises(Invalid) as caught:
            decide(Modify("mailboxes", ("m",), {"password": value}), BASE, who="anna")
        assert "unter2" not in str(caught.value)
        assert "passw0rd" not in str(caught.value)


def test_a_merge_patch_takes_back_what_is_null_and_merges_what_is_nested() -> None:
    versions = base()
    here = installation(versions)
    secret = {"secret": "one"}
    patch = {"properties": {"mail.imap.partialfetch": "true"}, "password": secret, "description": "d"}
    perform(Modify("mailboxes", ("m",), patch), here, principal=ADMIN)
    arn = {"secretsmanager": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x"}
    perform(
        Modify(
            "mailboxes", ("m",), {"properties": {"mail.imap.fetchsize": "1000"}, "password": arn, "description": None}
        ),
        here,
        principal=ADMIN,
    )
    changed = versions.current().mailboxes[0]
    assert changed.properties == {"mail.imap.partialfetch": "true", "mail.imap.fetchsize": "1000"}
    assert changed.password is not None
    assert changed.password.secret is None
    assert changed.description == ""


def test_who_saw_another_version_of_the_object_is_told_what_is_there_now() -> None:
    seen = object_version(BASE.queues[0])
    decide(Modify("queues", ("q",), {"description": "x"}), BASE, who="anna", expected=seen)
    for command in (
        Modify("queues", ("q",), {"description": "x"}),
        Replace("queues", "q", {"description": "x"}),
        Switch("queues", ("q",), on=False),
        Remove("queues", ("q",)),
    ):
        with pytest.raises(Moved) as caught:
            decide(command, BASE, who="anna", expected="stale")
        assert caught.value.objects[0].version == seen
        assert caught.value.objects[0].current == {"name": "q", "department": "sales"}


@pytest.mark.feature("D02")
def test_a_mailbox_is_renamed_at_its_place_and_found_again_by_history_and_roll_back() -> None:
    versions = base()
    here = installation(versions)
    perform(Modify("mailboxes", ("m",), {"description": "x"}), here, principal=ADMIN)
    perform(Rename("m", "n"), here, principal=ADMIN)
    assert [(one.name, one.identity) for one in versions.current().mailboxes] == [("n", "m"), ("l", "l")]
    ((_version, renamed), (_first, described)) = history_of("mailboxes/n", store=versions)
    assert (renamed.change.kind, renamed.change.object) == (ChangeKind.CHANGED, "mailboxes/n")
    assert ("name", "m", "n") in [(one.field, one.before, one.after) for one in renamed.change.fields]
    assert described.change.object == "mailboxes/m"
    with pytest.raises(Invalid, match="there is a mailbox `l` already"):
        perform(Rename("n", "l"), here, principal=ADMIN)
    # Under either name it is the same mailbox: neither takes it out.
    for name in ("m", "n"):
        back = perform(RollBack(0, BASE, (f"mailboxes/{name}",)), here, principal=ADMIN)
        assert {one.name for one in versions.current().mailboxes} == {"m", "l"}
        assert [one.kind for one in back.prepared.plan.changes] == [ChangeKind.CHANGED]
        perform(Rename("m", "n"), here, principal=ADMIN)


def test_nothing_to_change_is_no_version() -> None:
    versions = base()
    done = perform(Switch("queues", ("q",), on=True), installation(versions), principal=ADMIN)
    assert (done.changed, done.version, versions.version()) == (False, 0, 0)


def test_a_queue_with_mail_is_not_removed() -> None:
    versions = Versions([Configuration.model_validate({"queues": [{"name": "q"}]})])
    with pytest.raises(Invalid, match="3 mails wait"):
        perform(Remove("queues", ("q",)), installation(versions, waiting_mail={"q": 3}), principal=ADMIN)


SALES = person("sam", BuiltIn.DEPARTMENT_ADMINISTRATOR, "sales")
AGENT = person("ada", BuiltIn.AGENT, "sales")
MAY: tuple[tuple[str, Command, Any, type[Exception] | None], ...] = (
    ("own mailbox", Modify("mailboxes", ("m",), {"description": "x"}), SALES, None),
    ("own new mailbox", Add("mailboxes", NEW["mailboxes"] | {"department": "sales"}), SALES, None),
    ("foreign mailbox", Modify("mailboxes", ("l",), {"description": "x"}), SALES, NotFound),
    ("foreign removal", Remove("mailboxes", ("l",)), SALES, NotFound),
    ("a mailbox for others", Add("mailboxes", NEW["mailboxes"] | {"department": "legal"}), SALES, NotFound),
    ("given to others", Modify("mailboxes", ("m",), {"department": "legal"}), SALES, NotFound),
    ("taken from others", Modify("mailboxes", ("l",), {"department": "sales"}), SALES, NotFound),
    ("own and foreign", Modify("mailboxes", ("m", "l"), {"description": "x"}), SALES, NotFound),
    ("settings", Modify("settings", ("",), {"default_domain": "x.example"}), SALES, NotFound),
    ("own alias", Modify("aliases", ("a",), {"description": "x"}), SALES, None),
    ("own alias diverted", Modify("aliases", ("a",), {"send_mail_to": "x@example.com"}), SALES, Forbidden),
    ("own alias removed", Remove("aliases", ("a",)), SALES, Forbidden),
    ("own exception", Modify("delivery_exceptions", ("gone",), {"description": "x"}), SALES, None),
    ("everybody's pattern", Modify("masking_patterns", ("card numbers",), {"inbound": False}), SALES, Forbidden),
    ("an agent", Modify("mailboxes", ("m",), {"description": "x"}), AGENT, NotFound),
)


@pytest.mark.feature("S10", "C17")
@pytest.mark.parametrize(("command", "principal", "error"), [row[1:] for row in MAY], ids=[row[0] for row in MAY])
def test_nobody_changes_what_is_not_his(command: Command, principal: Any, error: type[Exception] | None) -> None:
    versions = base()
    if error is None:
        assert perform(command, installation(versions), principal=principal).changed
        return
    with pytest.raises((NotFound, Forbidden)) as caught:
        perform(command, installation(versions), principal=principal)
    assert isinstance(caught.value, error | Forbidden if error is NotFound and principal is AGENT else error)
    assert versions.current() == BASE


def test_rights_are_asked_before_anything_is_said_of_what_a_change_would_do() -> None:
    with pytest.raises(NotFound):
        propose(Remove("queues", ("q",)), installation(base()), principal=person("x", BuiltIn.AGENT, "legal"))
    change = decide(Remove("queues", ("q",)), BASE, who="x")
    with pytest.raises(NotFound):
        authorise(person("x", BuiltIn.DEPARTMENT_ADMINISTRATOR, "legal"), change, BASE, BASE)
