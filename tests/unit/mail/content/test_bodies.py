"""What a person sees of a message is chosen by RFC 8621 §4.1.4."""

import pytest
from postroom.mail.content.body_parts import Bodies, bodies
from postroom.mail.reader import read

from tests.unit.mail.encoding.test_transfer import uuencoded


def part(kind: str, body: str, *headers: str) -> str:
    """Return a part's source."""
    return "\r\n".join((f"Content-Type: {kind}", *headers, "", body))


def multipart(kind: str, *parts: str, boundary: str = "b") -> str:
    """Return a multipart's source."""
    inner = "".join(f"--{boundary}\r\n{one}\r\n" for one in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n{inner}--{boundary}--\r\n'


def chosen(source: str) -> Bodies:
    """Return the bodies of a message."""
    return bodies(read(f"From: a@b.c\r\n{source}".encode()))


PLAIN, HTML = part("text/plain", "plain"), part("text/html", "<p>html</p>")
PNG = part("image/png", "png", "Content-ID: <i>")
PDF = part("application/pdf", "pdf", 'Content-Disposition: attachment; filename="a.pdf"')


@pytest.mark.parametrize(
    ("source", "text", "html", "attachments"),
    [
        pytest.param(PLAIN, "plain", None, [], id="text"),
        pytest.param(HTML, None, "<p>html</p>", [], id="HTML"),
        pytest.param(multipart("alternative", PLAIN, HTML), "plain", "<p>html</p>", [], id="alternative"),
        pytest.param(multipart("alternative", HTML), None, "<p>html</p>", [], id="alternative of HTML only"),
        pytest.param(multipart("mixed", PLAIN, PDF), "plain", None, ["application/pdf"], id="attachment"),
        pytest.param(multipart("mixed", PLAIN, PLAIN), "plain\nplain", None, [], id="two texts"),
        pytest.param(
            multipart("mixed", multipart("alternative", PLAIN, HTML, boundary="c"), PDF),
            "plain",
            "<p>html</p>",
            ["application/pdf"],
            id="alternative and attachment",
        ),
        pytest.param(
            multipart("related", multipart("alternative", PLAIN, HTML, boundary="c"), PNG),
            "plain",
            "<p>html</p>",
            ["image/png"],
            id="related with an alternative",
        ),
        pytest.param(
            multipart("alternative", PLAIN, multipart("related", HTML, PNG, boundary="c")),
            "plain",
            "<p>html</p>",
            ["image/png"],
            id="alternative with a related",
        ),
        pytest.param(
            multipart("mixed", PLAIN, part("text/plain; name=a.txt", "file")),
            "plain",
            None,
            ["text/plain"],
            id="named text",
        ),
        pytest.param(
            multipart("mixed", part("text/plain", "x", "Content-Disposition: attachment"), PLAIN),
            "plain",
            None,
            ["text/plain"],
            id="text that is an attachment, then text",
        ),
        pytest.param(
            multipart("mixed", PLAIN, part("message/rfc822", "Subject: x\r\n\r\ny")),
            "plain",
            None,
            ["message/rfc822"],
            id="forwarded message",
        ),
        pytest.param(PDF, None, None, ["application/pdf"], id="attachment only"),
        pytest.param(
            multipart("related", PNG, HTML), None, "<p>html</p>", ["image/png"], id="related with the image first"
        ),
        pytest.param(
            multipart('related; start="<h@x>"', PLAIN, part("text/html", "<p>html</p>", "Content-ID: <h@x>")),
            None,
            "<p>html</p>",
            ["text/plain"],
            id="related that names its root",
        ),
        pytest.param(
            multipart("related", PDF, HTML),
            None,
            "<p>html</p>",
            ["application/pdf"],
            id="related with HTML that is not its root",
        ),
        pytest.param(
            multipart("alternative", PLAIN, HTML, part("text/calendar; method=REQUEST", "BEGIN:VCALENDAR")),
            "plain",
            "<p>html</p>",
            ["text/calendar"],
            id="invitation",
        ),
        pytest.param(
            part("text/enriched", "<bold>x</bold>"), "<bold>x</bold>", None, [], id="another kind of text alone"
        ),
        pytest.param(
            "Content-Type: multipart/mixed; boundary=x\r\n\r\nbroken", "broken", None, [], id="multipart without parts"
        ),
    ],
)
def test_bodies_are_chosen(source: str, text: str | None, html: str | None, attachments: list[str]) -> None:
    found = chosen(source)
    assert (found.text, found.html) == (text, html)
    assert [one.content_type for one in found.attachments] == attachments


def test_text_in_front_of_html_is_not_lost_from_the_html() -> None:
    found = chosen(multipart("mixed", part("text/plain", "1 < 2\r\n  3"), HTML))
    assert found.html == "<div>1 &lt; 2<br>\n&nbsp; 3</div>\n<p>html</p>"
    assert found.text == "1 < 2\n  3"
    assert not found.text_complete


def test_text_is_complete_when_each_html_part_has_its_alternative() -> None:
    assert chosen(multipart("alternative", PLAIN, HTML)).text_complete
    assert not chosen(HTML).text_complete


def test_images_with_a_content_id_are_inline_attachments() -> None:
    found = chosen(multipart("related", HTML, PNG))
    assert [one.content_id for one in found.inline] == ["i"]
    assert found.inline == found.attachments


def test_an_attached_image_is_not_inline() -> None:
    found = chosen(multipart("mixed", PLAIN, part("image/png", "x", "Content-Disposition: attachment")))
    assert len(found.attachments) == 1
    assert found.inline == ()


def test_uuencoded_files_become_attachments_and_leave_the_text() -> None:
    source = b"Hello\n" + uuencoded(b"secret " * 20, b"evil\xc3\xa4.exe") + b"bye\n"
    found = bodies(read(b"From: a@b.c\n\n" + source))
    assert found.text == "Hello\nbye\n"
    assert [(one.name, one.data(), one.path) for one in found.attachments] == [("evilä.exe", b"secret " * 20, "1.uu1")]
