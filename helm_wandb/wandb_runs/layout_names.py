"""Names in W&B, shared by the code that writes runs and the code that reads them."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TypeGuard

from helm_wandb.model import ScoreKey
from helm_wandb.report import LONGEST_NAME

REPORT_FILE = "helm-wandb-report.json"
"""The file in the artifact of a model's report."""
MARK = "helm_wandb"
"""The key of the record in a run's summary, and of the writer's mark in its config."""
ITERATION = "iteration"
"""The x-axis that each row has."""
TOKENS = "tokens_billions"
"""The x-axis of rows whose tokens are known."""
CHANGED_ITEMS = "changed_items"
"""The key of the table of instances whose scores changed."""
VERDICT = "verdict"
REGRESSIONS = "regressions"
IMPROVEMENTS = "improvements"
MEAN_CHANGE = "mean_change"
OUTCOME = (VERDICT, REGRESSIONS, IMPROVEMENTS, MEAN_CHANGE)
"""Keys of a summary run's summary that say how the comparison of its model ended."""
SUMMARY_RUN = "summary"
"""Name and tag of a model's run of all benchmarks."""
DETAIL_TAG = "detail"
"""Tag of a model's run of one benchmark, whose name is the benchmark's."""
LEADERBOARD_RUN = "leaderboard"
"""Name, group and tag of the leaderboard's run, and the key of its table."""
MODEL = "model"
TRACK = "track"
COMMIT = "commit"
RUN_URL = "run_url"
"""Keys of a run's config that are read again."""
_RESERVED = frozenset(
    {ITERATION, TOKENS, CHANGED_ITEMS, MARK, SUMMARY_RUN, LEADERBOARD_RUN, *OUTCOME}
)
"""Keys of our own in rows and summaries, and names of our own runs."""
_PREFIX = "benchmark "
_SLUG_LIMIT = 64
_HALF = re.compile("[\ud800-\udfff]")


def digest(value: object) -> str:
    """Return 20 hex digits of the sha256 of a value as `json.dumps` writes it with sorted keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:20]


def run_id(track: str, model: str, name: str) -> str:
    """Return `helm-` and 20 hex digits of the sha256 of the JSON list [track, model, run name].

    The same three always give the same run, and no character that W&B refuses in an ID.
    """
    return f"helm-{digest([track, model, name])}"


def is_name(text: object) -> TypeGuard[str]:
    """Return whether a value that anybody may have stored can be the name of a model.

    Half of a surrogate pair, which JSON can hold, can be written nowhere else.
    """
    return isinstance(text, str) and 0 < len(text) <= LONGEST_NAME and not _HALF.search(text)


def kept_name(benchmark: str) -> str:
    """Return the name under which W&B keeps a benchmark: its own, if nothing else has that.

    W&B keeps names that begin with `_` for itself, and replaces what is logged as `_step`;
    `iteration` is ours. Such a benchmark is `benchmark _step`; a dot, which would part its name,
    is `%2E`. Different benchmarks have different names.
    """
    is_free = benchmark not in _RESERVED and not benchmark.startswith(("_", _PREFIX))
    if is_free and benchmark and "." not in benchmark:
        return benchmark
    return _PREFIX + benchmark.replace("%", "%25").replace(".", "%2E")


def score_name(key: ScoreKey) -> str:
    """Return the name that W&B shows of a score: `mmlu.EM`."""
    return f"{kept_name(key.benchmark)}.{key.metric}"


def original_name(name: str) -> str:
    """Return the benchmark that is kept under a name."""
    if not name.startswith(_PREFIX):
        return name
    return name.removeprefix(_PREFIX).replace("%2E", ".").replace("%25", "%")


def parse_score_name(name: str) -> ScoreKey | None:
    """Return the score that W&B shows by a name; None if the name can't be a score's."""
    try:
        key = ScoreKey.parse(name)
    except ValueError:
        return None
    original = ScoreKey(original_name(key.benchmark), key.metric)
    return original if is_name(original.benchmark) and is_name(key.metric) else None


def slug(text: str) -> str:
    """Return the text as part of an artifact's name or alias; equal only for equal texts.

    W&B takes letters, digits, `-`, `_` and `.` there. `branch/main` is `branch-main`; where more
    had to give way, 8 hex digits of the whole text's sha256 make it unique.
    """
    kind, slash, name = text.partition("/")
    plain = f"{kind}-{name}" if slash else text
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", plain)
    if safe == plain and "-" not in kind and len(safe) <= _SLUG_LIMIT:
        return safe
    return f"{safe[: _SLUG_LIMIT - 9]}-{digest(text)[:8]}"


def part_alias(track: str, part: str) -> str:
    """Return the alias of the last report about the same scores, of a model in a track.

    No track and no commit has it as its own alias, since no kind of track is `part`.
    """
    return f"part-of-{slug(track)}-{part}"


def report_name(model: str) -> str:
    """Return the name of the artifact that holds a model's report."""
    return f"helm-report-{slug(model)}"
