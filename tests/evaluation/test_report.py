"""The report of a gap study: what the page holds, in the source and in a browser."""

from __future__ import annotations

import csv
import shutil
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from harpagon.cli import main
from harpagon.cli.exits import ExitCode
from harpagon.evaluation.gaps.comparison import cost_ratios, largest_gaps, order_losses
from harpagon.evaluation.gaps.features import features
from harpagon.evaluation.report.html_page import paragraph, table
from harpagon.evaluation.sweep.rows import RowFile
from harpagon.instances.library.suites import suite_workloads

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.evaluation.sweep.rows import Row

METHODS = "harpagon,harpagon+,nexus,scrooge,inferline,clipper,harp-1c,harp-0re,plus-tc"
FIGURES = 6
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Report on every two-hundredth workload of the suite `paper`, and one on which TC order loses."""
    where = tmp_path_factory.mktemp("report")
    names = [*(workload.name for workload in suite_workloads("paper")[::200]), "traffic-63rps-112ms-V100+A100"]
    suites = [part for name in names for part in ("--suite", name)]
    assert main(["gap", *suites, "--methods", METHODS, "--report", str(where)]) == ExitCode.DONE
    return where


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[Row]:
    """Rows that the report is made from."""
    return list(RowFile(folder / "rows.jsonl").read().values())


class _Page(HTMLParser):
    """Tables and images of a page, and every address it refers to."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tables = 0
        self.images: list[tuple[str, str]] = []
        self.addresses: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tables += tag == "table"
        if tag == "img":
            self.images.append((given.get("alt") or "", given.get("src") or ""))
        self.addresses += [given[name] or "" for name in ("src", "href") if name in given]


def test_the_page_holds_every_table_and_figure_and_needs_no_network(folder: Path) -> None:
    page = _Page((folder / "report.html").read_text(encoding="utf-8"))
    written = {path.stem for path in folder.glob("*.md")}
    assert {"claims", "methods-whole", "methods-fractional", "over-harpagon-whole", "order-whole"} <= written
    assert page.tables == len(written)
    assert len(page.images) == len(list(folder.glob("*.svg"))) == FIGURES
    assert all(alt for alt, _ in page.images)
    assert all(address.startswith("data:image/svg+xml;base64,") for address in page.addresses)


@pytest.mark.skipif(BROWSER is None, reason="no headless browser is installed: the source was parsed instead")
def test_a_browser_shows_every_table_and_figure(folder: Path, tmp_path: Path) -> None:
    """The page as the browser holds it after loading, with the size of every image it could decode."""
    probe = tmp_path / "probe.html"
    script = (
        "<script>addEventListener('load', () => { document.title = 'loaded ' "
        "+ [...document.images].filter(one => one.naturalWidth > 100).length + ' figures ' "
        "+ [...document.querySelectorAll('table')].filter(one => one.offsetHeight > 40).length + ' tables' });</script>"
    )
    source = (folder / "report.html").read_text(encoding="utf-8")
    probe.write_text(source.replace("</body>", f"{script}</body>"), encoding="utf-8")
    assert BROWSER is not None
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    shown = subprocess.run(
        [*command, "--virtual-time-budget=10000", "--dump-dom", probe.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    tables = len(list(folder.glob("*.md")))
    assert f"<title>loaded {FIGURES} figures {tables} tables</title>" in shown.stdout


def test_ratios_are_costs_over_harpagons(folder: Path, rows: list[Row]) -> None:
    ratio = next(one for one in cost_ratios(rows) if (one.billing, one.method) == ("whole", "scrooge"))
    costs = {(row.method, row.workload): row.cost for row in rows if row.billing == "whole"}
    ratios = [
        cost / other
        for (method, workload), cost in costs.items()
        if method == "scrooge" and cost and (other := costs["harpagon", workload])
    ]
    assert (ratio.compared, ratio.missing) == (len(ratios), 7 - len(ratios))
    assert (ratio.smallest, ratio.largest) == (min(ratios), max(ratios))
    assert ratio.mean == pytest.approx(sum(ratios) / len(ratios))
    with (folder / "over-harpagon-whole.csv").open(encoding="utf-8") as file:
        line = next(record for record in csv.DictReader(file) if record["method"] == "scrooge")
    assert line["mean"] == f"{ratio.mean:.3f}"


def test_order_losses_and_gaps_name_the_worst_first(rows: list[Row]) -> None:
    losses = order_losses(rows)
    assert len(losses) == 2 * 7
    assert (losses[0].workload, losses[0].billing) == ("traffic-63rps-112ms-V100+A100", "whole")
    assert losses[0].loss == pytest.approx(0.0783, abs=1e-4)
    gaps = [one.gap for one in largest_gaps(rows, "harpagon", 50)]
    assert gaps == sorted(gaps, reverse=True)
    assert all(gap > 0 for gap in gaps)


def test_features_follow_from_the_name() -> None:
    found = features("traffic-200rps-355ms-V100+A100")
    assert found is not None
    assert (found.application, found.rate, found.slo) == ("traffic", 200.0, 0.355)
    assert found.tightness > 1
    assert features("worked-example") is None


def test_text_is_escaped() -> None:
    assert paragraph("a < `b & c`") == "<p>a &lt; <code>b &amp; c</code></p>"
    assert "<script>" not in table("<script>", ("<script>",), [("<script>",)])
