"""95 % bootstrap intervals of a mean (Efron & Tibshirani, 1993), seeded so that two runs of the same data agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RESAMPLES = 2000
SEED = 17


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, low and high of the 95 % interval. Raises ValueError for no value."""
    if not len(values):
        raise ValueError("interval of no value")
    array = np.asarray(values, float)
    draws = np.random.default_rng(SEED).integers(0, len(array), (RESAMPLES, len(array)))
    low, high = np.percentile(array[draws].mean(axis=1), [2.5, 97.5])
    return float(array.mean()), float(low), float(high)
