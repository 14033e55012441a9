"""The reference of options is written from the model, and is current."""

from __future__ import annotations

from pathlib import Path

import pytest
from postroom.model.configuration.mailbox import Mailbox
from postroom.services.importers.genesys import BY_REFERENCE
from postroom_cli.option_docs import mailbox_options

DOCS = Path(__file__).parents[3] / "docs"

# The options of the reference's `pop-client` section (its own documentation), without the two discontinued ones.
REFERENCE = tuple(
    """
    address allow-bad-msg-size client-id connect-timeout copy-message-to-recipients copy-message-with-header
    cycle-time delete-bad-formatted-msg delete-big-msg directory-id enable-big-msg-stripping enable-client
    enable-debug endpoint exchange-version failed-items-folder-name folder-path folder-separator grant-type
    inbound-msg-copy-limit leave-msg-on-server mailbox maximum-msg-number maximum-msg-size move-failed-ews-item
    password pop-connection-security port processed-items-folder-name protocol-timeout scope secret server
    service-account tenant-authority type
    """.split()  # noqa: SIM905 - a list of 36 lines says no more
)


def test_the_reference_in_the_docs_is_current() -> None:
    assert (DOCS / "mailbox-options.md").read_text("utf-8") == mailbox_options(), "run scripts/generate-mailbox-options"


@pytest.mark.parametrize("option", REFERENCE)
def test_every_option_of_the_reference_system_is_an_option_here(option: str) -> None:
    assert option in BY_REFERENCE
    assert f"`{option}`" in mailbox_options()


@pytest.mark.parametrize("name", list(Mailbox.model_fields))
def test_every_option_says_what_it_is(name: str) -> None:
    assert Mailbox.model_fields[name].description
