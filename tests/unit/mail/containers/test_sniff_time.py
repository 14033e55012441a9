"""Looking at the first bytes of a file takes little time, whatever they are."""

import pytest
from postroom.mail.containers.file_type import identify

from tests.support.processor_time import takes_at_most


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"X-A: b\r\n" * 400, id="header lines that end in CR LF"),
        pytest.param(b"X-A: b\r\n c\r\n" * 300, id="folded header lines"),
        pytest.param(b"X-A: \r\r\r\r\r\r\r\n" * 200, id="header lines with many CR"),
        pytest.param(b"<!--" * 900, id="comments that are opened"),
        pytest.param(b"rem\n" * 900, id="remarks of a batch file"),
        pytest.param(b" \n" * 1_800, id="white space"),
    ],
)
def test_hostile_first_bytes_are_told_in_a_moment(head: bytes) -> None:
    assert identify(head) is None
    assert takes_at_most(0.5, lambda: identify(head))


def test_an_enclosed_mail_is_known_by_its_header() -> None:
    found = identify(b"Received: by a\r\n\twith b\r\n" * 5 + b"MIME-Version: 1.0\r\n\r\nx")
    assert found is not None
    assert found.media_type == "message/rfc822"
