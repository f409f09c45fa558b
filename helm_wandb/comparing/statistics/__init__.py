"""Differences between two runs' scores, with intervals and tests that never contradict."""

from .estimate import Estimate
from .family import adjusted, adjusted_families, overall
from .paired import paired
from .power import minimum_detectable
from .repeats import Sides, average_runs
from .single import mean_interval, standard_error
from .strata import PairedStratum, Stratum, difference
from .unpaired import unpaired

__all__ = [
    "Estimate",
    "PairedStratum",
    "Sides",
    "Stratum",
    "adjusted",
    "adjusted_families",
    "average_runs",
    "difference",
    "mean_interval",
    "minimum_detectable",
    "overall",
    "paired",
    "standard_error",
    "unpaired",
]
