"""Configurations of other products, turned into ours."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.importers.draft import Imported
    from postroom.services.importers.ece import import_ece
    from postroom.services.importers.genesys import import_genesys
else:
    __getattr__ = lazily(
        __name__,
        {
            "draft": ["Imported"],
            "ece": ["import_ece"],
            "genesys": ["import_genesys"],
        },
    )

__all__ = [
    "Imported",
    "import_ece",
    "import_genesys",
]
