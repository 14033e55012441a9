"""Folder names in modified UTF-7: the examples of the RFC, and what a library that does only this writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postroom.adapters.imap.folder_names import quote_folder, to_modified_utf7

EXAMPLES = {
    "plain": ("INBOX", b"INBOX"),
    "RFC 3501 §5.1.3": ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
    "RFC 2152, with another shift": ("Hi Mom -☺-!", b"Hi Mom -&Jjo--!"),
    "an ampersand": ("Sales & Service", b"Sales &- Service"),
    "an ampersand beside other characters": ("Ä&Ö", b"&AMQ-&-&ANY-"),
    "nothing but others": ("ÄÖ", b"&AMQA1g-"),
    "a comma for a slash": ("ÿ", b"&AP8-"),
    "beyond the first plane": ("📥", b"&2D3c5Q-"),
    "controls": ("a\r\nb", b"a&AA0ACg-b"),
    "a plus stays": ("a+b", b"a+b"),
    "a lone surrogate": ("\ud83d", b"&2D0-"),
    "nothing": ("", b""),
}


@pytest.mark.feature("G14")
@pytest.mark.parametrize(("name", "written"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_names_are_written_in_modified_utf7(name: str, written: bytes) -> None:
    assert to_modified_utf7(name) == written


def test_quotes_and_backslashes_are_escaped() -> None:
    assert quote_folder('a"b\\c') == b'"a\\"b\\\\c"'


@given(st.text())
def test_every_name_can_be_read_again_and_holds_nothing_but_printable_ascii(name: str) -> None:
    written = to_modified_utf7(name).decode("ascii")
    assert written.isprintable() or not written
    assert _read(written) == name


@given(st.text())
def test_imapclient_writes_the_same(name: str) -> None:
    library = pytest.importorskip("imapclient.imap_utf7")
    assert to_modified_utf7(name) == library.encode(name)


def _read(written: str) -> str:
    """Read modified UTF-7 through Python's codec for the unmodified one, run by run."""
    name, rest = "", written
    while "&" in rest:
        plain, _, rest = rest.partition("&")
        run, _, rest = rest.partition("-")
        name += plain + (("+" + run.replace(",", "/") + "-").encode("ascii").decode("utf-7") if run else "&")
    return name + rest
