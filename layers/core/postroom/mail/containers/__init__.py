"""Files in files: archives, winmail.dat, RTF; and what a file is by its bytes."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.mail.containers import file_type
    from postroom.mail.containers.archives import list_archive
    from postroom.mail.containers.as_part import file_part
    from postroom.mail.containers.file_type import HEAD_BYTES, KNOWN_EXTENSIONS, identify, sniff
    from postroom.mail.containers.tnef import Tnef, is_tnef, is_tnef_stream, open_tnef
else:
    __getattr__ = lazily(
        __name__,
        {
            "archives": ["list_archive"],
            "as_part": ["file_part"],
            "file_type": ["HEAD_BYTES", "KNOWN_EXTENSIONS", "identify", "sniff"],
            "tnef": ["Tnef", "is_tnef", "is_tnef_stream", "open_tnef"],
        },
    )

__all__ = [
    "HEAD_BYTES",
    "KNOWN_EXTENSIONS",
    "Tnef",
    "file_part",
    "file_type",
    "identify",
    "is_tnef",
    "is_tnef_stream",
    "list_archive",
    "open_tnef",
    "sniff",
]
