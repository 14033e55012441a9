"""What is masked is masked wherever it is told: `explain` is searched for a card number that stands anywhere."""

from __future__ import annotations

import json
import re

import pytest
from postroom.model.configuration.document import Configuration
from postroom.rules.masking import mask
from postroom.services.inbound.explanation import explain
from postroom.services.inbound.understand_mail import wrap
from postroom.services.policy.compiled import Policy, policy_of

CARD = "4111111111111111"
HEAD = {"From": "ann@example.org", "To": "support@example.com", "Subject": "Hello", "Message-ID": "<1@example.org>"}
IDENTIFIERS = {"address", "message_id", "References", "Final-Recipient"}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return policy_of(Configuration.model_validate({"masking_patterns": [{"name": "cards", "kind": "card"}]}))


def mail(headers: dict[str, str], body: str = "Hello.") -> bytes:
    lines = [f"{name}: {value}" for name, value in {**HEAD, **headers}.items()]
    return "\r\n".join([*lines, "MIME-Version: 1.0", "", body, ""]).encode()


def mixed(*parts: str, kind: str = "mixed") -> bytes:
    inside = "\r\n".join(f"--b\r\n{part}" for part in ("\r\nHello.", *parts))
    return mail({"Content-Type": f"multipart/{kind}; boundary=b"}, f"{inside}\r\n--b--")


def html(text: str) -> bytes:
    return mail({"Content-Type": "text/html; charset=utf-8"}, text)


def leaks(value: object, name: str = "") -> list[str]:
    """Name the values in which the number stands, whatever stands between its digits."""
    if isinstance(value, dict):
        return [leak for key, part in value.items() if key not in IDENTIFIERS for leak in leaks(part, key)]
    if isinstance(value, list):
        return [leak for part in value for leak in leaks(part, name)]
    plain = re.sub(r"<[^>]*>", "", value) if name == "html" and isinstance(value, str) else value
    digits = "".join(re.findall(r"[0-9]", plain)) if isinstance(plain, str) else ""
    return [f"{name}: {value}"] if CARD in digits else []


REPORT = (
    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
    "Final-Recipient: rfc822; bob@example.net\r\n"
    f"Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; m{CARD}\r\nDiagnostic-Code: smtp; 550 5.1.1 no {CARD}\r\n"
)
INVITATION = (
    f"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:{CARD}\r\nBEGIN:VEVENT\r\n"
    f"SUMMARY:{CARD}\r\nDTSTART;TZID={CARD}:20240101T000000\r\nEND:VEVENT\r\nEND:VCALENDAR"
)
TOLD = {
    "name of the sender": mail({"From": f'"{CARD}" <ann@example.org>'}),
    "name of a recipient": mail({"To": f"{CARD} <support@example.com>"}),
    "name of a copy": mail({"Cc": f"{CARD} <bob@example.net>"}),
    "name of who is answered": mail({"Reply-To": f"{CARD} <ann@example.org>"}),
    "what makes it automatic": mail({"Auto-Submitted": f"auto-replied; {CARD}"}),
    "a mark of an autoresponder": mail({"X-Autoreply": CARD}),
    "a list": mail({"List-Id": CARD}),
    "subject of an autoresponder": mail({"Subject": f"Automatic reply: {CARD}", "Auto-Submitted": "auto-replied"}),
    "a report": mixed(REPORT, kind="report; report-type=delivery-status"),
    "text of a bounce": mail(
        {"From": "MAILER-DAEMON@example.net", "Subject": "Undelivered Mail Returned to Sender"},
        f"The mail to <bob@example.net> failed:\r\n550 5.1.1 <bob@example.net> user unknown {CARD}",
    ),
    "an invitation": mixed(INVITATION),
    "a type": mixed(f"Content-Type: application/{CARD}; name=a.exe\r\n\r\nx"),
    "a Content-ID": mixed(f"Content-Type: image/png\r\nContent-ID: <{CARD}@x>\r\n\r\nx"),
    "an extension": mixed(f'Content-Disposition: attachment; filename="a.{CARD}"\r\n\r\nx'),
    "a name into its extension": mixed('Content-Disposition: attachment; filename="4111 1111.1111 1111"\r\n\r\nx'),
    "a blocked name": mixed(f'Content-Disposition: attachment; filename="{CARD}.exe"\r\n\r\nx'),
    "language and direction": html(f"<p lang='{CARD}' dir='{CARD}'>x</p><table><td align='{CARD}'>x</table>"),
    "table": html("<table><tr><td>4111</td><td>1111</td><td>1111</td><td>1111</td></tr></table>"),
    "table with indentation": html(
        "<table>\r\n <tr>\r\n  <td>4111</td>\r\n  <td>1111</td></tr>\r\n"
        " <tr>\r\n  <td>1111</td>\r\n  <td>1111</td></tr></table>"
    ),
    "spaces that nobody sees": html("<p>4111        1111\r\n        1111<br>\r\n      1111</p>"),
    "bars": mail({}, "4111|1111|1111|1111"),
    "underscores": mail({}, "4111_1111_1111_1111"),
    "minus signs": mail({"Content-Type": "text/plain; charset=utf-8"}, "4111\u22121111\u22121111\u22121111"),
    "wide dashes": mail({}, "4111  -  1111  -  1111  -  1111"),
}


@pytest.mark.feature("C15")
@pytest.mark.parametrize("raw", TOLD.values(), ids=TOLD)
def test_a_number_is_masked_wherever_it_is_told(policy: Policy, raw: bytes) -> None:
    found = json.loads(json.dumps(explain(raw, source="test", policy=policy)))
    assert found["outcome"] == "interaction"
    assert leaks(found) == []


def test_names_are_masked_each_for_itself(policy: Policy) -> None:
    recipients = f'"4111 1111" <a@x.example>, "1111 1111" <b@x.example>, {CARD} <c@x.example>, d@x.example'
    shown = explain(mail({"To": recipients}), source="test", policy=policy)["to"]
    assert [one["name"] for one in shown] == ["4111 1111", "1111 1111", "*" * 16, ""]
    marked = mail({"To": f'"\ue000" <a@x.example>, {CARD} <c@x.example>'})
    assert [one["name"] for one in explain(marked, source="test", policy=policy)["to"]] == ["\ue000", "*" * 16]


def test_the_reason_of_a_wrapping_interaction_quotes_no_number(policy: Policy) -> None:
    wrapped = wrap(mail({"From": f"{CARD} <ann@example.org>"}), f"invalid literal: '{CARD}'", policy=policy)
    assert CARD not in repr(wrapped)


def test_what_masks_nothing_leaves_a_table_and_its_indentation_as_they_were(policy: Policy) -> None:
    raw = html("<table>\r\n <tr>\r\n  <td>2024</td>\r\n  <td>4112 1111 1111 1111</td></tr></table>")
    bare = policy_of(Configuration.model_validate({}))
    assert explain(raw, source="test", policy=policy)["html"] == explain(raw, source="test", policy=bare)["html"]


def test_ordinary_languages_and_directions_are_kept(policy: Policy) -> None:
    raw = html('<p lang="de-AT" dir="rtl">x</p><p lang="zh-Hant-TW">y</p><p lang="es-419">z</p>')
    shown = explain(raw, source="test", policy=policy)["html"]
    assert all(kept in shown for kept in ('lang="de-AT"', 'dir="rtl"', 'lang="zh-Hant-TW"', 'lang="es-419"'))


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        pytest.param(mail({"Subject": CARD}), ["cards: 1 in the subject"], id="subject"),
        pytest.param(mail({}, f"Card {CARD}"), ["cards: 1 in the text"], id="text"),
        pytest.param(html(f"<p>Card {CARD}</p>"), ["cards: 1 in the text", "cards: 1 in the HTML"], id="HTML"),
        pytest.param(mail({}), [], id="nothing"),
    ],
)
def test_how_often_a_pattern_was_found_is_told_with_the_place(policy: Policy, raw: bytes, told: list[str]) -> None:
    explained = explain(raw, source="test", policy=policy)
    assert [one["detail"] for one in explained["decisions"] if one["rule"] == "masking"] == told


def test_text_that_is_too_large_to_be_searched_to_its_end_is_told(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mask, "MAX_TEXT", 100)
    explained = explain(mail({}, "word " * 50), source="test", policy=policy)
    told = [(one["outcome"], one["detail"]) for one in explained["decisions"] if one["rule"] == "masking"]
    assert told == [("cut", "the text is too large to be searched to its end")]
