"""What every module will have to serve: an envelope per module, learnt period by period.

The root's rate and the factor on the fan-outs of its edges are looked ahead, by analogy with other days or along their
trend, and pushed down the pipeline; the estimates that know a module's own rates follow those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.slopt.cascade import cascade_envelopes, graph_fanouts, mean_envelopes
from harpagon.formulations.slopt.envelope import Envelope, largest
from harpagon.simulation.slopt.analogs import AnalogForecast
from harpagon.simulation.slopt.estimation import ForecastErrors, dispersion, own_estimate, trend_forecast
from harpagon.simulation.slopt.stages import Estimation, Forecast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.slopt.cascade import ModuleSchedule
    from harpagon.graphs import PathNetwork
    from harpagon.instances.instance import Pipeline
    from harpagon.simulation.slopt.engine import Observation


@dataclass(frozen=True, slots=True)
class DemandOptions:
    """How demand is estimated.

    Attributes
    ----------
    estimation
        Which estimate.
    forecast
        How far ahead is seen; None where a module's last rate stands, as reactive tuning has it.
    margin
        Whether past errors of the trend widen the estimate.
    lead
        Periods from a decision to its effect.
    period
        Seconds between observations.
    paced
        Whether results are held back, so that no burst grows on the way.
    counted
        Whether a forecast by analogy counts what arrives in a period, so that only its place within it is open.
    """

    estimation: Estimation
    forecast: Forecast | None
    margin: bool
    lead: float
    period: float
    paced: bool
    counted: bool


class DemandEstimator:
    """Estimates the arrivals of every module.

    Parameters
    ----------
    pipeline, network
        What is served.
    schedules
        What every module runs: how bursts grow on the way.
    options
        How.
    """

    def __init__(
        self, pipeline: Pipeline, network: PathNetwork, schedules: Sequence[ModuleSchedule], options: DemandOptions
    ) -> None:
        self._options = options
        self._graph = pipeline.graph
        self._network = network
        self._schedules = schedules
        self._rates: list[list[float]] = [[] for _ in schedules]
        self._fanouts = {edge: [fanout] for edge, fanout in graph_fanouts(pipeline.graph).items()}
        self._errors = [ForecastErrors(options.lead) for _ in schedules]
        self._lead = 0.0 if options.forecast is None else options.lead
        self._nominal = graph_fanouts(pipeline.graph)
        self._source_edges = [edge for edge in self._nominal if not pipeline.graph.in_degree(edge[0])]
        self._factors: list[float] = []
        self._analogs = (AnalogForecast((), math.ceil(options.lead)),) * 2
        self._outlook: tuple[np.ndarray, ...] = ()
        self.band: tuple[float, float] | None = None
        """Of a forecast by analogy, between which rates the root is expected when machines started now are ready."""
        self._recent = np.empty(0)
        self._dispersion = 1.0

    @property
    def by_analogy(self) -> bool:
        """Whether other days are known that forecasts are read from."""
        pushed = self._options.estimation in (Estimation.CASCADE, Estimation.FANOUT)
        return self._options.forecast in _BY_ANALOGY and pushed and self._analogs[0].ready

    def remember(self, rates: Sequence[np.ndarray], factors: Sequence[np.ndarray]) -> None:
        """Know other days, period by period: the root's requests per second, and the factors on its fan-outs."""
        ahead, adjusted = math.ceil(self._options.lead), self._options.forecast is Forecast.ADJUSTED
        self._analogs = AnalogForecast(rates, ahead, adjusted), AnalogForecast(factors, ahead, adjusted)

    def train(self, rates: Sequence[float]) -> None:
        """Learn the trend's errors from the root's rates of another day, requests per second period by period."""
        for errors in self._errors:
            for k in range(1, len(rates) + 1):
                seen = rates[max(0, k - _TREND_PERIODS) : k]
                errors.observe(rates[k - 1], trend_forecast(seen, self._lead))

    def first(self, rate: float, quantile: float) -> list[Envelope]:
        """Demand before any observation, at a root rate that is known, until the first machines started are ready."""
        if not self.by_analogy:
            return self._envelopes(self._means_from_root(rate, 0.0))
        self._look_ahead([rate], [1.0], quantile)
        periods = range(1, math.ceil(self._lead) + 1)
        return [largest(each) for each in zip(*(self.demand(float(k)) for k in periods), strict=True)]

    def learn(self, observation: Observation, quantile: float) -> None:
        """Take in one period; ``quantile`` is the share of what followed that a forecast by analogy is not below."""
        for rates, arrivals in zip(self._rates, observation.arrivals, strict=True):
            rates.append(len(arrivals) / self._options.period)
        for edge, measured in observation.fanouts.items():
            self._fanouts[edge].append(measured)
        self._factors.append(self._measured_factor(observation))
        self._recent = np.concatenate([self._recent, observation.arrivals[0]])
        self._recent = self._recent[self._recent > observation.end - DISPERSION_SECONDS]
        self._dispersion = dispersion(self._recent, observation.end - DISPERSION_SECONDS, observation.end)
        if self.by_analogy:
            self._look_ahead(self._rates[0], self._factors, quantile)
            return
        forecasts = self._means(self._options.lead)
        for errors, rates, forecast in zip(self._errors, self._rates, forecasts, strict=True):
            errors.observe(rates[-1], forecast)

    def demand(self, ahead: float) -> list[Envelope]:
        """Demand of every module ``ahead`` periods after the last observation, in topological order."""
        means = self._means(ahead)
        if self._options.margin and not self.by_analogy:
            means = [mean * (1 + errors.margin) for mean, errors in zip(means, self._errors, strict=True)]
        return self._envelopes(means)

    def _means(self, ahead: float) -> list[float]:
        """Requests per second of every module."""
        estimation = self._options.estimation
        horizon = min(ahead, self._lead)
        if self.by_analogy:
            return self._means_by_analogy(horizon)
        if self._options.forecast is not None and estimation in (Estimation.CASCADE, Estimation.FANOUT):
            return self._means_from_root(trend_forecast(self._rates[0], horizon), horizon)
        growth = self._growth(horizon)
        return [own_estimate(estimation, rates) * growth for rates in self._rates]

    def _means_by_analogy(self, ahead: float) -> list[float]:
        rate, factor = (float(np.interp(ahead, np.arange(quantiles.size), quantiles)) for quantiles in self._outlook)
        fanouts = {edge: float(np.mean(history[-FANOUT_PERIODS:])) for edge, history in self._fanouts.items()}
        fanouts |= {edge: factor * self._nominal[edge] for edge in self._source_edges}
        return [envelope.rate for envelope in mean_envelopes(rate, self._graph, self._network, fanouts)]

    def _look_ahead(self, rates: Sequence[float], factors: Sequence[float], quantile: float) -> None:
        """Quantiles of the root's rate and of the factor on its fan-outs, by periods ahead."""
        load, factor = self._analogs
        low, high = load.quantiles(rates, (1 - quantile, quantile))
        self.band = float(low[-1]), float(high[-1])
        self._outlook = high, factor.quantiles(factors, quantile)

    def _measured_factor(self, observation: Observation) -> float:
        """Items sent along the root's edges over what their fan-outs promise; 1 where nothing was sent."""
        edges = [edge for edge in self._source_edges if edge in observation.fanouts]
        promised = sum(self._nominal[edge] for edge in edges)
        return sum(observation.fanouts[edge] for edge in edges) / promised if promised else 1.0

    def _growth(self, ahead: float) -> float:
        """Forecast of the root over its last rate: what looking ahead adds to a module's own estimate."""
        last = self._rates[0][-1]
        return max(1.0, trend_forecast(self._rates[0], ahead) / last) if last and ahead else 1.0

    def _means_from_root(self, rate: float, ahead: float) -> list[float]:
        fanouts = {edge: trend_forecast(history, ahead) for edge, history in self._fanouts.items()}
        return [envelope.rate for envelope in mean_envelopes(rate, self._graph, self._network, fanouts)]

    def _envelopes(self, means: Sequence[float]) -> list[Envelope]:
        if self._options.estimation is not Estimation.CASCADE:
            return [Envelope.of_rate(mean) for mean in means]
        counted = self.by_analogy and self._options.counted
        root = Envelope.of_process(means[0], self._dispersion, period=self._options.period if counted else math.inf)
        fanouts = {edge: history[-1] for edge, history in self._fanouts.items()}
        pushed = cascade_envelopes(root, self._graph, self._network, self._schedules, fanouts, self._options.paced)
        return [
            envelope.scaled(mean / envelope.rate) if envelope.rate else envelope
            for envelope, mean in zip(pushed, means, strict=True)
        ]


_BY_ANALOGY = (Forecast.ADJUSTED, Forecast.ANALOGS)
_TREND_PERIODS = 30
FANOUT_PERIODS = 10
"""Periods of which the fan-out of an edge behind the first modules is the mean, where the rest is seen by analogy."""
DISPERSION_SECONDS = 10.0
"""Seconds of arrivals of which the dispersion is measured."""
