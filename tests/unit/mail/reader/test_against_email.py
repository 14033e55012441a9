"""Our reader agrees with a careful reading by `email` (compat32), but for the differences that are told here."""

import email

import pytest
from postroom.mail.reader import read

from tests.support import compat32, corpora
from tests.support.mutants import mutants

CORPORA = ("bounces", "mime", "mime-odd")
# Each is a mail whose sender broke a rule; why ours is what people see.
EXPLAINED = {
    "error_emails-multiple_references_with_one_invalid.eml": "the last field lacks a fold: ours joins",
    "lhost-ezweb-05.eml": "EUC-JP labelled ISO-2022-JP: ours is Japanese",
    "lhost-office365-09.eml": "a header line without its fold: ours finds the parts all the same",
    "lhost-office365-10.eml": "a header line without its fold: ours finds the parts all the same",
    "lhost-verizon-02.eml": "a multipart without boundary: ours reads its text",
    "malformed-003.eml": "parent and child share a boundary: ours gives the part to the child",
    "malformed-019.eml": "spliced by a fuzzer: ours goes on behind the broken lines",
    "mime_emails-raw_email4.eml": "the last boundary line lacks a dash: ours does not show it as text",
    "plain_emails-raw_email_incorrect_header.eml": "a broken line among the headers: ours still has sender and subject",
    "thirdparty-002.eml": "text labelled base64 that is none: ours leaves it as it stands",
    "thirdparty-003.eml": "a transfer encoding with a comment: ours decodes it",
    "thirdparty-005.eml": "the line end in front of the last boundary is missing: ours ends the text there",
}


def test_parts_and_texts_of_every_corpus_are_those_of_compat32() -> None:
    different = []
    paths = corpora.mails_or_skip(*CORPORA)
    for path in paths:
        raw = path.read_bytes()
        ours = [(leaf.kind, leaf.text) for leaf in compat32.ours(read(raw))]
        if ours != [(leaf.kind, leaf.text) for leaf in compat32.theirs(raw)] and path.name not in EXPLAINED:
            different.append(path.name)
    assert different == []
    assert len(paths) > 300


def test_attachments_of_every_corpus_are_those_of_compat32() -> None:
    different = []
    for path in corpora.mails_or_skip(*CORPORA):
        if path.name in EXPLAINED:
            continue
        raw = path.read_bytes()
        for ours, theirs in zip(compat32.ours(read(raw)), compat32.theirs(raw), strict=True):
            # `email` takes message/* apart and has no bytes of them.
            if not ours.kind.startswith(("text/", "message/", "multipart/")) and ours.data != theirs.data:
                different.append((path.name, ours.kind))
    assert different == []


def test_headers_of_every_corpus_are_those_of_compat32() -> None:
    different = []
    for path in corpora.mails_or_skip(*CORPORA):
        raw = path.read_bytes()
        message = read(raw)
        ours = sorted(
            (name, compat32.squeeze(value.decode("ascii")))
            for name in message.header_names
            for value in message.raw_headers(name)
            if value.isascii()
        )
        if ours != sorted(compat32.headers(raw)) and path.name not in EXPLAINED:
            different.append(path.name)
    assert different == []


@pytest.mark.parametrize("seed", [11, 12])
def test_mutants_that_both_find_in_order_are_read_alike(seed: int) -> None:
    mails = [path.read_bytes() for path in corpora.mails_or_skip(*CORPORA)]
    alike = both = 0
    for raw in mutants(mails, 1_000, seed=seed):
        message = read(raw)
        if message.defects or any(part.defects for part in email.message_from_bytes(raw).walk()):
            continue
        both += 1
        ours = [(leaf.kind, leaf.text) for leaf in compat32.ours(message)]
        alike += ours == [(leaf.kind, leaf.text) for leaf in compat32.theirs(raw)]
    assert both > 300
    # What is left are line ends of CR CR LF, empty lines in front, and encodings that ours repairs.
    assert alike / both >= 0.8
