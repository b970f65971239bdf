"""Workloads: an application with a rate, an objective and hardware, told completely by their names.

``traffic-198rps-350ms`` is the application ``traffic`` at 198 requests per second with an SLO of 350 ms on all hardware
of the library; ``traffic-198rps-350ms-V100+T4`` is the same on two types.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError
from harpagon.instances.files.objectives import check_objectives
from harpagon.instances.files.units import milliseconds, seconds
from harpagon.instances.library.applications import application, application_profiles, build
from harpagon.instances.policies import Billing
from harpagon.instances.reference import reference_latency

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance

_NAME = re.compile(
    r"(?P<application>[a-z]+)-(?P<rate>[0-9]{1,9}(\.[0-9]{1,9})?)rps-(?P<slo>[0-9]{1,9}(\.[0-9]{1,9})?)ms(-(?P<hardware>[\w+]+))?"
)


@dataclass(frozen=True, slots=True)
class Workload:
    """A recipe of one instance.

    Attributes
    ----------
    application
        Name of a shipped application.
    rate
        Requests per second at every source.
    slo
        Seconds on every path.
    hardware
        Hardware types of the library; empty for all.
    """

    application: str
    rate: float
    slo: float
    hardware: tuple[str, ...] = ()

    @classmethod
    def with_tightness(
        cls, application_name: str, rate: float, tightness: float, hardware: tuple[str, ...] = ()
    ) -> Workload:
        """Workload whose SLO is ``tightness`` times the `reference_latency`, rounded up to a millisecond.

        With a tightness of at least 1 it is feasible in both billings.
        """
        profiles = application_profiles(application_name, hardware or None)
        reference = reference_latency(application(application_name).graph, rate, profiles)
        return cls(application_name, rate, seconds(math.ceil(milliseconds(reference) * tightness)), hardware)

    @classmethod
    def from_name(cls, name: str) -> Workload | None:
        """Workload that has this name; None where it is no workload name.

        Raises
        ------
        InputError
            Where the name is of the right form and says something impossible.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        rate, slo = float(match["rate"]), float(match["slo"])
        if rate < 1e-3 or slo < 1e-3:
            raise InputError(name, "", "rate and SLO must be above 0", "Give positive numbers")
        hardware = tuple(match["hardware"].split("+")) if match["hardware"] else ()
        return cls(match["application"], rate, seconds(slo), hardware)

    @property
    def name(self) -> str:
        """Name that tells the whole recipe."""
        types = "-" + "+".join(self.hardware) if self.hardware else ""
        return f"{self.application}-{_digits(self.rate)}rps-{_digits(milliseconds(self.slo))}ms{types}"

    def instance(self, billing: Billing = Billing.WHOLE) -> Instance:
        """Build the instance; its name is the workload's.

        Raises
        ------
        InputError
            Where application or hardware are unknown, or the SLO is below every batch duration.
        """
        chosen = self.hardware or None
        built = build(self.application, self.rate, self.slo, billing=billing, hardware=chosen, label=self.name)
        check_objectives(built, self.name)
        return built


def _digits(figure: float) -> str:
    return f"{figure:.9f}".rstrip("0").rstrip(".")
