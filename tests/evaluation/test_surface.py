"""The comparison as a surface: bands, ratios and the headline against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harpagon.evaluation.gaps.features import features
from harpagon.evaluation.gaps.surface import RATE, SPREAD, TIGHTNESS, Ratio, cells, common_rows, headline, ratios
from harpagon.evaluation.plotting.surface import surface_figure
from harpagon.evaluation.report.surface_tables import headline_table, readings_table, surface_table
from harpagon.evaluation.sweep.rows import Row
from harpagon.heuristics.baselines.readings import READINGS
from harpagon.instances.library.suites import suite_workloads

WORKLOADS = [workload.name for workload in suite_workloads("paper")[::160]]
PLAIN = Row("", "", "", "", "whole", "tc", "feasible", 1.0, None, 0.0, 0.0, 1, "0", "")


def row(workload: str, method: str, cost: float | None) -> Row:
    return replace(PLAIN, workload=workload, instance=workload, method=method, cost=cost)


def grown(factor: float, unplanned: str = "") -> list[Row]:
    """Harpagon at 2, the k-th reading at 2 + k x factor; the last reading does not plan ``unplanned``."""
    rows = [row(name, "harpagon", 2.0) for name in WORKLOADS]
    for k, method in enumerate(READINGS):
        missing = unplanned if method == READINGS[-1] else None
        rows += [row(name, method, None if name == missing else 2 + k * factor) for name in WORKLOADS]
    return rows


def test_bands_hold_every_value_once() -> None:
    known = features(WORKLOADS[0])
    assert known is not None
    for rate, band in ((10.0, 0), (49.9, 0), (50.0, 1), (999.0, 3), (1000.0, 4), (5000.0, 4)):
        assert RATE.band(replace(known, rate=rate)) == band
    assert RATE.labels == ("below 50", "50 to 150", "150 to 400", "400 to 1000", "from 1000")


def test_spread_is_the_dearest_price_over_the_cheapest() -> None:
    near, far = features("traffic-200rps-355ms-V100+A100"), features("traffic-200rps-355ms-T4+A100")
    assert near is not None and far is not None
    assert near.price_spread == pytest.approx(4.10 / 3.06)
    assert far.price_spread == pytest.approx(4.10 / 0.526)


def test_a_workload_that_one_system_cannot_plan_is_left_out_for_all() -> None:
    kept, left_out = common_rows(grown(0.5, unplanned=WORKLOADS[0]))
    assert left_out == 1
    assert {one.workload for one in kept} == set(WORKLOADS[1:])
    assert all(len(found) == len(WORKLOADS) - 1 for found in ratios(kept).values())
    caption = headline_table(grown(0.5, unplanned=WORKLOADS[0]), "whole").caption
    assert f"{len(WORKLOADS) - 1} workloads" in caption and "1 left out" in caption


def test_the_claim_stands_beside_a_column_per_reading() -> None:
    rows = grown(0.5, unplanned=WORKLOADS[0])
    table = readings_table([*rows, *(replace(one, billing="fractional") for one in rows if one.method != "nexus")])
    assert table.headings == ("", "the paper's abstract", *READINGS)
    lines = {line[0]: line[1:] for line in table.rows}
    assert lines["whole billing: mean"] == ("1.49 to 2.37", *(f"{1 + 0.25 * k:.2f}" for k in range(len(READINGS))))
    assert lines["fractional billing: mean"][1:3] == ("-", "1.25")
    assert set(lines["whole billing: workloads, left out"][1:]) == {f"{len(WORKLOADS) - 1}, 1"}
    assert readings_table([one for one in rows if one.method == "harpagon"]).rows == []


def test_methods_that_are_no_system_leave_nothing_out() -> None:
    rows = [*grown(0.5), *(row(name, "harp-nd", None) for name in WORKLOADS)]
    assert common_rows(rows)[1] == 0


def test_headline_by_hand() -> None:
    one = headline([Ratio(cost, None) for cost in (1.0, 1.0, 1.49, 2.0, 2.37, 3.14)])
    assert (one.mean, one.median) == (pytest.approx(11.0 / 6), pytest.approx(1.745))
    assert (one.below, one.within, one.above) == (pytest.approx(2 / 6), pytest.approx(3 / 6), pytest.approx(1 / 6))


def test_ratios_are_over_harpagon_and_cells_hold_each_workload_once() -> None:
    found = ratios(grown(0.5))
    assert list(found) == list(READINGS)
    for k, mine in enumerate(found.values()):
        assert {one.cost for one in mine} == {1 + 0.25 * k}
        assert sum(map(len, cells(mine, RATE, TIGHTNESS, SPREAD).values())) == len(WORKLOADS)


def test_tables_and_figure_have_a_line_per_reading_and_a_panel_per_system_and_spread() -> None:
    rows = grown(0.5)
    assert [line[0] for line in headline_table(rows, "whole").rows] == list(READINGS)
    table = surface_table(rows, "whole")
    assert all(len(line) == len(table.headings) for line in table.rows)
    assert all(set(line[1:]) <= {"-", f"{1 + 0.25 * k:.2f}"} for k, line in enumerate(table.rows))
    figure = surface_figure(rows)
    assert figure is not None
    titles = [axis.get_title() for axis in figure.axes]
    assert [title for title in titles if title] == ["nexus", "scrooge", "inferline", "clipper"]


def test_instances_without_features_have_no_surface() -> None:
    rows = [row("mine", "harpagon", 1.0), row("mine", "nexus", 2.0)]
    assert surface_figure(rows) is None
    assert surface_table(rows, "whole").rows == []
    assert headline_table(rows, "whole").rows[0][:2] == ("nexus", "2.000")
