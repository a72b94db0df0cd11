"""A figure with its 95 % interval: percentile bootstrap over the questions (Efron & Tibshirani, 1993), seeded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from evals.metrics import Metric, Summary

SEED = 17
DRAWS = 2000
LEVEL = 0.95
AT_ONCE = 2_000_000  # resampled values held in memory together


class Figure(BaseModel):
    """`value`, between `low` and `high` in 95 % of the resamplings of its `n` questions."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float
    n: int


def figure(values: Sequence[float], metric: Metric) -> Figure | None:
    """The summary of one value a question, with its interval; None of no value at all."""
    if metric.unit == "":
        return share(values)
    if not values:
        return None
    given = np.asarray(values, float)
    low, high = _interval(given, metric.summary)
    return Figure(value=_summed(given, metric.summary), low=low, high=high, n=len(given))


def share(values: Sequence[float]) -> Figure | None:
    """The mean of values between 0 and 1, with its interval; None of no value at all."""
    if not values:
        return None
    given = np.asarray(values, float)
    low, high = _interval(given, "mean")
    if given.min() == given.max() and given[0] in (0.0, 1.0):
        # Resampling equal values says nothing: the exact bound of a share that was never (or always) seen.
        bound = ((1 - LEVEL) / 2) ** (1 / len(given))
        low, high = (bound, 1.0) if given[0] == 1.0 else (0.0, 1 - bound)
    return Figure(value=float(given.mean()), low=low, high=high, n=len(given))


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """Bounds of the mean of `values` (n,)."""
    return _interval(values, "mean")


def _interval(values: np.ndarray, summary: Summary) -> tuple[float, float]:
    random = np.random.default_rng(SEED)
    n = len(values)
    draws = []
    left = DRAWS
    while left:
        count = min(left, max(1, AT_ONCE // n))
        draws.append(_summed_rows(values[random.integers(n, size=(count, n))], summary))
        left -= count
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.percentile(np.concatenate(draws), [tail, 100 - tail])
    return float(low), float(high)


def _summed(values: np.ndarray, summary: Summary) -> float:
    return float(_summed_rows(values[None], summary)[0])


def _summed_rows(rows: np.ndarray, summary: Summary) -> np.ndarray:
    if summary == "mean":
        return rows.mean(axis=1)
    return np.percentile(rows, 50 if summary == "median" else 95, axis=1)
