"""An entry of `evals` that names the output of a harness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from msgspec import Struct, field

from helm_wandb.comparing.evaluations import group_values
from helm_wandb.model import EvalEntry, Place, ScoreKey
from helm_wandb.system.progress import no_progress
from helm_wandb.text.patterns import Pattern


class ReadOptions(Struct, frozen=True, kw_only=True):
    """How entries are read."""

    folder: Path
    """The folder that their paths are relative to."""
    with_details: bool = False
    """Read fingerprints and per-instance scores too, if that takes time."""
    clusters: Mapping[str, str] = field(default_factory=dict)
    """Benchmark → which of its instances depend on each other, as in `model.Policy`."""
    progress: Callable[[int, int], None] = no_progress
    """Called with the number of runs that are read, and of all, while there are many."""


class HarnessEval(Struct, frozen=True, kw_only=True):
    """A harness's output, and which of its models are read; each harness has a class of these."""

    MODEL_KEY: ClassVar[str]
    """The config's key of `model_glob`."""
    OUTPUT_KEY: ClassVar[str]
    """The config's key of `output_dir`."""

    place: Place
    places: Mapping[str, Place] = field(default_factory=dict)
    """Place of each key's value."""
    path: str
    """The entry's JSON path, `$.evals[0]`."""
    output_dir: str
    """The output folder, or an archive of it."""
    model_name: str | None = None
    model_glob: str | None = None
    """A glob over the harness's model ids."""
    token_per_iteration: float | None = None
    """Billions of tokens."""
    default_iteration: int = 0
    iteration_pattern: str | None = None
    """A regular expression for `patterns`, with one group, searched in the model id."""
    score_keys: tuple[ScoreKey, ...] = ()
    """The scores that are read; without any, every metric of every task."""

    @classmethod
    def parse(cls, entry: EvalEntry) -> Self:
        """Return the output that the entry names."""
        return cls(**cls.fields_of(entry))

    @classmethod
    def fields_of(cls, entry: EvalEntry) -> dict[str, Any]:
        """Return the fields by the entry's keys."""
        fields = entry.fields
        tokens = fields.get("token_per_iteration")
        return {
            "place": entry.place,
            "places": entry.places,
            "path": entry.path,
            "output_dir": fields[cls.OUTPUT_KEY],
            "model_name": fields.get("model_name"),
            "model_glob": fields.get(cls.MODEL_KEY),
            "token_per_iteration": None if tokens is None else float(tokens),
            "default_iteration": int(fields.get("default_iteration", 0)),
            "iteration_pattern": fields.get("iteration_pattern"),
            "score_keys": _score_keys(entry),
        }

    @property
    def pattern(self) -> Pattern | None:
        """The pattern for the iteration, if there is one."""
        return Pattern.compile(self.iteration_pattern) if self.iteration_pattern else None

    @classmethod
    def with_output(cls, fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """Return the fields of an entry that reads another output in the same way."""
        return {**fields, cls.OUTPUT_KEY: name}

    @property
    def shown(self) -> str:
        """The output, after the place of the entry if that is in a config."""
        return f"{self.place}: {self.output_dir}" if self.place.line else self.output_dir

    @classmethod
    def output_path(cls, fields: Mapping[str, Any]) -> str:
        """Return the path of the output that an entry with these fields reads."""
        return str(fields[cls.OUTPUT_KEY])

    def at(self, key: str) -> Place:
        """Return the place of the key's value, or of the entry if it lacks the key."""
        return self.places.get(key, self.place)

    def iteration(self, own: int | None) -> int:
        """Return the iteration of a checkpoint whose id names this one, or none."""
        return self.default_iteration if own is None else own

    def tokens_billions(self, own: int | None) -> float | None:
        """Return the tokens at the iteration that an id names; None if that is unknown."""
        if own is None or self.token_per_iteration is None:
            return None
        return own * self.token_per_iteration


def _score_keys(entry: EvalEntry) -> tuple[ScoreKey, ...]:
    """Return the metrics that `benchmarks` names; none if the entry lacks the key."""
    return tuple(
        ScoreKey(benchmark["name"], metric)
        for benchmark in entry.fields.get("benchmarks", ())
        for metric in benchmark["metrics"]
    )


def metrics_by_benchmark(keys: Iterable[ScoreKey]) -> dict[str, list[str]]:
    """Return the metrics of each benchmark."""
    return group_values((key.benchmark, key.metric) for key in keys)
