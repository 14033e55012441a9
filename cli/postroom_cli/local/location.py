"""Where the template is that the local runner runs."""

from __future__ import annotations

from pathlib import Path

from postroom.errors import NotFound


def find_template(given: Path | None = None) -> Path:
    """Return the template: the one given, else `template.yaml` here, else the one of this source tree."""
    own_tree = Path(__file__).resolve().parents[3]
    candidates = [given] if given else [Path("template.yaml"), own_tree / "template.yaml"]
    for path in candidates:
        if path.is_file():
            return path
    raise NotFound(
        "There is no template",
        on=str(candidates[0]),
        remedy="Run it in a clone of the repository, or name the file with --template.",
    )
