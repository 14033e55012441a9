"""Folders of any name, the servers' own separators and prefixes, and one that is missing."""

from __future__ import annotations

import pytest
from postroom.adapters.imap.folder_names import to_modified_utf7
from postroom.errors import FolderMissing
from postroom.model.server_mail import Action
from postroom_cli.mailservers import ImapServer

from tests.functional.mail_protocols.hosts import USERS, Embedded, Host, Real
from tests.functional.mail_protocols.mails import mail
from tests.functional.mail_protocols.opening import collect, on_host
from tests.support.dovecot import dovecot


@pytest.mark.feature("G14")
@pytest.mark.parametrize(
    "path",
    ["INBOX", "inbox", "Support", "Müller & Söhne", "日本語", 'quo"ted\\name', "Kunden/Eingang/Ü"],
)
def test_folders_of_any_name_are_read(host: Host, path: str) -> None:
    on_the_wire = to_modified_utf7(path).decode("ascii").replace("\\", "\\\\").replace('"', '\\"')
    if isinstance(host, Embedded):
        host.server.append(host.user, to_modified_utf7(path).decode("ascii"), mail(1))
    else:
        host.append(mail(1), folder=on_the_wire)
    with on_host(host, folder_path=path) as session:
        contents, _ = collect(session, session.list(None).news)
    assert list(contents.values()) == [mail(1)]


@pytest.mark.feature("G14")
def test_the_servers_own_separator_and_prefix_are_found_out() -> None:
    with ImapServer(USERS, separator=".", prefix="INBOX.") as server:
        host = Embedded(server)
        host.append(mail(1), folder="INBOX.Kunden.Eingang")
        with on_host(host, folder_path="Kunden/Eingang", processed_items_folder_name="Kunden/Fertig") as session:
            session.act([session.list(None).news[0].id], Action.MOVE)
        assert host.contents("INBOX.Kunden.Fertig") == [mail(1)]


@pytest.mark.feature("G14")
def test_dovecot_with_dots_between_folders() -> None:
    with dovecot(USERS, separator=".", prefix="INBOX.") as server:
        host = Real(server)
        host.append(mail(1), folder="INBOX.Kunden.Eingang")
        with on_host(host, folder_path="Kunden/Eingang", processed_items_folder_name="Kunden/Fertig") as session:
            session.act([session.list(None).news[0].id], Action.MOVE)
        assert host.contents("INBOX.Kunden.Fertig") == [mail(1)]


@pytest.mark.fault(22)
def test_a_missing_folder_is_named_and_not_made(host: Host) -> None:
    with pytest.raises(FolderMissing) as raised, on_host(host, folder_path="Nowhere"):
        pass
    assert raised.value.step == "folder"
    assert host.contents("Nowhere") == []
