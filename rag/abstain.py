"""Whether the corpus answers: a calibrated probability from retrieval and answer support, not a magic constant.

A logistic regression on a few readable signals, fitted by `evals` on reference questions with and without an answer
(docs/adr/0007-abstention.md); its weights stand here, and `evals run` draws its risk-coverage curve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from rag.expect import Expectation, holds
from rag.generation import Generation
from rag.lexical import fold, words
from rag.retrieve import Found
from rag.select import Candidate

THRESHOLD = 0.54  # answers 95 % of the answerable tuning questions (docs/adr/0007-abstention.md)


@dataclass(frozen=True)
class Signals:
    """Each about 0 to 1, higher for a question that the corpus answers."""

    dense: float  # cosine of the best passage, rescaled
    late: float  # late interaction of the best passage
    sentence_late: float  # of the best sentence
    coverage: float  # share of the question's weight in the best passage
    sentence_coverage: float  # in the best sentence
    known: float  # share of the question's weight that the corpus has a word for
    weakest: float  # how well the worst-matched content word is matched by the best passage
    evidence: float  # whether a good sentence holds the kind of thing asked for


def signals(found: Found, ranked: Sequence[Candidate], expectation: Expectation, generation: Generation) -> Signals:
    if not found.hits or not ranked:
        return Signals(0, 0, 0, 0, 0, 0, 0, 0)
    lexical = generation.lexical
    weights = {t.token: lexical.idf(t.token) for t in found.query.terms if t.weight == 1.0}
    total = sum(weights.values()) or 1.0
    top = found.hits[:3]
    passage_tokens = [frozenset().union(*(c.tokens for c in ranked if c.hit.row == hit.row)) for hit in top]
    coverage = max(sum(w for t, w in weights.items() if t in tokens) for tokens in passage_tokens) / total
    known = sum(w for t, w in weights.items() if lexical.knows(t)) / total if weights else 1.0
    best = ranked[:3]
    wanted = [want for want in expectation.wants if want not in ("list", "how", "definition", "compare")]
    evidence = 1.0 if not wanted else float(any(holds(w, c.text) for w in wanted for c in best))
    return Signals(
        dense=(max(hit.dense for hit in top) - 0.8) / 0.1,
        late=max(hit.late for hit in top),
        sentence_late=max(c.late for c in best),
        coverage=coverage,
        sentence_coverage=max(c.coverage for c in best),
        known=known,
        weakest=min((w for t, w in _matches(found, generation)), default=0.0),
        evidence=evidence,
    )


def _matches(found: Found, generation: Generation) -> list[tuple[str, float]]:
    from rag.lexical import STOP_WORDS

    _, vectors = generation.word_vectors(found.hits[0].row)
    matches = []
    for (a, b), vector in zip(found.encoded.spans, found.encoded.words, strict=True):
        folded = words(found.query.repaired[a:b])
        if folded and folded[-1] not in STOP_WORDS and fold(folded[-1]) and len(vectors):
            matches.append((folded[-1], float((vectors @ vector).max())))
    return matches


# bias, then one weight a signal in the order of Signals
WEIGHTS: tuple[float, ...] = (-1.65, 0.69, 0.2, 0.25, 1.32, 0.84, 0.52, 0.39, 0.17)


def probability(given: Signals) -> float:
    """That the corpus answers, 0 to 1."""
    score = WEIGHTS[0] + sum(w * x for w, x in zip(WEIGHTS[1:], astuple(given), strict=True))
    return 1 / (1 + math.exp(-score))
