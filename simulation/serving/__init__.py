"""A plan served for real on this machine: workers over loopback, the simulator's dispatchers, an open-loop client.

`run.serve_plan` runs it and measures. `http` and `kserve` carry requests (KServe v2, on 127.0.0.1 only), `machines` are
the workers, `modules` makes batches as planned, `pipelines` paces requests through a graph, `client` sends them.
"""

from harpagon.simulation.serving.report import ServingReport, Verdict
from harpagon.simulation.serving.run import serve_plan

__all__ = ["ServingReport", "Verdict", "serve_plan"]
