"""Archives are listed within limits, and damage never raises."""

import gzip
import io
import random
import struct
import tarfile
import zipfile

import pytest
from postroom.mail.containers.archives import MAX_ENTRIES, list_archive


def _zip(count: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.txt", b"")
    return buffer.getvalue()


def test_a_zip_is_listed_up_to_the_limit() -> None:
    listing = list_archive(_zip(MAX_ENTRIES + 5))
    assert listing is not None
    assert len(listing.names) == MAX_ENTRIES
    assert not listing.complete


def test_a_zip_says_that_it_is_encrypted() -> None:
    data = bytearray(_zip(1))
    central = data.find(b"PK\x01\x02")
    struct.pack_into("<H", data, central + 8, 0x0001)
    listing = list_archive(bytes(data))
    assert listing is not None
    assert listing.encrypted


def test_the_name_of_the_local_header_counts_too() -> None:
    data = _zip(1).replace(b"0.txt", b"0.exe", 1)
    listing = list_archive(data)
    assert listing is not None
    assert set(listing.names) == {"0.txt", "0.exe"}


def test_a_zip_without_directory_is_read_by_its_local_headers() -> None:
    data = _zip(3)
    listing = list_archive(data[: data.find(b"PK\x01\x02")])
    assert listing is not None
    assert listing.names == ("0.txt", "1.txt", "2.txt")
    assert not listing.complete


def test_a_gzip_gives_its_original_name() -> None:
    buffer = io.BytesIO()
    with gzip.GzipFile("report.csv", "wb", fileobj=buffer) as stream:
        stream.write(b"1,2,3")
    listing = list_archive(buffer.getvalue())
    assert listing is not None
    assert listing.names == ("report.csv",)


def test_a_gzip_bomb_is_inflated_to_the_limit_only() -> None:
    listing = list_archive(gzip.compress(b"\0" * (64 << 20)))
    assert listing is not None
    assert listing.kind == "gzip"


@pytest.mark.parametrize(
    "form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT], ids=["pax", "gnu", "ustar"]
)
def test_a_tar_is_listed_with_its_long_names(form: int) -> None:
    buffer = io.BytesIO()
    name = "/".join(["folder"] * 20) + "/report.txt"
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        archive.addfile(tarfile.TarInfo(name))
        archive.addfile(tarfile.TarInfo("second.txt"))
    listing = list_archive(buffer.getvalue())
    assert listing is not None
    assert {name, "second.txt"} <= set(listing.names)
    assert listing.complete


@pytest.mark.parametrize("head", [b"Rar!\x1a\x07\x01\0", b"7z\xbc\xaf\x27\x1c", b"MSCF\0\0"], ids=["rar", "7z", "cab"])
def test_a_format_that_is_not_listed_says_that_names_are_missing(head: bytes) -> None:
    listing = list_archive(head + b"\0" * 100)
    assert listing is not None
    assert not listing.complete


def test_a_text_is_no_archive() -> None:
    assert list_archive(b"Hello") is None


def test_damage_never_raises() -> None:
    source = random.Random(4)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    for original in (_zip(20), buffer.getvalue(), plain.getvalue()):
        for _ in range(300):
            data = bytearray(original)
            for _ in range(source.randint(1, 20)):
                data[source.randrange(4, len(data))] = source.randrange(256)
            listing = list_archive(bytes(data[: source.randint(4, len(data))]))
            assert listing is None or len(listing.names) <= MAX_ENTRIES
