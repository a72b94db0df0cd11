"""Risk-coverage: how often the assistant would answer what the corpus doesn't say, as it answers more questions.

Questions are answered from the most to the least confident (El-Yaniv & Wiener, JMLR 2010). Risk is the share, among those
answered, of the questions that the corpus doesn't answer; coverage is the share of all questions that are answered.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class Point(BaseModel):
    model_config = ConfigDict(frozen=True)

    threshold: float
    coverage: float
    risk: float
    answered: float  # share of the answerable questions that are answered


def risk_coverage(confidences: Sequence[tuple[float, bool]]) -> list[Point]:
    """A point for each threshold that lets one more question through; equal confidences are let through together."""
    ranked = sorted(confidences, key=lambda c: -c[0])
    answerable = sum(right for _, right in ranked) or 1
    points, right = [], 0
    for i, (confidence, is_answerable) in enumerate(ranked, 1):
        right += is_answerable
        if i == len(ranked) or ranked[i][0] != confidence:
            points.append(
                Point(
                    threshold=confidence,
                    coverage=i / len(ranked),
                    risk=(i - right) / i,
                    answered=right / answerable,
                )
            )
    return points


def area(curve: Sequence[Point]) -> float:
    """Mean risk over coverages (AURC); 0 is a perfect order where every question has an answer."""
    total, before = 0.0, 0.0
    for point in curve:
        total += point.risk * (point.coverage - before)
        before = point.coverage
    return total
