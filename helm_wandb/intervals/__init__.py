"""Differences between two runs' scores, with intervals and tests that never contradict."""

from helm_wandb.model import Interval

from .estimate import FEW_CHANGES, LEAST_CLUSTERS, LEVEL, Estimate, Noise
from .family import adjusted, overall
from .paired import paired
from .power import POWER, minimum_detectable
from .strata import PairedStratum, Stratum
from .unpaired import unpaired

__all__ = [
    "FEW_CHANGES",
    "LEAST_CLUSTERS",
    "LEVEL",
    "POWER",
    "Estimate",
    "Interval",
    "Noise",
    "PairedStratum",
    "Stratum",
    "adjusted",
    "minimum_detectable",
    "overall",
    "paired",
    "unpaired",
]
