"""Hybrid retrieval: BM25, dense and late-interaction scores, standardised over the candidates and summed.

Rank fusion, everyone's default, throws away what scores know (measured: docs/adr/0005-retrieval.md). Candidates are the
best of BM25 and of the dense search; each then gets all three scores.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from corpus.chunk import Chunk, ChunkSentence
from rag.embedding import Encoded, Encoder, normalise
from rag.generation import Generation
from rag.lexical import ONLY_ASK, STOP_WORDS, fold, words
from rag.query import Query, parse
from rag.spans import span
from rag.vectors import DenseSearch

CANDIDATES = 100  # of each search; more changes no figure, and late interaction costs about 0.1 ms each
OWN, OWN_WORD = 0.6, 0.3  # share of a follow-up's own words in its vector, at most and for each of them
LEXICAL, DENSE, LATE = 0.5, 1.0, 0.7  # weights of the standardised scores (docs/adr/0005-retrieval.md)
LEXICAL_NAMED, AHEAD = 1.0, 0.2  # where the best passage by words is that share of its score ahead of the next
PAGE_BONUS = 3.0  # standard deviations: the question names the page
LOW_QUALITY = 1.0  # standard deviations lost by a passage whose text is scrambled through and through


@dataclass(frozen=True)
class Hit:
    """A chunk found for a query. `score` orders the hits; the three others are raw."""

    row: int
    chunk: Chunk
    score: float
    lexical: float
    dense: float
    late: float
    sentences: tuple[ChunkSentence, ...]


@dataclass(frozen=True)
class Found:
    query: Query
    encoded: Encoded
    hits: tuple[Hit, ...]
    read: dict[int, list[Any]] = field(default_factory=dict, compare=False, repr=False)  # by row: see rag/select.py


class HybridRetriever:
    """Our retrieval; rag/llamaindex_retriever.py gives it as a LlamaIndex retriever."""

    def __init__(self, generation: Generation, encoder: Encoder, dense: DenseSearch) -> None:
        self._generation = generation
        self._encoder = encoder
        self._dense = dense
        self._together = threading.local()

    def encode_together(self, texts: Sequence[str]) -> None:
        """Several texts that this thread is about to look for, in less than the time of each alone."""
        self._together.ready = {}
        if len(texts) > 1:
            queries = [parse(text, self._generation.lexical) for text in texts]
            self._together.ready = self._vectors(text for query in queries for text in query.texts)

    @span
    def find(self, text: str, k: int = 10, document_ids: Sequence[str] = ()) -> Found:
        """The `k` best chunks for `text`, best first."""
        query = parse(text, self._generation.lexical, tuple(document_ids))
        encoded = self._encoded(query)
        rows, lexical, dense = self._candidates(query, encoded)
        if not len(rows):
            return Found(query, encoded, ())
        weights, vectors = query_words(query, encoded, self._generation)
        late = np.array([self._late(int(row), weights, vectors) for row in rows], np.float32)
        named = LEXICAL_NAMED if any(t.name for t in query.terms) and _stands_out(lexical) else LEXICAL
        score = named * standardise(lexical) + DENSE * standardise(dense) + LATE * standardise(late)
        best = np.argsort(-score, kind="stable")[: max(k * 2, k + 5)]
        hits = [
            self._hit(int(rows[i]), query, float(score[i]), float(lexical[i]), float(dense[i]), float(late[i]))
            for i in best
        ]
        hits.sort(key=lambda hit: -hit.score)
        return Found(query, encoded, tuple(hits[:k]))

    def _encoded(self, query: Query) -> Encoded:
        """The question's vectors; that of a follow-up is drawn to what it asks by itself."""
        ready: dict[str, Encoded] = getattr(self._together, "ready", {})
        known = ready | self._vectors(text for text in query.texts if text not in ready)
        whole = known[query.repaired]
        if not query.own:
            return whole
        own = known[query.own]
        share = min(OWN, OWN_WORD * query.own_words)

        def drawn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            return normalise((1 - share) * a + share * b)

        seeking = None if whole.seeking is None or own.seeking is None else drawn(whole.seeking, own.seeking)
        return replace(whole, vector=drawn(whole.vector, own.vector), seeking=seeking)

    def _vectors(self, texts: Iterable[str]) -> dict[str, Encoded]:
        """Of each text, in one pass."""
        said = list(dict.fromkeys(texts))
        return dict(zip(said, self._encoder.queries(said), strict=True)) if said else {}

    def _candidates(self, query: Query, encoded: Encoded) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, with their BM25 score and cosine, each of shape (c,)."""
        lexical = self._lexical_scores(query)
        if query.document_ids:
            lexical = np.where(self._generation.rows_of(query.document_ids), lexical, 0)
        k = min(CANDIDATES, len(lexical))
        rows = {row for row, _ in self._dense.nearest(encoded.vector, k, query.document_ids)}
        if k:
            best = np.argpartition(-lexical, k - 1)[:k]
            rows |= {int(row) for row in best if lexical[row] > 0}
        ordered = np.array(sorted(rows), np.int64)
        dense = self._generation.vectors[ordered] @ encoded.vector if len(ordered) else np.zeros(0, np.float32)
        return ordered, lexical[ordered], dense

    def _lexical_scores(self, query: Query) -> np.ndarray:
        lexical = self._generation.lexical
        weights = {t.token: t.weight * query.taken.get(t.word, 1.0) for t in query.terms}
        full = lexical.scores([token for token, weight in weights.items() if weight == 1.0])
        for token, weight in weights.items():
            if weight < 1.0:
                full = full + weight * lexical.scores([token])
        return full

    def _late(self, row: int, weights: np.ndarray, vectors: np.ndarray) -> float:
        """MaxSim: each query word's best match among the chunk's words, averaged by weight."""
        _, words = self._generation.word_vectors(row)
        if not len(words) or not len(vectors):
            return 0.0
        return float((vectors @ words.T).max(axis=1) @ weights)

    def _hit(self, row: int, query: Query, score: float, lexical: float, dense: float, late: float) -> Hit:
        chunk = self._generation.chunk(row)
        score -= LOW_QUALITY * (1 - chunk.quality)
        if query.page is not None and chunk.page <= query.page <= chunk.page_end:
            score += PAGE_BONUS
        return Hit(row, chunk, score, lexical, dense, late, tuple(self._generation.sentences(row)))


def _stands_out(lexical: np.ndarray) -> bool:
    """Whether the words of one passage are far more the question's than any other's: it has the rare name that was asked for."""
    if len(lexical) < 2:
        return False
    second, best = np.partition(lexical, -2)[-2:]
    return bool(best > 0 and best - second > AHEAD * best)


def query_words(query: Query, encoded: Encoded, generation: Generation) -> tuple[np.ndarray, np.ndarray]:
    """Weights (w,), which sum to 1, and vectors (w, d) of the query's content words; rarer words weigh more."""
    weights, keep = [], []
    for i, (a, b) in enumerate(encoded.spans):
        folded = words(query.repaired[a:b])
        if not folded or folded[-1] in STOP_WORDS or folded[-1] in ONLY_ASK or fold(query.repaired[a:b]) in STOP_WORDS:
            continue
        keep.append(i)
        weights.append((generation.lexical.telling(folded[-1]) * query.taken.get(folded[-1], 1.0)) ** 0.5)
    if not keep:
        keep = list(range(len(encoded.words)))
        weights = [1.0] * len(keep)
    array = np.array(weights, np.float32)
    return array / max(float(array.sum()), 1e-9), encoded.words[keep]


def standardise(scores: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """In standard deviations from the mean, of the scores themselves or of those of `among`."""
    among = scores if among is None or not len(among) else among
    deviation = float(among.std())
    return (scores - among.mean()) / (deviation if deviation > 1e-9 else 1.0)
