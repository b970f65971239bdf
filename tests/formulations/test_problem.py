"""The compiled problem: where the modules of every pipeline are."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from harpagon.formulations import problem as compiled
from harpagon.formulations.problem import module_spans, pipeline_problem, pipeline_problems
from harpagon.instances.generate import random_instance


def test_spans_cut_the_list_of_all_modules_into_pipelines() -> None:
    problems = pipeline_problems(random_instance(random.Random(2), pipelines=3, modules=(1, 5)))
    names = [module.name for problem in problems for module in problem.modules]
    found = [names[begin:end] for begin, end in module_spans(problems)]
    assert found == [[module.name for module in problem.modules] for problem in problems]
    assert len({len(own) for own in found}) > 1, "an instance in which a shift would show"
    assert module_spans([]) == []


def test_a_graph_is_walked_again_for_another_rate_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan, check and referee compile the same pipeline; sweeps ask for another rate of the same graph each time."""
    walks, propagate = [], compiled.propagate_rates
    monkeypatch.setattr(compiled, "propagate_rates", lambda *given: walks.append(1) or propagate(*given))
    instance = random_instance(random.Random(5), modules=(6, 6))
    (pipeline,) = instance.pipelines
    first, again = pipeline_problem(instance, pipeline), pipeline_problem(instance, pipeline)
    twice = pipeline_problem(instance, replace(pipeline, rate=2 * pipeline.rate))
    assert len(walks) == 2
    assert first == again
    assert [m.rate for m in twice.modules] == pytest.approx([2 * m.rate for m in first.modules])


def test_modules_of_one_model_share_their_configurations() -> None:
    (problem,) = pipeline_problems(random_instance(random.Random(6), shape="chain", modules=(30, 30)))
    models = {id(module.configurations): module.configurations for module in problem.modules}
    assert len(models) == len(set(models.values())) < 30
