"""Names of a plan as targets allow them: none may vanish, and no two may become one, or files overwrite each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError
from harpagon.simulation.deploy.tuples import slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harpagon.simulation.deploy.tuples import ServedTuple


_PIPELINES = "pipelines"
"""Their names begin those of Kubernetes Services and name modules of Python, which begin with a letter."""


def require_names(tuples: Sequence[ServedTuple], source: str) -> None:
    """Raise unless all that a deployment names is told apart in lower case, digits and hyphens.

    Parameters
    ----------
    tuples
        Tuples of the plan.
    source
        Instance as named on the command line, for the message.

    Raises
    ------
    InputError
        With the names that vanish, begin with a digit, or become one.
    """
    for kind, names in _named(tuples):
        written: dict[str, str] = {}
        for name in dict.fromkeys(names):
            short = slug(*name)
            whole = " / ".join(name)
            if not all(slug(part) for part in name) or (kind == _PIPELINES and not short[0].isalpha()):
                problem = f"{whole!r} would be {short!r} in the files of a deployment"
                raise InputError(source, kind, problem, "Rename it, a letter a to z first")
            if short in written:
                problem = f"{written[short]!r} and {whole!r} would both be {short!r} in the files of a deployment"
                raise InputError(source, kind, problem, "Rename one")
            written[short] = whole


def _named(tuples: Sequence[ServedTuple]) -> Iterator[tuple[str, Iterable[tuple[str, ...]]]]:
    """Kind and names of what gets a folder, a deployment or a label of its own."""
    yield "hardware", ((part.hardware,) for part in tuples)
    yield _PIPELINES, ((part.pipeline,) for part in tuples)
    yield "pipelines.modules", ((part.pipeline, part.module) for part in tuples)
    for pipeline in dict.fromkeys(part.pipeline for part in tuples):
        yield f"pipelines.{pipeline}.modules", ((part.module,) for part in tuples if part.pipeline == pipeline)
    yield "pipelines.modules", ((part.pipeline, part.module, part.hardware, part.label) for part in tuples)
