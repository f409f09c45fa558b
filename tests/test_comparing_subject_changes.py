"""Which subjects of a flagged benchmark moved: from the pairs to the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from helm_wandb.comparing import changed_instances
from helm_wandb.comparing.subject_changes import subject_name
from helm_wandb.comparing.verdicts import compared
from helm_wandb.model import Delta, Policy, Report
from helm_wandb.render import subjects
from helm_wandb.render.html import plots
from helm_wandb.render.html.html_report import render
from tests import builders
from tests.builders import right
from tests.test_comparing_changed_instances import partner

if TYPE_CHECKING:
    from tests.builders import Values

KEY = "mmlu.EM"
LAW, ART = "mmlu:subject=law,method=joint", "mmlu:subject=art,method=joint"
BEFORE: dict[str, Values] = {KEY: {LAW: right(50, of=50), ART: right(50, of=50)}}
WORSE = [0.0] * 30 + [1.0] * 20
AFTER: dict[str, Values] = {KEY: {LAW: WORSE, ART: [1.0] * 48 + [0.0] * 2}}


def flagged(lower: tuple[str, ...] = ()) -> Delta:
    """The delta of two subjects, of which law lost most of its answers."""
    pair = partner(AFTER, BEFORE, lower)
    (one,) = changed_instances.attach_changed_instances(compared([pair], Policy()), [pair])
    return one.deltas[0]


def report(runs: tuple[int, int] | None = None) -> Report:
    """A report of that delta, over so many runs."""
    delta = replace(flagged(), runs=runs)
    return replace(
        builders.report([builders.evaluation()]),
        comparisons=(replace(builders.comparison(), deltas=(delta,)),),
    )


def test_each_subject_has_its_change_and_interval_the_largest_first() -> None:
    """They are those of the subject's own questions."""
    law, art = flagged().subjects or ()
    assert ("subject=law.EM", "subject=art.EM") == (law.key, art.key)
    alone = partner({KEY: WORSE}, {KEY: right(50, of=50)})
    (single,) = compared([alone], Policy())[0].deltas
    assert (single.difference, single.interval, single.n) == (law.difference, law.interval, law.n)
    assert (single.baseline, single.candidate) == pytest.approx((law.baseline, law.candidate))
    assert (single.better, single.worse) == (law.better, law.worse)


def test_a_subject_has_no_verdict() -> None:
    """Nothing corrects for their number, so none is flagged, and none has a p-value."""
    assert {("untestable", None)} == {
        (one.verdict.value, one.p_adjusted) for one in flagged().subjects or ()
    }


def test_worse_is_by_the_metrics_direction() -> None:
    """If lower is better, a fall is an improvement."""
    law, _ = flagged(lower=(KEY,)).subjects or ()
    assert law.lower_is_better
    assert (law.better or 0) > (law.worse or 0)


def test_a_benchmark_without_subjects_has_none() -> None:
    """Its own change says it all."""
    pair = partner({KEY: WORSE}, {KEY: right(50, of=50)})
    (one,) = changed_instances.attach_changed_instances(compared([pair], Policy()), [pair])
    assert one.deltas[0].items
    assert one.deltas[0].subjects is None


@pytest.mark.parametrize(
    ("stratum", "name"),
    [
        ("mmlu:subject=law,method=joint", "subject=law"),
        ("mmlu:method=joint,subject=law,shots=5", "subject=law, shots=5"),
        ("arc_easy", ""),
    ],
)
def test_the_name_of_a_subject_is_the_runs_arguments(stratum: str, name: str) -> None:
    """Without the method, which all subjects share."""
    assert name == subject_name(stratum)


def test_the_table_says_that_it_is_exploratory() -> None:
    """Each subject has a row."""
    (table,) = subjects.by_subject(report())
    assert "mmlu.EM by subject" == table.title
    assert ["subject=law", "subject=art"] == [row[1] for row in table.rows]
    assert table.notes[0].startswith("Exploratory: ")


def test_subjects_of_several_runs_claim_no_noise_between_them() -> None:
    """Their intervals are those of the questions alone."""
    several = report(runs=(3, 1))
    (table,) = subjects.by_subject(several)
    (plot,) = plots.subjects(several)
    assert table.notes[0].endswith(
        " It leaves out the noise between runs, which is known only of the whole score."
    )
    assert plot.title.endswith(", without the noise between runs")
    (of_one,) = subjects.by_subject(report())
    assert "noise" not in of_one.notes[0]


def test_the_page_has_a_plot_of_the_subjects() -> None:
    """It is folded, and says that it is exploratory."""
    (plot,) = plots.subjects(report())
    assert "mmlu.EM by subject, in points; exploratory" == plot.title
    assert ["subject=law.EM", "subject=art.EM"] == [one.label for one in plot.whiskers]
    assert "Changes by subject" in render(report())
