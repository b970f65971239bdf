"""What each part of SLOpt's forecast is worth: ``python -m studies.slopt.forecast``.

Protocol: that of `studies.slopt.study`, on seeds 400 and up, which no choice was made on: the parameters of the
forecast were chosen on seeds 0 to 3. From the trend, its margin and a patience of 4 s to forecasts by analogy, a
patience as long as a start-up, and the closed loop. *Regret* is the cost over that of the hindsight optimum.
"""

from __future__ import annotations

import argparse
from itertools import product

import pandas as pd
from joblib import Parallel, delayed

from harpagon.instances.library.slopt_pipelines import PIPELINES
from studies.slopt.study import FULL, TRACES, cell_rows, forecast_parts
from studies.slopt.tables import markdown, regret_table

SEEDS = tuple(range(400, 410))


def main() -> None:
    """Run the study and print its tables as Markdown."""
    parser = argparse.ArgumentParser(description="Parts of SLOpt's forecast")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="how many of the seeds from 400 on")
    arguments = parser.parse_args()
    systems = {**forecast_parts(), "slopt": FULL}
    cells = product(PIPELINES, TRACES, SEEDS[: arguments.seeds])
    found = Parallel(arguments.workers)(delayed(cell_rows)(*cell, systems) for cell in cells)
    rows = pd.DataFrame([row for cell in found for row in cell])
    for keys in (["pipeline", "trace"], ["pipeline"], []):
        print(f"\n{markdown(regret_table(rows, keys))}", flush=True)


if __name__ == "__main__":
    main()
