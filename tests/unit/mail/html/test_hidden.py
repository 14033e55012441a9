"""What nobody saw is no text of a mail, and is said; what a mail shows in its own way is text."""

import pytest
from postroom.mail.html.as_text import to_text
from postroom.mail.html.sanitiser import sanitise

from tests.support.growth import exponent


def text_of(html: str) -> str:
    """Return the text of HTML as it is read."""
    return to_text(sanitise(html).html)


@pytest.mark.parametrize(
    "opening",
    [
        '<div style="display:none">',
        '<div style="DISPLAY : None !important">',
        "<span style='display:none;max-height:0'>",
        "<p hidden>",
        '<p hidden="hidden">',
        '<div style="visibility:hidden">',
        '<div style="opacity:0">',
        '<div style="mso-hide:all">',
        '<div style="max-height:0;overflow:hidden">',
        '<div style="overflow:hidden;height:0px">',
        '<span style="font-size:0">',
        '<span style="font-size:1px;line-height:1px">',
        '<div style="text-indent:-9999px">',
        '<div style="position:absolute;left:-5000px">',
        '<span style="color:#ffffff">',
        '<span style="color:#FFF">',
        '<font color="white">',
        '<td bgcolor="#123456"><font color="#123457">',
        '<div style="background-color:rgb(10, 20, 30);color:#0a141e">',
        '<div style="background:#000"><span style="color:black">',
        '<style>.pre, #other {display:none}</style><div class="x pre">',
        '<style>@media screen{.y{color:red}} div.pre{display:none !important}</style><div class="pre">',
        '<div style="display:none"><div style="display:block;font-size:14px">',
    ],
)
def test_what_nobody_saw_is_left_out_and_counted(opening: str) -> None:
    closing = "".join(
        f"</{tag.split('>')[0].split(' ')[0]}>" for tag in reversed(opening.split("<")[1:]) if tag[:1] != "/"
    )
    clean = sanitise(f"<table><tr><td>Before</td>{opening}HIDDEN words{closing}<td>After</td></tr></table>")
    assert "HIDDEN" not in clean.html
    assert text_of(clean.html).split() in (["Before", "|", "After"], ["Before", "After"], ["|", "Before", "After"])
    assert clean.hidden_text == len("HIDDENwords")


@pytest.mark.parametrize(
    "html",
    [
        '<td style="font-size:0"><div style="font-size:14px">Seen</div></td>',
        '<div style="visibility:hidden"><p style="visibility:visible">Seen</p></div>',
        '<body bgcolor="#000000"><p style="color:#fff">Seen</p></body>',
        '<div style="background:url(x.png)"><p style="color:#fff">Seen</p></div>',
        '<div style="background:#fff"><div style="background-image:url(x)"><p style="color:#fff">Seen</p></div></div>',
        '<style>@media (max-width:600px){.m{display:none}}</style><p class="m">Seen</p>',
        "<style>.m{display:none}</style><p class='mm'>Seen</p>",
        '<div style="opacity:0.9">Seen</div>',
        '<div style="max-height:0px">Seen</div>',
        '<p style="color:#fff;background:#00f">Seen</p>',
        '<p title="display:none">Seen</p>',
        "<p>the hidden Seen</p>",
        '<div style="display:none">Seen, as nothing else is there</div>',
    ],
)
def test_what_may_be_seen_stays(html: str) -> None:
    clean = sanitise(html)
    assert "Seen" in clean.html
    assert clean.hidden_text == 0


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<html><head><title>Order<body><p>Where is it?</p></body></html>", "Order\n\nWhere is it?\n"),
        ("<title>Order</title><p>Where is it?</p>", "Where is it?\n"),
        ("<title>Order<meta x><p>Where</p></title><p>is it?</p>", "Order\n\nWhere\n\nis it?\n"),
        ("a<noscript><p>b</p></noscript>", "a\n\nb\n"),
        ("a<textarea>b</textarea>c", "a\nb\nc\n"),
        ("<select><option>a<option selected>b</select>", "a\nb\n"),
        ('<object data="x.swf"><param name=a><p>b</p></object>', "b\n"),
        ("<details><summary>More</summary>text</details>", "More\ntext\n"),
        ("<fieldset><legend>Address</legend>Main Street</fieldset>", "Address\nMain Street\n"),
        ("<form>a</form><form>b</form>", "a\nb\n"),
        ("<xmp>a</xmp><plaintext>b", "ab\n"),
        ("a\x00b\x1b[31mc\x7fd\x0ce\x0bf", "ab[31mcd e f\n"),
        ("<script>a</script><style>b</style><iframe>c</iframe>d", "d\n"),
        ("<noscript><script>a</script><p onclick=b>c</p></noscript>", "c\n"),
    ],
)
def test_what_a_mail_shows_without_scripts_and_forms_is_text(html: str, text: str) -> None:
    assert text_of(html) == text


@pytest.mark.parametrize(
    "piece",
    [
        "<title>",
        "<style>",
        "<style",
        "<div hidden>",
        '<div style="display:none">a</div>',
        "<style>@a{",
        "<style>a{",
        "<b style=color:#",
        '<i style="' + "a" * 100 + '">',
        '<i style="color:' + " " * 100 + '">',
        "<noscript>",
        "background:#fff color:#eee ",
    ],
)
def test_hiding_takes_time_in_proportion(piece: str) -> None:
    def make(size: int) -> str:
        return "<p hidden>x</p>y" + piece * (size // len(piece))

    assert exponent(sanitise, make, sizes=(60_000, 480_000)) <= 1.5
