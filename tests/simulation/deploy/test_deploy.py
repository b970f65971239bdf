"""Deployments: fields equal to the plan and never longer, refusals with a command that works, files others accept."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from harpagon.cli import main
from harpagon.cli.exits import ExitCode
from harpagon.instances.errors import InputError, MachineError
from harpagon.instances.files.instances import from_document
from harpagon.instances.library.shipped import resolve
from harpagon.instances.policies import Billing, Dispatch
from harpagon.simulation.deploy import TARGETS, deployment_files, write_deployment
from harpagon.simulation.deploy.tuples import microseconds, served_tuples, slug
from harpagon.solvers.methods import solve

if TYPE_CHECKING:
    from harpagon.instances.plan import Plan

CASES = {
    "triton": ("harp-1c", Dispatch.TC),
    "ray": ("inferline", Dispatch.ROUND_ROBIN),
    "k8s": ("exact", Dispatch.ROUND_ROBIN),
}
INSTANCES = ("traffic-198rps", "pose-700rps-60ms", "ocr-2cores")


def planned(
    name: str, method: str = "exact", dispatch: Dispatch | None = None, billing: Billing = Billing.WHOLE
) -> Plan:
    plan = solve(resolve(name), method, billing, dispatch).plan
    assert plan is not None
    return plan


def files_for(target: str, name: str) -> tuple[Plan, dict[str, str]]:
    plan = planned(name, *CASES[target])
    return plan, deployment_files(resolve(name), plan, TARGETS[target])


def cases(target: str) -> list[str]:
    """Shipped instances that the method of a target can plan."""
    return [name for name in INSTANCES if solve(resolve(name), CASES[target][0], Billing.WHOLE, CASES[target][1]).plan]


@pytest.mark.parametrize("name", cases("triton"))
def test_triton_has_the_batch_the_wait_and_the_machines_of_the_plan(name: str) -> None:
    plan, files = files_for("triton", name)
    gpus: dict[str, list[int]] = {}
    for part in served_tuples(resolve(name), plan):
        text = files[f"{slug(part.hardware)}/{slug(part.module)}/config.pbtxt"]
        assert f"max_batch_size: {part.batch}\n" in text
        found = re.search(r"max_queue_delay_microseconds: (\d+)", text)
        _assert_wait(part, int(found[1]) / 1e6 if found else 0.0)
        devices = re.search(r"gpus: \[ (.*) \]", text)
        if devices:
            numbers = [int(number) for number in devices[1].split(",")]
            assert len(numbers) == part.machines
            gpus.setdefault(part.hardware, []).extend(numbers)
        else:
            assert f"count: {part.machines} kind: KIND_CPU" in text
    assert all(sorted(numbers) == list(range(len(numbers))) for numbers in gpus.values()), "no GPU twice"


def _assert_wait(part: Any, seconds: float) -> None:
    """Within a microsecond of the plan, and never longer."""
    wait = 0.0 if part.batch == 1 else part.bound - part.duration
    assert seconds <= wait + 1e-12
    assert wait - seconds <= 1e-6


@pytest.mark.parametrize("name", cases("ray"))
def test_ray_has_the_batch_the_wait_and_the_replicas_of_the_plan(name: str) -> None:
    plan, files = files_for("ray", name)
    (application,) = yaml.safe_load(files["serve.yaml"])["applications"]
    for part, deployment in zip(served_tuples(resolve(name), plan), application["deployments"], strict=True):
        assert deployment["name"] == slug(part.module)
        assert deployment["num_replicas"] == part.machines
        assert deployment["user_config"]["max_batch_size"] == part.batch
        _assert_wait(part, deployment["user_config"]["batch_wait_timeout_s"])
        assert deployment["max_ongoing_requests"] > 2 * part.batch
        assert "RoundRobin" in deployment["request_router_config"]["request_router_class"]


@pytest.mark.parametrize("name", cases("k8s"))
def test_kubernetes_has_one_deployment_a_tuple(name: str) -> None:
    plan, files = files_for("k8s", name)
    documents = [doc for path, text in files.items() if path.endswith(".yaml") for doc in yaml.safe_load_all(text)]
    deployments = [document for document in documents if document["kind"] == "Deployment"]
    parts = served_tuples(resolve(name), plan)
    assert len(deployments) == len(parts)
    for part, deployment in zip(parts, deployments, strict=True):
        assert deployment["spec"]["replicas"] == part.machines
        pod = deployment["spec"]["template"]["spec"]
        assert list(pod["nodeSelector"].values()) == [slug(part.hardware)]
        (container,) = pod["containers"]
        limits = container["resources"]["limits"]
        assert limits == ({"cpu": str(part.cores)} if part.cores else {"nvidia.com/gpu": "1"})
        environment = {item["name"]: item["value"] for item in container["env"]}
        assert environment["MAX_BATCH_SIZE"] == str(part.batch)
        _assert_wait(part, int(environment["MAX_QUEUE_DELAY_MICROSECONDS"]) / 1e6)


def renamed(**names: str) -> Any:
    """A fork of two models on two hardware types, under the names given."""
    one, other, big, small = (names.get(key, key) for key in ("one", "other", "big", "small"))
    document = {
        "format": "harpagon-instance/1",
        "name": "names",
        "hardware": {big: {"price_per_hour": 2}, small: {"price_per_hour": 1}},
        "profiles": {"a": {big: {"1": 10}}, "b": {small: {"1": 10}}},
        "pipelines": [
            {
                "name": names.get("pipeline", "p"),
                "rate_rps": 50,
                "slo_ms": 200,
                "modules": {one: {"model": "a"}, other: {"model": "b"}},
                "edges": [{"from": one, "to": other}],
            }
        ],
    }
    return from_document(document, "names.yaml")


@pytest.mark.parametrize("target", list(TARGETS))
@pytest.mark.parametrize(
    "names",
    [
        {"one": "a b", "other": "A-b"},
        {"one": "x" * 70 + "1", "other": "x" * 70 + "2"},
        {"big": "A100 80GB", "small": "a100/80gb"},
        {"one": "é"},
        {"pipeline": "2nd"},
    ],
)
def test_names_that_become_one_or_none_are_refused(target: str, names: dict[str, str]) -> None:
    dispatch = CASES[target][1]
    for chosen, refuses in (({"big": "8xH100"}, False), (names, True)):
        instance = renamed(**chosen)
        plan = solve(instance, "exact", Billing.WHOLE, dispatch).plan
        assert plan is not None
        if refuses:
            with pytest.raises(InputError, match="Rename"):
                deployment_files(instance, plan, TARGETS[target])
        else:
            assert len(deployment_files(instance, plan, TARGETS[target])) > 1


def test_the_readme_has_every_bound() -> None:
    plan, files = files_for("triton", "pose-700rps-60ms")
    for part in served_tuples(resolve("pose-700rps-60ms"), plan):
        assert f"| {part.module} | {part.machines} x {part.hardware} | {part.batch} |" in files["README.md"]
        assert f"{part.bound * 1e3:.6g} ms" in files["README.md"]


@pytest.mark.parametrize(("seconds", "whole"), [(0.0353, 35300), (0.19549, 195490), (1.4999e-6, 1), (9.99e-7, 0)])
def test_times_are_rounded_down(seconds: float, whole: int) -> None:
    assert microseconds(seconds) == whole


REFUSALS = {
    "triton, round-robin": ("triton", "traffic-198rps", "exact", Dispatch.ROUND_ROBIN, Billing.WHOLE, "keeps"),
    "triton, several tuples": ("triton", "pose-700rps-60ms", "exact", Dispatch.TC, Billing.WHOLE, "2 tuples"),
    "triton, a residual": ("triton", "traffic-198rps", "exact", Dispatch.TC, Billing.FRACTIONAL, "in part"),
    "ray, a shared queue": ("ray", "traffic-198rps", "harp-1c", Dispatch.TC, Billing.WHOLE, "2 d"),
    "ray, several tuples": ("ray", "two-tuples", "exact", Dispatch.ROUND_ROBIN, Billing.WHOLE, "tuples"),
    "k8s, a shared queue": ("k8s", "traffic-198rps", "exact", Dispatch.TC, Billing.WHOLE, "2 d"),
    "k8s, a residual": ("k8s", "worked-example", "nexus", Dispatch.ROUND_ROBIN, Billing.FRACTIONAL, "in part"),
}
TWO_TUPLES = """
format: harpagon-instance/1
name: two-tuples
hardware: {big: {price_per_hour: 4}, small: {price_per_hour: 1}}
profiles: {m: {big: {8: 80}, small: {1: 50}}}
pipelines: [{name: p, rate_rps: 110, slo_ms: 200, modules: {m: {model: m}}}]
"""


@pytest.mark.parametrize("label", REFUSALS)
def test_a_plan_of_another_policy_is_refused_with_a_command_that_works(
    label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    target, name, method, dispatch, billing, word = REFUSALS[label]
    monkeypatch.chdir(tmp_path)
    if name == "two-tuples":
        name = "two-tuples.yaml"
        Path(name).write_text(TWO_TUPLES)
    plan = ["plan", name, "--method", method, "--dispatch", str(dispatch), "--billing", str(billing)]
    assert main([*plan, "--out", "plan.json"]) == ExitCode.DONE
    capfd.readouterr()
    deploy = ["deploy", name, "plan.json", "--target", target, "--out", "files"]
    assert main(deploy) == ExitCode.USAGE
    message = capfd.readouterr().err
    assert word in message and not Path("files").exists()
    command = re.search(r"`harpagon ([^`]*)`", message)
    assert command is not None
    assert main(command[1].split()) == ExitCode.DONE
    assert main(deploy) == ExitCode.DONE
    assert Path("files/README.md").exists()


def test_a_plan_that_fails_the_check_is_not_deployed(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert main(["plan", "traffic-198rps", "--method", "harp-1c", "--out", str(plan)]) == ExitCode.DONE
    plan.write_text(plan.read_text().replace('"machines": 5', '"machines": 4'))
    deploy = ["deploy", "traffic-198rps", str(plan), "--target", "triton", "--out", str(tmp_path / "files")]
    assert main(deploy) == ExitCode.CHECK_FAILED


def test_a_bound_below_what_the_target_keeps_is_refused() -> None:
    plan = planned("traffic-198rps", "harp-1c", Dispatch.TC)
    (pipeline,) = plan.pipelines
    module = pipeline.modules["detect"]
    short = tuple(latency - 1e-3 for latency in module.tuple_latencies)
    modules = {**pipeline.modules, "detect": replace(module, tuple_latencies=short)}
    other = replace(plan, pipelines=(replace(pipeline, modules=modules),))
    with pytest.raises(InputError, match=r"detect: claims .* ms with batches of 8, triton keeps"):
        deployment_files(resolve("traffic-198rps"), other, TARGETS["triton"])


CAPACITY = """
format: harpagon-instance/1
name: variants
hardware: {A: {price_per_hour: 10}, B: {price_per_hour: 6}}
profiles:
  llm: {A: {capacity: [{rate_rps: 200, latency_ms: 900}]}, B: {capacity: [{rate_rps: 100, latency_ms: 950}]}}
pipelines: [{name: chat, rate_rps: 300, slo_ms: 1000, modules: {llm: {model: llm}}}]
"""


def test_servers_that_batch_by_themselves_are_pods_under_any_policy(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    instance, plan, out = (str(tmp_path / name) for name in ("i.yaml", "plan.json", "out"))
    Path(instance).write_text(CAPACITY)
    assert main(["plan", instance, "--out", plan]) == ExitCode.DONE
    for target in ("triton", "ray"):
        assert main(["deploy", instance, plan, "--target", target, "--out", out]) == ExitCode.USAGE
        assert "--target k8s" in capfd.readouterr().err
    assert main(["deploy", instance, plan, "--target", "k8s", "--out", out]) == ExitCode.DONE
    documents = list(yaml.safe_load_all(Path(out, "chat-llm.yaml").read_text()))
    found = {item["metadata"]["name"]: item["spec"]["replicas"] for item in documents if item["kind"] == "Deployment"}
    assert found == {"chat-llm-a-200rps": 1, "chat-llm-b-100rps": 1}
    assert "MAX_BATCH_SIZE" not in Path(out, "chat-llm.yaml").read_text()
    assert "its own" in Path(out, "README.md").read_text()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("")
    with pytest.raises(InputError, match="not empty"):
        write_deployment({"new": ""}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    with pytest.raises(MachineError, match="cannot be written"):
        write_deployment({"new": ""}, tmp_path / "old" / "x")


def test_triton_waits_as_long_as_a_paced_plan_says() -> None:
    """Full or time-out, the dispatcher called in-step, is what Triton's batcher does."""
    instance, plan = resolve("traffic-198rps"), planned("traffic-198rps", "exact", Dispatch.PACED)
    files = deployment_files(instance, plan, TARGETS["triton"])
    for part in served_tuples(instance, plan):
        pace = plan.pipelines[0].modules[part.module].pace
        assert pace is not None and pace.dispatcher == "in-step"
        assert 0 <= pace.close_after[0] * 1e6 - part.wait <= 1
        assert part.start == pace.start
        assert f"max_queue_delay_microseconds: {part.wait}" in files[f"t4/{part.module}/config.pbtxt"]


def test_servers_that_batch_by_themselves_are_told_nothing_of_batches() -> None:
    instance = resolve(str(Path(__file__).parents[3] / "docs" / "cookbook" / "variants.yaml"))
    plan = solve(instance, "exact", Billing.WHOLE).plan
    assert plan is not None
    files = deployment_files(instance, plan, TARGETS["k8s"])
    assert not any(word in text for text in files.values() for word in ("MAX_BATCH_SIZE", "2 d", "b=0"))
    assert "1 x A 200rps up to 200 req/s" in files["README.md"]


def test_triton_accepts_the_configurations() -> None:
    """Needs ``tritonclient`` and ``protobuf``."""
    text_format = pytest.importorskip("google.protobuf.text_format")
    model_config = pytest.importorskip("tritonclient.grpc.model_config_pb2")
    for name in cases("triton"):
        plan, files = files_for("triton", name)
        for part in served_tuples(resolve(name), plan):
            text = files[f"{slug(part.hardware)}/{slug(part.module)}/config.pbtxt"]
            config = text_format.Parse(text, model_config.ModelConfig())
            assert config.max_batch_size == part.batch
            assert config.dynamic_batching.max_queue_delay_microseconds == part.wait
            (group,) = config.instance_group
            assert (group.count if part.cores else len(group.gpus)) == part.machines


def test_kubernetes_accepts_the_manifests() -> None:
    """Needs ``kubernetes-validate``."""
    validator = pytest.importorskip("kubernetes_validate")
    for name in cases("k8s"):
        for path, text in files_for("k8s", name)[1].items():
            if path.endswith(".yaml"):
                for document in yaml.safe_load_all(text):
                    validator.validate(document, "1.29", strict=True)


def test_ray_accepts_the_configuration() -> None:
    """Needs ``ray[serve]``; its schema ignores unknown keys, so that they are looked for here."""
    schema = pytest.importorskip("ray.serve.schema")
    for name in cases("ray"):
        document = yaml.safe_load(files_for("ray", name)[1]["serve.yaml"])
        schema.ServeDeploySchema(**document)
        for deployment in document["applications"][0]["deployments"]:
            assert set(deployment) <= set(schema.DeploymentSchema.model_fields)
            assert set(deployment["ray_actor_options"]) <= set(schema.RayActorOptionsSchema.model_fields)
            router = deployment["request_router_config"]["request_router_class"]
            assert getattr(__import__("importlib").import_module(router.split(":")[0]), router.split(":")[1])
