"""The logs of an output, and the models and tasks that they are of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from helm_wandb.errors import ArtifactError, UnknownOutputError
from helm_wandb.harness import model_ids
from helm_wandb.harness.files import Files
from helm_wandb.harness.task_output import TaskRuns
from helm_wandb.harness.walk import files_below
from helm_wandb.model import RoutineNote
from helm_wandb.sources.inspect.formats import EvalSpec, Header
from helm_wandb.sources.inspect.log_files import is_log, open_log
from helm_wandb.text.patterns import Pattern
from helm_wandb.text.safe_text import plain
from helm_wandb.text.words import join_truncated

MUST_HOLD = (
    "Give the folder of inspect's --log-dir, a .tar, .tar.gz or .zip of it, or one log "
    "(.eval or .json)."
)
_JSON_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}[-:][0-9]{2}[-:][0-9]{2}.*\.json\Z")
"""Name of a `.json` that is a log; other JSON may lie next to it."""
_MOST_FOLDERS = 3_000
_LOCAL = "/local"
"""End of the name of a model that is loaded from the folder of `model_path`."""
_WHOLE = "success"


class Log(Struct, frozen=True, kw_only=True):
    """A log, without its samples."""

    path: str
    """Empty if the output itself is the log."""
    shown: str
    """The path in messages."""
    model: str
    """The model's ID, with its revision."""
    header: Header

    @property
    def task(self) -> str:
        """The task, as Inspect calls it."""
        return self.header.eval.task

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.shown.rpartition("/")[2]

    @property
    def began(self) -> float:
        """When Inspect began it; the same of a copy that `inspect score` wrote next to it."""
        try:
            created = datetime.fromisoformat(self.header.eval.created)
        except ValueError:
            return 0.0
        return created.replace(tzinfo=created.tzinfo or UTC).timestamp()

    @property
    def age(self) -> tuple[float, int, str]:
        """Of two logs, the one with the greater age is the newer.

        `inspect score` adds `-scored`, `-scored-1` … to the name of a log.
        """
        return self.began, len(self.path), self.path

    @property
    def is_unscored(self) -> bool:
        """Whether it is of a whole run whose samples were not scored."""
        has_scores = self.header.results is not None and self.header.results.scores
        return self._has_ended and not has_scores

    @property
    def is_whole(self) -> bool:
        """Whether its scores count."""
        return self._has_ended and not self.is_unscored

    @property
    def _has_ended(self) -> bool:
        return self.header.status == _WHOLE and not self.header.invalidated

    def describe_state(self) -> str:
        """Return why its scores don't count, and what to do."""
        results = self.header.results
        of = (results.completed_samples, results.total_samples) if results else (None, None)
        samples = "" if None in of else f", with {of[0]} of {of[1]} samples"
        if self.is_unscored:
            return (
                "it has no scores: it was run with --no-score, its task has no scorer, or every "
                "sample failed. Score it (inspect score), or run it again."
            )
        if self.header.status == _WHOLE:
            return "some of its samples were invalidated. Run them again (inspect eval-retry)."
        return (
            f"its status is {self.header.status}{samples}, and only whole runs count. Finish it "
            "(inspect eval-retry)."
        )


def find_logs(files: Files, pattern: Pattern | None, *, shown_as: str) -> TaskRuns[Log]:
    """Return the newest whole log of each task of each model.

    pattern: the config's for the iteration. shown_as: the output in messages.
    Raises ArtifactError if there is no log, or none that is whole and can be read.
    """
    logs: list[Log] = []
    faults: list[str] = []
    is_known = False
    for path in _paths(files):
        is_known |= not path.endswith(".json") or _is_named(path)
        try:
            with open_log(files, path) as log:
                header = log.header()
        except ArtifactError as error:
            faults += error.lines
            continue
        model = _model_id(header.eval, pattern)
        logs.append(Log(path=path, shown=files.shown(path), model=model, header=header))
    by_model = _newest(logs)
    faults += _partial_runs(logs, by_model)
    if not by_model:
        nothing = f"{plain(shown_as)}: no log of Inspect. {MUST_HOLD}"
        raise (ArtifactError if is_known or logs else UnknownOutputError)(*(faults or [nothing]))
    return TaskRuns(by_model=by_model, faults=tuple(faults), notes=tuple(_notes(logs, by_model)))


def _paths(files: Files) -> list[str]:
    """Return the paths of all logs; the empty one if the output is a log."""
    if is_log(files):
        return [""]
    found = list(files_below(files, folders=_MOST_FOLDERS, advice=MUST_HOLD))
    return [
        folder + name
        for folder, name in found
        if name.endswith(".eval") or (name.endswith(".json") and len(found) == 1) or _is_named(name)
    ]


def _is_named(path: str) -> bool:
    """Whether a file has the name that Inspect gives to a `.json`."""
    return _JSON_NAME.match(path.rpartition("/")[2]) is not None


def _model_id(spec: EvalSpec, pattern: Pattern | None) -> str:
    """Return the model's name, with what distinguishes its checkpoint from others."""
    arguments = {name: text for name, raw in spec.model_args.items() if (text := _text(raw))}
    path = arguments.get("model_path")
    name = path if path and spec.model.endswith(_LOCAL) else spec.model
    return model_ids.model_id(name or "unnamed", arguments.get("revision", ""), arguments, pattern)


def _text(raw: msgspec.Raw) -> str:
    """Return an argument that is a text or a number; others name no model."""
    try:
        value: str | int | float = msgspec.json.decode(raw, type=str | int | float)
    except (ValueError, RecursionError):
        return ""
    return str(value)


def _newest(logs: Iterable[Log]) -> dict[str, dict[str, Log]]:
    by_model: dict[str, dict[str, Log]] = defaultdict(dict)
    for log in sorted(logs, key=lambda log: log.age):
        if log.is_whole:
            by_model[log.model][log.task] = log
    return by_model


def _partial_runs(logs: Iterable[Log], by_model: Mapping[str, Mapping[str, Log]]) -> Iterator[str]:
    """Yield a sentence on each log that isn't whole, unless a newer one is."""
    for log in logs:
        whole = by_model.get(log.model, {}).get(log.task)
        if not log.is_whole and (whole is None or whole.began < log.began):
            instead = f" Until then, the older {whole.name} counts." if whole else ""
            yield f"{log.shown}: {plain(log.describe_state())}{instead}"


def _notes(logs: Iterable[Log], by_model: Mapping[str, Mapping[str, Log]]) -> Iterator[str]:
    """Yield which logs newer ones replace, and which of these have other arguments."""
    replaced: dict[str, list[Log]] = defaultdict(list)
    newest: dict[str, Log] = {}
    for log in logs:
        whole = by_model.get(log.model, {}).get(log.task)
        if whole and whole.age > log.age:
            replaced[whole.path].append(log)
            newest[whole.path] = whole
    for path, whole in newest.items():
        arguments = whole.header.eval.task_args
        others = [log.name for log in replaced[path] if log.header.eval.task_args != arguments]
        if others:
            yield (
                f"{join_truncated(sorted(others))}: other task arguments than {whole.name}, the "
                f"newer log of {plain(whole.task)}. Only the newest one counts: give them separate "
                "folders, and an entry of evals each."
            )
    if replaced:
        names = sorted(log.name for several in replaced.values() for log in several)
        yield RoutineNote(f"Newer logs replace {join_truncated(names)}.")
