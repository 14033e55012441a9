"""The plain text is shown unless the HTML alone says what the mail is about."""

import pytest
from postroom.mail.content.body_parts import bodies
from postroom.mail.content.displayed_text import best_text
from postroom.mail.html.sanitiser import sanitise
from postroom.mail.reader import read

_HTML = "<p>Dear team,</p><p>the green lamp that I bought in May is broken.</p><p>Please send a new one. Bye, Ann</p>"
_SAID = "Dear team,\n\nthe green lamp that I bought in May is broken.\n\nPlease send a new one. Bye, Ann\n"


def _mail(text: str, html: str = _HTML) -> bytes:
    return (
        "Content-Type: multipart/alternative; boundary=b\n\n"
        f"--b\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
        f"--b\nContent-Type: text/html; charset=utf-8\n\n{html}\n--b--\n"
    ).encode()


def _best(raw: bytes) -> str:
    content = bodies(read(raw))
    return best_text(content, sanitise(content.html).html if content.html is not None else None)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" \n\n", id="spaces"),
        pytest.param("\u200b\ufeff \u00a0", id="invisible characters"),
        pytest.param("This is an HTML message.", id="English"),
        pytest.param("Ihr Programm zeigt kein HTML an.", id="German"),
        pytest.param("Affichez ce message dans votre navigateur.", id="French"),
        pytest.param("See it in your browser: example.com/1", id="a link"),
    ],
)
def test_the_html_is_read_where_the_text_only_points_to_it(text: str) -> None:
    assert _best(_mail(text)) == _SAID


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param("Yes.", _HTML, id="short"),
        pytest.param("My HTML page is broken.", "<p>My <b>HTML</b> page is broken.</p>", id="about HTML"),
        pytest.param("Which browser do I need? " * 30, _HTML, id="long"),
    ],
)
def test_the_text_is_read_where_it_says_something(text: str, html: str) -> None:
    assert _best(_mail(text, html)) == text.rstrip("\n")


def test_text_alone_is_read_whatever_it_says() -> None:
    assert _best(b"Content-Type: text/plain\n\nView this as HTML.") == "View this as HTML."


def test_the_html_is_read_where_a_part_of_the_body_is_html_only() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\none\n"
        b"--b\nContent-Type: text/html\n\n<p>two</p>\n--b--\n"
    )
    assert _best(raw) == "one\n\ntwo\n"
