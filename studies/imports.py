"""Results that others published, imported: ``python -m studies.imports FOLDER``.

Under FOLDER lie clones of the repositories below, each as OWNER/NAME at the commit named. Their files are read where
they lie, since they are not this project's to ship. The command prints digest and verdicts of every file, and exits
with 1 where a digest or a number of used rows is another than the one written here.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harpagon.instances.measurements.readers import read_measurements
from harpagon.instances.measurements.request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

_LLM_K8S = "surajssd/llm-k8s", "58b61c5", "Apache-2.0"
_LLM_RUN = "results_serving_meta-llama-Llama-3.3-70B-Instruct/01_tp8_pp1/"
_SERVING = f"{_LLM_RUN}serving_meta-llama-Llama-3.3-70B-Instruct_tp8_pp1_sharegpt_qps_"
_H200 = "datacrunch-research/h200-benchmarks", "c091ef5", "MIT"
_ANALYZER = "triton-inference-server/model_analyzer", "63a0fec", "Apache-2.0"
_TIMM = "huggingface/pytorch-image-models", "aa4b585", "Apache-2.0"


@dataclass(frozen=True, slots=True)
class Published:
    """A file in a repository (its name, commit and licence), its digest, the request, and how many rows are used."""

    repository: tuple[str, str, str]
    path: str
    digest: str
    form: str
    request: Request
    used: int
    rows: int


FILES = (
    Published(_LLM_K8S, f"{_SERVING}01.json", "f7e4986308d4fd07", "vllm", Request("llama"), 1, 1),
    Published(_LLM_K8S, f"{_SERVING}04.json", "4c9ece53c18d9fb0", "vllm", Request("llama"), 0, 1),
    Published(_LLM_K8S, f"{_SERVING}16.json", "6d4a5f649bc53b3b", "vllm", Request("llama"), 0, 1),
    Published(_LLM_K8S, f"{_SERVING}inf.json", "ca48cb6604ef05bf", "vllm", Request("llama"), 0, 1),
    Published(_LLM_K8S, f"{_LLM_RUN}benchmark_results.json", "ac1185369a7a0e50", "vllm", Request("llama"), 0, 4),
    Published(
        _H200,
        "sglang/outputs/llama_3_3_70b_online_output.jsonl",
        "fe6271824a47e806",
        "vllm",
        Request("llama", workload="random"),
        0,
        7,
    ),
    Published(
        _H200,
        "sglang/outputs/llama_3_3_70b_online_output.jsonl",
        "fe6271824a47e806",
        "vllm",
        Request("llama", workload="sharegpt"),
        0,
        7,
    ),
    Published(
        _ANALYZER,
        "tests/common/multi-model-ckpt/golden-metrics-model-inference.csv",
        "d51025bc6d69323c",
        "model-analyzer",
        Request("resnet50_libtorch,vgg19_libtorch"),
        0,
        12,
    ),
    Published(
        _ANALYZER,
        "tests/common/ensemble-ckpt/golden-metrics-model-inference.csv",
        "8c488b8dfc696df2",
        "model-analyzer",
        Request("ensemble_add_sub"),
        0,
        21,
    ),
    Published(
        _TIMM,
        "results/benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv",
        "3ead09bcdd508312",
        "timm",
        Request("resnet50"),
        4,
        4,
    ),
    Published(
        _TIMM,
        "results/benchmark-infer-amp-nchw-pt291-cu130-5090.csv",
        "6e1260e7fa846cb4",
        "timm",
        Request("resnet50"),
        4,
        4,
    ),
    Published(
        _H200,
        "sglang/outputs/llama_3_3_70b_offline_output.jsonl",
        "252414c77a68513a",
        "vllm",
        Request("llama", workload="random 1024 1024"),
        0,
        7,
    ),
    Published(
        _ANALYZER,
        "tests/common/single-model-ckpt/golden-metrics-model-inference.csv",
        "5843af64db50716a",
        "model-analyzer",
        Request("add_sub"),
        0,
        16,
    ),
    Published(
        _ANALYZER,
        "tests/common/request-rate-ckpt/golden-metrics-model-inference.csv",
        "b730665e89fc1003",
        "model-analyzer",
        Request("add_sub"),
        0,
        34,
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read every file and compare."""
    parser = argparse.ArgumentParser(prog="python -m studies.imports", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of OWNER/NAME clones")
    folder = parser.parse_args(arguments).folder
    as_written = [_is_as_written(file, folder) for file in FILES]
    return int(not all(as_written))


def _is_as_written(file: Published, folder: Path) -> bool:
    path = folder / file.repository[0] / file.path
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    verdicts = read_measurements(file.form, path, file.request)
    print(f"{'/'.join(file.repository)} {file.path}: {file.form}, sha256 {digest[:16]}")
    for verdict in verdicts:
        print(f"  {verdict.place}, {verdict.what}: {verdict.point or 'refused'}, {verdict.why}")
    used = sum(verdict.used for verdict in verdicts)
    print(f"  {used} of {len(verdicts)} used")
    return digest.startswith(file.digest) and (used, len(verdicts)) == (file.used, file.rows)


if __name__ == "__main__":
    sys.exit(main())
