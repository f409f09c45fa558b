"""Values as YAML, for messages and first configs."""

from __future__ import annotations

import sys

import yaml


def to_yaml(value: object, *, in_one_line: bool = False) -> str:
    """Return the value as YAML; each entry of a mapping is on one line, or the whole."""
    return yaml.safe_dump(
        value,
        default_flow_style=in_one_line,
        sort_keys=False,
        allow_unicode=True,
        width=sys.maxsize,
    )
