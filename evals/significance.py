"""Whether two runs differ on the same questions: paired sign-flip permutation tests, corrected for several metrics.

The test is scipy's (exact where there are few differences, else 9,999 draws, seeded); Holm's step-down correction
(Scandinavian Journal of Statistics, 1979) keeps the chance of one false alarm among all metrics below the level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.stats import permutation_test

from evals.intervals import SEED, mean_interval
from evals.metrics import METRICS, Metric
from evals.outcome import Outcome

LEVEL = 0.05
DRAWS = 9999
SMALLEST = 1e-9  # differences below it are rounding


class Change(BaseModel):
    """One metric on the questions that both runs measured: means, difference with its 95 % interval, test."""

    model_config = ConfigDict(frozen=True)

    metric: str
    n: int
    before: float
    after: float
    difference: float
    low: float
    high: float
    better: int  # questions
    worse: int
    p: float
    p_corrected: float
    verdict: str  # "worse", "better", "same": where the corrected test says so


def changes(pairs: Sequence[tuple[Outcome, Outcome]], metrics: Sequence[Metric] = METRICS) -> list[Change]:
    """The compared metrics, tested together."""
    given: dict[str, tuple[Metric, np.ndarray, np.ndarray]] = {}
    for metric in metrics:
        both = [(a.values[metric.name], b.values[metric.name]) for a, b in pairs if _both(a, b, metric.name)]
        if metric.compared and both:
            before, after = np.array(both, float).T
            given[metric.name] = (metric, before, after)
    p = {name: paired_p(after - before) for name, (_, before, after) in given.items()}
    corrected = holm(p)
    return [_change(*given[name], p[name], corrected[name]) for name in given]


def paired_p(differences: np.ndarray) -> float:
    """Two-sided p of « the sign of each difference is chance »; 1 where nothing differs."""
    moved = differences[np.abs(differences) > SMALLEST]
    if len(moved) < 2:
        return 1.0  # one difference is as likely in either direction
    found = permutation_test(
        (moved,),
        lambda x, axis=-1: np.mean(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=DRAWS,
        alternative="two-sided",
        rng=np.random.default_rng(SEED),
    )
    return float(min(found.pvalue, 1.0))


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Corrected p-values, never smaller than a smaller one's."""
    corrected: dict[str, float] = {}
    floor = 0.0
    for rank, name in enumerate(sorted(p, key=lambda name: p[name])):
        floor = max(floor, min(1.0, (len(p) - rank) * p[name]))
        corrected[name] = floor
    return corrected


def _both(a: Outcome, b: Outcome, name: str) -> bool:
    return name in a.values and name in b.values


def _change(metric: Metric, before: np.ndarray, after: np.ndarray, p: float, corrected: float) -> Change:
    difference = after - before
    good = difference if metric.higher_is_better is not False else -difference
    low, high = mean_interval(difference)
    verdict = "same" if corrected >= LEVEL else "better" if good.mean() > 0 else "worse"
    return Change(
        metric=metric.name,
        n=len(before),
        before=float(before.mean()),
        after=float(after.mean()),
        difference=float(difference.mean()),
        low=low,
        high=high,
        better=int((good > SMALLEST).sum()),
        worse=int((good < -SMALLEST).sum()),
        p=p,
        p_corrected=corrected,
        verdict=verdict,
    )
