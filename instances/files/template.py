"""A commented instance file to start from, and the JSON Schema of the format for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harpagon.instances.errors import InputError
from harpagon.instances.files.schema import InstanceFile
from harpagon.instances.files.writing import write_text

TEMPLATE = """\
# An instance of harpagon. Plan it with `harpagon plan FILE`; docs/planning.md explains every key.
# `harpagon instances schema > schema.json` writes a schema for editors that complete and check YAML.
format: harpagon-instance/1
name: my-pipeline
description: What is served, and where the figures come from.
billing: whole                  # whole machines; fractional: the last machine of a module by its share in use;
                                # shared: whole machines that may host several modules

hardware:                       # machine types that can be rented
  V100:
    price_per_hour: 3.06        # dollars for one machine
    limit: 8                    # machines there are; leave out where there are always more
    # bundle: 8                 # sold in multiples only, such as the 8 of a node
    # memory_gb: 32             # of one machine
  T4:
    price_per_hour: 0.526

profiles:                       # model -> hardware -> batch size -> milliseconds for one batch; replace by your own
  detector:
    V100: {1: 35.3, 8: 129.4, 32: 492.2}
    T4: {1: 51.9, 8: 195.5, 32: 794.5}
  classifier:
    V100: {1: 12.8, 8: 13.7, 64: 23.2}
    T4:
      1: 13.0
      8: {mean_ms: 12.8, p99_ms: 13.4}   # several runs: planned at the largest quantile, capacity from the mean
  # chat:
  #   V100: {capacity: [{rate_rps: 4, latency_ms: 900}]}   # a server that batches by itself: what one machine carries

pipelines:
  - name: main
    rate_rps: 100               # requests per second that arrive at every module without an incoming edge
    slo_ms: 500                 # allowed on every path from such a module to a last one
    # burst: 1                  # requests that may arrive at once
    # spare: 0                  # machines of every module that may be lost without a result that is late
    modules:
      find: {model: detector}
      name: {model: classifier} # join: all (default) waits for all inputs, join: any takes each input as a request
    edges:
      - {from: find, to: name, fanout: 1.4, transfer_ms: 2}   # 1.4 requests of `name` per request of `find`
"""


def write_template(path: Path) -> None:
    """Write the commented instance into a new file.

    Raises
    ------
    InputError
        Where the file exists, or is named as if it were JSON, which has no comments.
    MachineError
        Where it cannot be written.
    """
    if path.suffix.lower() == ".json":
        raise InputError(str(path), "", "is the name of a JSON file, which has no comments", "End it in .yaml")
    if path.exists():
        raise InputError(str(path), "", "there is such a file already", "Give another name")
    write_text(path, TEMPLATE)


def instance_schema() -> dict[str, Any]:
    """JSON Schema of ``harpagon-instance/1``: kinds, ranges and keys; the reader checks more, such as cycles."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **InstanceFile.model_json_schema(by_alias=True),
        "title": "harpagon-instance/1",
    }
