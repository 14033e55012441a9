"""HTML becomes text that a person can read."""

import pytest
from postroom.mail.html.sanitiser import sanitise, to_text
from postroom.mail.reply_text.reply import reply_text

CASES = {
    "paragraphs": ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree\n"),
    "divisions": ("<div>one</div><div>two</div><div><br></div><div>three</div>", "one\ntwo\n\nthree\n"),
    "white space": ("  a \n  b\t<b> c </b>d ", "a b c d\n"),
    "words stay whole": ("<b>W</b>ord<i>s</i>", "Words\n"),
    "entities": ("&lt;b&gt; &amp;amp; &quot;x&quot; &euro;&nbsp;5", '<b> &amp; "x" € 5\n'),
    "list": ("<ul><li>one</li><li><p>two</p></li></ul>", "- one\n- two\n"),
    "nested list": ("<ul><li>one<ul><li>a</li></ul></li><li>two</li></ul>", "- one\n  - a\n- two\n"),
    "numbered list": ("<ol start=9><li>a<li>b<br>c</ol>", "9. a\n10. b\n    c\n"),
    "table": (
        "<table><tr><th>Item</th><th>Price</th></tr><tr><td><p>Phone</p></td><td><p>10</p></td></tr></table>",
        "Item | Price\nPhone | 10\n",
    ),
    "table for layout": ("<table><tr><td><p>a</p><p>b</p></td><td>c</td></tr></table>", "a\n\nb\n\nc\n"),
    "link": ('<a href="https://example.com/x">the page</a>', "the page <https://example.com/x>\n"),
    "link that says its target": ('<a href="https://www.example.com/">example.com</a>', "example.com\n"),
    "link with a query": ('<a href="https://example.com/?a=1&amp;b=2">x</a>', "x <https://example.com/?a=1&b=2>\n"),
    "address": ('<a href="mailto:ann@example.org">ann@example.org</a>', "ann@example.org\n"),
    "address behind a name": ('<a href="mailto:ann@example.org">Ann</a>', "Ann <ann@example.org>\n"),
    "picture": ('<img src=cid:a@b alt="Our logo"><p>x</p>', "[Our logo]\n\nx\n"),
    "preformatted": ("<pre>a\n  b\n</pre>c", "a\n  b\n\nc\n"),
    "rule": ("a<hr>b", "a\n________________________________\nb\n"),
    "quote": ("<p>new</p><blockquote>old<br><br>older</blockquote>", "new\n\n> old\n>\n> older\n"),
    "quote in a quote": ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n>\n> > b\n"),
    "list in a quote": ("<blockquote><ul><li>a<li>b</ul></blockquote>", "> - a\n> - b\n"),
    "title and style": ("<title>T</title><style>p{}</style><p>x</p>", "x\n"),
    "nothing": ("<div><br></div>", ""),
    "Outlook's empty paragraph": ("<p>a<o:p></o:p></p><p><o:p>&nbsp;</o:p></p><p>b</p>", "a\n\nb\n"),
    "Outlook's lines": ("<p>a</p><p>b</p><p><span>&nbsp;</span></p><p>c</p><p>d</p>", "a\nb\n\nc\nd\n"),
    "paragraphs with one empty line more": (f"{'<p>a</p>' * 7}<p>&nbsp;</p><p>b</p>", "a\n\n" * 6 + "a\n\n\n\nb\n"),
    "row that begins with an empty cell": (
        "<table><tr><td>a</td><td>b</td></tr><tr><td></td><td>c</td></tr></table>",
        "a | b\nc\n",
    ),
    "row with an empty cell in the middle": ("<table><tr><td>a</td><td></td><td>b</td></tr></table>", "a | b\n"),
    "breaks": ("a<br><br><br><br><br><br>b", "a\n\n\nb\n"),
}


@pytest.mark.parametrize(("html", "text"), CASES.values(), ids=CASES.keys())
def test_html_reads_as_text(html: str, text: str) -> None:
    assert to_text(sanitise(html).html) == text


HTML_REPLIES = {
    "Gmail": (
        '<div dir="ltr">Yes, please.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_'
        'attr">On Mon, 5 Feb 2024 at 10:43, Ann &lt;<a href="mailto:ann@example.org">ann@example.or'
        'g</a>&gt; wrote:<br></div><blockquote class="gmail_quote"><div>Shall we?</div></blockquote'
        "></div>"
    ),
    "Apple Mail": (
        "<body>Yes, please.<div><br><blockquote type=cite><div>On 5 Feb 2024, at 10:43, Ann &lt;<a "
        "href=mailto:ann@example.org>ann@example.org</a>&gt; wrote:</div><br><div>Shall we?</div></"
        "blockquote></div>"
    ),
    "Outlook": (
        "<p class=MsoNormal>Yes, please.</p><p class=MsoNormal>&nbsp;</p><div style='border-top:sol"
        "id'><p><b>From:</b> Ann &lt;ann@example.org&gt;<br><b>Sent:</b> Monday, 5 February 2024 10"
        ":43<br><b>To:</b> Bob<br><b>Subject:</b> RE: Offer</p></div><p>Shall we?</p>"
    ),
    "Outlook on the web": (
        "<div>Yes, please.</div><hr><div id=divRplyFwdMsg><b>Von:</b> Ann<br><b>Gesendet:</b> Monta"
        "g, 5. Februar 2024 10:43<br><b>An:</b> Bob<br><b>Betreff:</b> AW: Angebot</div><div>Wollen"
        " wir?</div>"
    ),
    "Thunderbird": (
        "<p>Yes, please.</p><div class=moz-cite-prefix>Am 05.02.24 um 10:43 schrieb Ann:<br></div><"
        "blockquote type=cite><p>Wollen wir?</p></blockquote><pre class=moz-signature>-- \nBob</pre>"
    ),
    "Yahoo": (
        "<div>Yes, please.</div><div><br></div><div id=yahoo_quoted><div>On Monday, 5 February 2024"
        " at 10:43:12 CET, Ann &lt;ann@example.org&gt; wrote: </div><div><br></div><div>Shall we?</"
        "div></div>"
    ),
    "iPhone": (
        "<div>Yes, please.<br><br><div>Von meinem iPhone gesendet</div><div><br><blockquote>Am 05.0"
        "2.2024 um 10:43 schrieb Ann &lt;ann@example.org&gt;:<br><br></blockquote></div><blockquote"
        "><div>Wollen wir?</div></blockquote></div>"
    ),
}


@pytest.mark.parametrize("html", HTML_REPLIES.values(), ids=HTML_REPLIES.keys())
def test_the_reply_is_found_in_mail_that_is_html_only(html: str) -> None:
    assert reply_text(to_text(sanitise(html).html)) == "Yes, please."
