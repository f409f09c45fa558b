"""The config that `init` writes."""

from __future__ import annotations

from textwrap import indent

SCHEMA_URL = (
    "https://raw.githubusercontent.com/org/helm-wandb-action/main/schema/config.schema.json"
)
"""The schema's `$id`, by which editors find it."""
_HEAD = f"""\
# yaml-language-server: $schema={SCHEMA_URL}
#
# The W&B project that the runs go to; it is made where there is none.
project: helm-evaluations
# leaderboard: true  # rank the models that the project holds, too, and record that
evals:
"""


def first_config(entry: str) -> str:
    """Return a config with this entry of `evals`, which is YAML."""
    return f"{_HEAD}  - {indent(entry, '    ')[len('    ') :]}"
