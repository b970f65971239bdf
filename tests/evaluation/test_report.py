"""The report of a gap study: what the page holds, in the source and in a browser."""

from __future__ import annotations

import csv
import html
import json
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
FIGURES = 8
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


def _in_browser(folder: Path, tmp_path: Path, script: str) -> str:
    """What ``script``, a JavaScript expression, is after the report has loaded."""
    probe = tmp_path / "probe.html"
    source = (folder / "report.html").read_text(encoding="utf-8")
    told = f"<script>addEventListener('load', () => {{ document.title = 'told ' + {script}; }});</script>"
    probe.write_text(source.replace("</body>", f"{told}</body>"), encoding="utf-8")
    assert BROWSER is not None
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    shown = subprocess.run(
        [*command, "--virtual-time-budget=10000", "--dump-dom", probe.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return html.unescape(shown.stdout.partition("<title>told ")[2].partition("</title>")[0])


@pytest.mark.skipif(BROWSER is None, reason="no headless browser is installed: the source was parsed instead")
def test_a_browser_shows_every_table_and_figure(folder: Path, tmp_path: Path) -> None:
    """Tables with a height and images that it could decode, after loading."""
    script = (
        "[...document.images].filter(one => one.naturalWidth > 100).length + ' figures ' "
        "+ [...document.querySelectorAll('table')].filter(one => one.offsetHeight > 40).length + ' tables'"
    )
    tables = len(list(folder.glob("*.md")))
    assert _in_browser(folder, tmp_path, script) == f"{FIGURES} figures {tables} tables"


@pytest.mark.skipif(BROWSER is None, reason="no headless browser is installed")
def test_workloads_are_sorted_searched_and_open_their_plans(folder: Path, tmp_path: Path, rows: list[Row]) -> None:
    script = """(() => {
      const tables = [...document.querySelectorAll("table")];
      const table = tables.find(one => one.caption.textContent.includes("workload, whole"));
      const heading = [...table.tHead.rows[0].cells].find(one => one.textContent === "harpagon");
      const names = () => [...table.tBodies[0].rows].filter(row => !row.hidden).map(row => row.cells[0].textContent);
      heading.firstChild.click();
      heading.firstChild.click();
      const falling = names();
      table.tBodies[0].rows[0].cells[heading.cellIndex].firstChild.click();
      const plans = [...table.querySelectorAll("tr.plan .plans > div")].map(one => one.textContent);
      const field = table.closest(".searched").querySelector("input");
      field.value = "Traffic a100";
      field.oninput();
      return JSON.stringify([falling, plans, names()]);
    })()"""
    falling, plans, found = json.loads(_in_browser(folder, tmp_path, script))
    mine = {(row.method, row.dispatch, row.workload): row for row in rows if row.billing == "whole"}
    gaps = {name: mine["harpagon", "tc", name].cost / mine["exact", "free", name].cost for name in falling}  # type: ignore[operator]
    shown = [round(gap, 4) for gap in gaps.values()]
    assert len(shown) == 7 and shown == sorted(shown, reverse=True)
    assert found == [name for name in falling if name.startswith("traffic") and "A100" in name] != falling
    both = [mine["harpagon", "tc", falling[0]], mine["exact", "free", falling[0]]]
    assert [row.plan in plan for row, plan in zip(both, plans, strict=True)] == [True, True]
    assert all(row.plan.count("\n") >= 1 for row in both)


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
