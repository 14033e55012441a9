"""Where the public mail corpora lie (beside the repository, not in it), and their files by name."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"


def folder(name: str) -> Path:
    """Return a corpus's folder; skips the calling test, naming the corpus, when it is not there."""
    path = ROOT / name
    if not path.is_dir():
        pytest.skip(f"corpus {name} is not here ({ROOT})")
    return path


def mails(*names: str) -> list[Path]:
    """Return the mails of the named corpora, sorted; for parametrising, hence empty when a corpus is missing."""
    return sorted(path for name in names for path in (ROOT / name).glob("*.eml"))


def mails_or_skip(*names: str) -> list[Path]:
    """Return the mails of the named corpora; skips the calling test when there are none."""
    for name in names:
        folder(name)
    return mails(*names)
