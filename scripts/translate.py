"""Print template.yaml as SAM translates it, as JSON. Runs in .venv-sam, which has the translator."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from samcli.yamlhelper import yaml_parse  # type: ignore[import-not-found]  # only in .venv-sam
from samtranslator.translator.transform import transform  # type: ignore[import-not-found]  # only in .venv-sam


def local_code(template: dict[str, Any]) -> dict[str, Any]:
    """Point code at a bucket, as packaging would: the translator refuses local folders."""
    for resource in template["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = "s3://bucket/key"
    return template


def main() -> None:
    """Translate the file given as the first argument."""
    template = local_code(yaml_parse(Path(sys.argv[1]).read_text("utf-8")))
    no_managed_policies = SimpleNamespace(load=dict)
    json.dump(transform(template, {}, no_managed_policies), sys.stdout)


if __name__ == "__main__":
    main()
