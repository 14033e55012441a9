"""Pictures of a mail are its files, wherever they stand; and a file's name is a name."""

import base64

import pytest
from postroom.mail.content.body_parts import bodies
from postroom.mail.content.parts_as_files import File, files
from postroom.mail.html.sanitiser import sanitise
from postroom.mail.reader import read

from tests.support.growth import exponent

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DATA = "data:image/png;base64," + base64.b64encode(PNG).decode()


def read_html(html: str, *parts: str) -> tuple[str, list[File]]:
    """Return the sanitised HTML and the files of a mail with that HTML and those parts."""
    head = "From: a@b.example\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n"
    raw = head + html + "".join(f"\n--b\n{part}\n\nx" for part in parts) + "\n--b--\n"
    content = bodies(read(raw.encode()))
    return sanitise(content.html or "").html, files(content)


@pytest.mark.parametrize(
    "tag",
    [
        f'<img src="{DATA}">',
        f"<img alt=x src='{DATA}' width=1>",
        f"<IMG SRC={DATA}>",
        f'<img src="{DATA.replace("data:", "DATA:")}">',
        f'<img src="{DATA[:40]}\n {DATA[40:]}">',
        f'<img src="{DATA.replace(";base64", ";charset=utf-8;base64")}">',
    ],
)
def test_a_pasted_picture_is_a_file_that_is_shown_in_its_place(tag: str) -> None:
    html, found = read_html(f"<p>See:</p>{tag}<p>Why?</p>")
    assert [(one.name, one.content_type, one.inline, one.data()) for one in found] == [
        ("pasted-1.png", "image/png", True, PNG)
    ]
    assert f'src="cid:{found[0].content_id}"' in html


def test_each_pasted_picture_is_one_file_however_often_it_is_shown() -> None:
    html, found = read_html(f'<img src="{DATA}"><img src="{DATA}"><img src="data:image/gif,GIF89a%01">')
    assert [one.name for one in found] == ["pasted-1.png", "pasted-2.gif"]
    assert found[1].data() == b"GIF89a\x01"
    assert html.count("cid:") == 3


@pytest.mark.parametrize(
    "html",
    [
        '<img src="data:text/html;base64,PHNjcmlwdD4=">',
        '<a src="data:image/png;base64,AAAA">x</a>',
        "<p>write src=data:image/png;base64,AAAA here</p>",
        '<img src="data:image/png;base64,">',
        f'<p> src="{DATA}"</p>',
    ],
)
def test_what_is_no_picture_in_its_place_makes_no_file(html: str) -> None:
    assert read_html(html)[1] == []


@pytest.mark.parametrize(
    ("src", "part", "content_id"),
    [
        ("cid:a@b", "Content-Type: image/png\nContent-ID: <a@b>", "a@b"),
        ("cid:image001.png%4001D9", "Content-Type: image/png\nContent-ID: <image001.png@01D9>", "image001.png@01D9"),
        ("image001.png", "Content-Type: image/png; name=image001.png\nContent-ID: <a@b>", "a@b"),
        ("image001.png", "Content-Type: image/png; name=image001.png", "picture-1@1.invalid"),
        ("./pics/image%201.png", 'Content-Type: image/png; name="image 1.png"', "picture-1@1.invalid"),
        ("pic.png", "Content-Type: image/png\nContent-Location: pic.png", "picture-1@1.invalid"),
        ("http://x.y/a.png", "Content-Type: image/png\nContent-Location: http://x.y/a.png\nContent-ID: <p>", "p"),
    ],
)  # fmt: skip
def test_a_picture_is_found_by_all_that_clients_call_it(src: str, part: str, content_id: str) -> None:
    html, found = read_html(f'<p>x<img src="{src}"></p>', part)
    assert f'src="cid:{content_id}"' in html
    assert [(one.content_id, one.inline) for one in found] == [(content_id, True)]


def test_a_picture_of_another_server_is_not_taken_for_a_file_of_the_same_name() -> None:
    html, found = read_html('<img src="https://x.example/logo.png">', "Content-Type: image/png; name=logo.png")
    assert "cid:" not in html
    assert found[0].content_id is None


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('Content-Disposition: attachment; filename="../../etc/cron.d/x.pdf"', "x.pdf"),
        ('Content-Disposition: attachment; filename="C:\\temp\\x.pdf"', "x.pdf"),
        ('Content-Disposition: attachment; filename="C:x.pdf"', "x.pdf"),
        ('Content-Disposition: attachment; filename="\\\\\\\\host\\\\share\\\\x.pdf"', "x.pdf"),
        ("Content-Disposition: attachment; filename*=utf-8''%2Fetc%2Fx.pdf", "x.pdf"),
        ('Content-Disposition: attachment; filename="=?utf-8?b??="', "attachment-1.pdf"),
        ('Content-Disposition: attachment; filename="=?utf-8?q?_?="', "attachment-1.pdf"),
        ('Content-Disposition: attachment; filename="../.."', "attachment-1.pdf"),
        ('Content-Disposition: attachment; filename="/"', "attachment-1.pdf"),
        ('Content-Disposition: attachment; filename="../"; name="b.pdf"', "b.pdf"),
        ("Content-Description: Your invoice", "Your invoice.pdf"),
        ("Content-Description: =?utf-8?q?Rechnung_M=C3=A4rz.PDF?=", "Rechnung März.PDF"),
        ("Content-Description: ../../x", "x.pdf"),
        ('Content-Description: other\nContent-Disposition: attachment; filename="x.pdf"', "x.pdf"),
    ],
)
def test_a_name_is_a_name_and_no_path(header: str, name: str) -> None:
    raw = f"From: a@b.example\nContent-Type: application/pdf\n{header}\n\nx"
    assert [one.name for one in files(bodies(read(raw.encode())))] == [name]


def test_the_policy_still_sees_every_name_as_it_is_written() -> None:
    raw = b'Content-Type: application/pdf\nContent-Disposition: attachment; filename="a/../b.exe/c.pdf"\n\nx'
    assert files(bodies(read(raw)))[0].names == ("a/../b.exe/c.pdf",)


@pytest.mark.parametrize(
    "piece", [' src="', " src=", " src=data:", "<img src=data:image/png,a>", "<img", ' src="data:;;']
)
def test_placing_pictures_takes_time_in_proportion(piece: str) -> None:
    def make(size: int) -> bytes:
        return b"Content-Type: text/html\n\ndata:" + (piece * (size // len(piece))).encode()

    assert exponent(lambda raw: bodies(read(raw)), make, sizes=(100_000, 800_000)) <= 1.5
