"""Fit the probability of abstention (rag/abstain.py) on the tuning questions, and say how well it does on folds it never saw.

A logistic regression (scikit-learn, L2) from Signals to « the corpus answers ». The held-out half is refused by the loader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from pydantic import BaseModel

from corpus.errors import UsageError
from evals.questions import Question
from evals.risk import Point, area, risk_coverage
from evals.trace import listening
from rag.abstain import Signals
from rag.assistant import Assistant

FOLDS = 10
STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)  # scikit-learn's C: the smaller, the closer to zero the weights
ANSWERED = 0.95  # share of the answerable questions that the threshold must let through


class Calibration(BaseModel):
    """Weights to paste, and their cross-validated figures: each question judged by a fit that never saw it."""

    questions: int
    answerable: int
    names: tuple[str, ...]
    weights: tuple[float, ...]  # bias first, in the order of WEIGHTS
    strength: float
    threshold: float
    log_loss: float
    answered: float  # of the answerable, at the threshold
    abstained: float  # of the others
    abstained_by_kind: dict[str, float]
    aurc: float
    now_answered: float  # the same two with the weights of today
    now_abstained: float
    curve: tuple[Point, ...]


def calibrate_on(assistant: Assistant, questions: Sequence[Question]) -> Calibration:
    """Fit on what the assistant itself weighs for each question. Raises UsageError where there is nothing to separate."""
    from rag import abstain

    rows, labels, kinds, known = [], [], [], []
    with listening() as weighed:
        for question in questions:
            before = len(weighed.signals)
            assistant.ask(question.question, question.history)
            if len(weighed.signals) > before:  # else refused, or a reply without retrieval: nothing was weighed
                signals = weighed.signals[-1]
                rows.append([getattr(signals, f.name) for f in fields(signals)])
                labels.append(question.answerable)
                kinds.append(question.kind)
                known.append((abstain.probability(signals), question.answerable))
    x, y = np.array(rows, float), np.array(labels, int)
    if len(y) < 2 * FOLDS or min(y.sum(), len(y) - y.sum()) < FOLDS:
        raise UsageError(
            f"Trop peu de questions pour régler : il en faut au moins {FOLDS} avec et {FOLDS} sans réponse."
        )
    strength = min(STRENGTHS, key=lambda c: _log_loss(y, _out_of_fold(x, y, c)))
    held = _out_of_fold(x, y, strength)
    threshold = float(np.quantile(held[y == 1], 1 - ANSWERED, method="lower"))
    weights = _fit(x, y, strength)
    answered = held >= threshold
    now = np.array([p for p, _ in known]) >= abstain.THRESHOLD
    curve = risk_coverage(list(zip(held.tolist(), (y == 1).tolist(), strict=True)))
    by_kind = {
        k: float((~answered[[i for i, kind in enumerate(kinds) if kind == k]]).mean()) for k in sorted(set(kinds))
    }
    return Calibration(
        questions=len(y),
        answerable=int(y.sum()),
        names=("bias", *(f.name for f in fields(Signals))),
        weights=tuple(round(float(w), 3) for w in weights),
        strength=strength,
        threshold=round(threshold, 3),
        log_loss=_log_loss(y, held),
        answered=float(answered[y == 1].mean()),
        abstained=float((~answered[y == 0]).mean()),
        abstained_by_kind=by_kind,
        aurc=area(curve),
        now_answered=float(now[y == 1].mean()),
        now_abstained=float((~now[y == 0]).mean()),
        curve=tuple(curve),
    )


def _fit(x: np.ndarray, y: np.ndarray, strength: float) -> np.ndarray:
    """Bias and weights for raw signals; fitted on standardised ones, so that the penalty is fair to each."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    model = LogisticRegression(C=strength, max_iter=2000).fit((x - mean) / scale, y)
    weights = model.coef_[0] / scale
    return np.concatenate([[model.intercept_[0] - weights @ mean], weights])


def _out_of_fold(x: np.ndarray, y: np.ndarray, strength: float) -> np.ndarray:
    from sklearn.model_selection import StratifiedKFold

    held = np.zeros(len(y))
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=17).split(x, y):
        weights = _fit(x[train], y[train], strength)
        held[test] = 1 / (1 + np.exp(-(weights[0] + x[test] @ weights[1:])))
    return held


def _log_loss(y: np.ndarray, held: np.ndarray) -> float:
    clipped = np.clip(held, 1e-6, 1 - 1e-6)
    return float(-(y * np.log(clipped) + (1 - y) * np.log(1 - clipped)).mean())


def as_text(found: Calibration) -> str:
    weights = ", ".join(f"{w:g}" for w in found.weights)
    out = [
        f"{found.questions} questions de réglage, dont {found.answerable} à réponse ; validation croisée à {FOLDS} plis.",
        "À recopier dans rag/abstain.py :",
        f"THRESHOLD = {found.threshold:g}",
        f"# {', '.join(found.names)}",
        f"WEIGHTS: tuple[float, ...] = ({weights})",
        f"Répond quand il faut : {found.answered:.1%} (aujourd'hui, non croisé : {found.now_answered:.1%})",
        f"S'abstient quand il faut : {found.abstained:.1%} (aujourd'hui, non croisé : {found.now_abstained:.1%})",
        f"Perte logarithmique {found.log_loss:.3f} ; aire sous la courbe risque-couverture {found.aurc:.3f} ; C = {found.strength:g}",
        "Part d'abstention par genre : " + " ; ".join(f"{k} {v:.0%}" for k, v in found.abstained_by_kind.items()),
        "Risque selon la couverture :",
    ]
    step = max(1, len(found.curve) // 20)
    out += [
        f"  couverture {p.coverage:.2f}  risque {p.risk:.3f}  seuil {p.threshold:.3f}  à réponse répondues {p.answered:.2f}"
        for p in [*found.curve[step - 1 :: step]]
    ]
    return "\n".join(out)
