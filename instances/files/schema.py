"""The file formats as pydantic models: ``harpagon-instance/1`` and ``harpagon-plan/2``, ``/1`` still read.

Only shapes, kinds and ranges of single values stand here; `files` and `plan_files` check what needs more than one
value. Validation is strict: no text becomes a number and no unknown key passes. The range of positive figures,
1e-9 to 1e9 in the unit of the key, keeps every quotient and product of the physics finite.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AliasChoices, BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema, model_validator

from harpagon.instances.checks import LARGEST_BATCH, LEAST, MOST, MOST_COUNT, NAME_LENGTH

Name: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=NAME_LENGTH, pattern=r"^\P{C}+$"),
    # The pattern is no regular expression of every editor.
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": NAME_LENGTH}),
]
Positive: TypeAlias = Annotated[float, Field(ge=LEAST, le=MOST, allow_inf_nan=False)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
PlanPositive: TypeAlias = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
Machines: TypeAlias = Annotated[float, Field(gt=0, le=MOST_COUNT, allow_inf_nan=False)]
Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]


class FileModel(BaseModel):
    """Strict, closed, and with the keys of the file as its names."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)


class HardwareFile(FileModel):
    """A machine type: dollars per hour, machines available, machines of one purchase, and memory of one machine."""

    price_per_hour: Positive
    limit: Annotated[int, Field(ge=0, le=MOST_COUNT)] | None = None
    bundle: Annotated[int, Field(ge=1, le=LARGEST_BATCH)] = 1
    memory_gb: Positive | None = None


class DurationFile(FileModel):
    """A batch duration in milliseconds with some of its quantiles."""

    mean_ms: Positive
    p50_ms: Positive | None = None
    p90_ms: Positive | None = None
    p95_ms: Positive | None = None
    p99_ms: Positive | None = None


class CapacityFile(FileModel):
    """A point of a capacity profile: what one machine carries, and at which latency."""

    rate_rps: Positive
    latency_ms: Positive


TAGS = ("<number>", "<quantiles>")
"""What pydantic puts into the place of a fault in a batch duration; no keys of the file."""
TAGGED_LEVEL = len(("profiles", "model", "hardware", "batch"))
"""Where in a place it stands."""


def _by_kind(value: Any) -> str:
    return TAGS[isinstance(value, dict | DurationFile)]


Duration: TypeAlias = Annotated[
    Annotated[Positive, Tag(TAGS[0])] | Annotated[DurationFile, Tag(TAGS[1])], Discriminator(_by_kind)
]
"""A batch duration: milliseconds, or a mean with quantiles."""


class ProfileFile(FileModel):
    """A model on one hardware type: batch sizes to durations, or a capacity profile; its memory."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Duration] = Field(init=False)
    capacity: Annotated[list[CapacityFile], Field(min_length=1)] | None = None
    memory_gb: Positive | None = None

    @model_validator(mode="before")
    @classmethod
    def _keys_as_text(cls, value: Any) -> Any:
        """Keys of JSON are text, keys of plain data may be numbers; one that stands in both spellings stays twice."""
        if not isinstance(value, dict):
            return value
        return {
            key if isinstance(key, str) else f"{'0' * (str(key) in value)}{key}": item for key, item in value.items()
        }

    def durations(self) -> dict[str, float | DurationFile]:
        """What stands under keys other than those above."""
        return self.__pydantic_extra__


class ModuleFile(FileModel):
    """A module: key of its profile, and what several inputs mean."""

    model: Name
    join: Literal["all", "any"] = "all"


class EdgeFile(FileModel):
    """An edge: requests sent on per request received, and milliseconds of transfer."""

    tail: Name = Field(alias="from")
    head: Name = Field(alias="to")
    fanout: Positive = 1.0
    transfer_ms: NotNegative = 0.0


class GraphFile(FileModel):
    """What pipelines and applications share: modules and edges."""

    name: Name
    modules: Annotated[dict[Name, ModuleFile], Field(min_length=1)]
    edges: list[EdgeFile] = []


class PipelineFile(GraphFile):
    """A pipeline: a graph with its load and its objective."""

    rate_rps: Positive
    slo_ms: Positive
    burst: Annotated[int, Field(ge=1, le=LARGEST_BATCH)] = 1
    spare: Annotated[int, Field(ge=0, le=LARGEST_BATCH)] = 0


class ApplicationFile(GraphFile):
    """A shipped application: a graph that waits for a load and an objective."""

    format: Literal["harpagon-application/1"]
    description: str


class InstanceFile(FileModel):
    """A whole instance file."""

    format: Literal["harpagon-instance/1"]
    name: Name
    description: str = ""
    billing: Literal["whole", "fractional", "shared"] = "whole"
    hardware: Annotated[dict[Name, HardwareFile], Field(min_length=1)]
    profiles: Annotated[
        dict[Name, Annotated[dict[Name, ProfileFile], Field(min_length=1)]],
        Field(min_length=1),
    ]
    pipelines: Annotated[list[PipelineFile], Field(min_length=1)]


class TupleFile(FileModel):
    """A tuple of a schedule; ``machines`` is fractional only for a residual.

    A tuple on a capacity profile has no batch size but the requests per second that one machine carries.
    """

    hardware: Name
    batch: Annotated[int, Field(ge=1, le=LARGEST_BATCH)] | None = None
    capacity_rps: PlanPositive | None = None
    machines: Machines
    rate_rps: PlanPositive
    latency_ms: NotNegative
    close_after_ms: NotNegative | None = None


class ModulePlanFile(FileModel):
    """Schedule of one module with the figures it claims."""

    rate_rps: PlanPositive
    spare_rps: NotNegative = Field(validation_alias=AliasChoices("spare_rps", "dummy_rps"))
    latency_ms: NotNegative
    start_ms: NotNegative | None = None
    hold_until_ms: NotNegative | None = None
    dispatcher: Literal["at-once", "in-step", "open-batches", "server", "turns", "dealt"] | None = None
    machine: Name | None = None
    own_share: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}/[1-9][0-9]{0,8}$")] | None = None
    cost_per_hour: NotNegative
    tuples: list[TupleFile]


class PromiseFile(FileModel):
    """Streams that a plan claims its latency for: at most burst + rate_rps x requests in any x seconds."""

    rate_rps: PlanPositive
    burst: Annotated[float, Field(ge=1, allow_inf_nan=False)]
    arrivals: str = ""


class PipelinePlanFile(FileModel):
    """Schedules of one pipeline with the latency it claims."""

    name: Name
    latency_ms: NotNegative
    slo_ms: PlanPositive
    promise: PromiseFile | None = None
    modules: dict[Name, ModulePlanFile]


class PlanFile(FileModel):
    """A whole plan file: the plan and its certificate."""

    format: Literal["harpagon-plan/1", "harpagon-plan/2"]
    instance: str
    instance_digest: str = ""
    method: str
    billing: Literal["whole", "fractional", "shared"]
    dispatch: Literal["tc", "free", "per-config", "round-robin", "tc-safe", "edf", "paced"]
    status: str
    cost_per_hour: NotNegative
    lower_bound: Finite | None = None
    gap: Finite | None = None
    headroom: NotNegative = 0.0
    spare: Annotated[int, Field(ge=0)] = 0
    build_s: NotNegative | None = None
    solve_s: NotNegative | None = None
    solver: dict[str, Any] | None = None
    pipelines: list[PipelinePlanFile]
