"""Hiding card numbers and other secrets in what is stored, shown and sent."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.rules.masking import mask
    from postroom.rules.masking.kinds import KINDS
    from postroom.rules.masking.mask import (
        Compiled,
        Masked,
        MaskingRule,
        compile_patterns,
        mask_html,
        mask_name,
        mask_text,
        rule_of,
    )
    from postroom.rules.masking.outbound import mask_outbound, mask_written_html
else:
    __getattr__ = lazily(
        __name__,
        {
            "kinds": ["KINDS"],
            "mask": [
                "Compiled",
                "Masked",
                "MaskingRule",
                "compile_patterns",
                "mask_html",
                "mask_name",
                "mask_text",
                "rule_of",
            ],
            "outbound": ["mask_outbound", "mask_written_html"],
        },
    )

__all__ = [
    "KINDS",
    "Compiled",
    "Masked",
    "MaskingRule",
    "compile_patterns",
    "mask",
    "mask_html",
    "mask_name",
    "mask_outbound",
    "mask_text",
    "mask_written_html",
    "rule_of",
]
