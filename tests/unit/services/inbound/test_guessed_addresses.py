"""Address fields that can only be guessed in part lose nobody in silence: what was guessed is told."""

from __future__ import annotations

import pytest
from postroom.model import DecisionRule
from postroom.model.configuration.document import Configuration
from postroom.services.inbound.understand_mail import understand
from postroom.services.policy.compiled import Policies

from tests.support.mails import mail


class Fixed:
    """Implements ports.Configurations."""

    def current(self) -> Configuration:
        return Configuration()


POLICY = Policies(Fixed(), lambda: ()).of_mailbox("support")[0]
FIELDS: dict[str, tuple[str, str]] = {
    "a-space-in-a-domain": ("To: info@bank .example, bob@example.org", "1 not valid"),
    "a-space-in-the-local-part": ("Cc: <sales office@example.org>", "not valid"),
    "no-end": ('Cc: "Bob <bob@example.org>', "guessed in part"),
    "nul": ("Reply-To: a@example.org\0, b@example.org", "Reply-To"),
    "in-order": ('Cc: "Bob, the builder" <bob@example.org>, undisclosed: ;', ""),
    "none": ("X-Nothing: x", ""),
}


@pytest.mark.parametrize(("header", "words"), FIELDS.values(), ids=FIELDS.keys())
def test_what_was_guessed_of_recipients_is_told(header: str, words: str) -> None:
    found = understand(mail(header), policy=POLICY)
    told = [one.detail for one in found.decisions if one.rule is DecisionRule.ADDRESSES]
    assert bool(told) == bool(words)
    assert words in " ".join(told)
