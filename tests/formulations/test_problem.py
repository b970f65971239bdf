"""The compiled problem: where the modules of every pipeline are."""

from __future__ import annotations

import random

from harpagon.formulations.problem import module_spans, pipeline_problems
from harpagon.instances.generate import random_instance


def test_spans_cut_the_list_of_all_modules_into_pipelines() -> None:
    problems = pipeline_problems(random_instance(random.Random(2), pipelines=3, modules=(1, 5)))
    names = [module.name for problem in problems for module in problem.modules]
    found = [names[begin:end] for begin, end in module_spans(problems)]
    assert found == [[module.name for module in problem.modules] for problem in problems]
    assert len({len(own) for own in found}) > 1, "an instance in which a shift would show"
    assert module_spans([]) == []
