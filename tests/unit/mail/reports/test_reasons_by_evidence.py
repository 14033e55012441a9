"""What decides the reason of a failure: codes and the stage of the dialogue before words."""

from __future__ import annotations

import pytest
from postroom.mail.reports.recipient import recipient_for

RCPT = " (in reply to RCPT TO command)"
DATA = " (in reply to end of DATA command)"


def reason(words: str, *, status: str = "", action: str = "failed") -> tuple[str | None, bool | None]:
    found = recipient_for("kim@x.example", words=words, reporter="postfix", status=status, action=action, context=words)
    return found.reason, found.permanent


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # An unknown recipient, and a filter at the end.
        (f"550 5.1.1 User unknown{RCPT}", ("userunknown", True)),
        (f"550 User unknown{DATA}", ("filtered", False)),
        (f"554 5.7.1 User unknown{DATA}", ("filtered", False)),
        ("550 5.7.1 User unknown", ("filtered", False)),
        (f"550 5.7.1 User unknown{RCPT}", ("userunknown", True)),
        ("550 5.7.1 Recipient rejected your message", ("filtered", False)),
        ("501 5.1.3 Bad recipient address syntax", ("userunknown", True)),
        # A host that takes no mail, and one that is unknown.
        ("556 x.example does not exist for mail", ("notaccept", True)),
        ("550 5.1.10 Domain x.example does not accept mail (nullMX)", ("notaccept", True)),
        ("521 5.3.2 mx.x.example does not accept mail", ("notaccept", True)),
        ("550 5.1.2 Host unknown (Name server: x.example: host not found)", ("hostunknown", True)),
        # The size of a mail, and limits of number and space.
        ("552 5.3.4 Message size exceeds fixed limit", ("mesgtoobig", False)),
        ("552 5.2.3 Message length exceeds administrative limit", ("exceedlimit", False)),
        ("552 5.2.2 Over quota", ("mailboxfull", False)),
        ("452 4.5.3 Too many recipients", ("toomanyconn", False)),
        ("452 4.3.1 Insufficient system storage", ("systemfull", False)),
        # Security, policy, authentication, reputation, block.
        ("535 5.7.8 Authentication credentials invalid", ("securityerror", False)),
        ("550 5.7.1 Message refused by policy", ("policyviolation", False)),
        ("550 5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy", ("authfailure", False)),
        ("554 5.7.1 Rejected for poor reputation", ("badreputation", False)),
        ("550 5.7.606 Access denied, banned sending IP [192.0.2.1]", ("blocked", False)),
        ("450 4.7.25 Client host rejected: cannot find your hostname", ("requireptr", False)),
        ("4.4.2 Connection dropped due to SocketError", ("networkerror", False)),
        # The last reason, and the expiry around it.
        ("Message expired, not possible within 5 days. Last error: 452 4.2.2 Mailbox full", ("mailboxfull", False)),
        ("retry timeout exceeded; last error: 550 5.1.1 user unknown", ("userunknown", True)),
        ("Retry time exceeded; last response: 421 4.7.0 Too many connections from your host", ("toomanyconn", False)),
        ("Message expired. Last error: none", ("expired", False)),
        ("550 4.4.7 QUEUE.Expired; message expired", ("expired", False)),
    ],
)
def test_the_evidence_decides(words: str, expected: tuple[str, bool]) -> None:
    assert reason(words) == expected
