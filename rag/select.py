"""Score the sentences of the found passages against the question, and choose those that answer it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from corpus.chunk import ChunkSentence
from rag.expect import Expectation, holds
from rag.generation import Generation
from rag.lexical import STOP_WORDS, fold, stem, words
from rag.query import Query
from rag.retrieve import Found, Hit, query_words, standardise

PASSAGES = 8  # hits whose sentences are candidates
SHORTEST = 4  # words of a sentence that can stand alone
_DANGLING = re.compile(
    r"^(?:[>»•–-]\s*)?(?:elles?|ils?|celles?-ci|ceux-ci|celui-ci|celle-ci|cette derniere|ce dernier|ces derniers|ces dernieres|"
    r"cela|ce|c['’]est|ceci|ainsi|en effet|autrement dit|de meme|a cette|pour y parvenir|a cet|son|sa|ses|leurs?)\b",
)


@dataclass(frozen=True)
class Candidate:
    """A sentence of a hit with its score; `index` is its rank in the chunk."""

    hit: Hit
    index: int
    sentence: ChunkSentence
    text: str
    tokens: frozenset[str]
    score: float
    late: float
    coverage: float  # share of the question's weight whose words stand in the sentence

    @property
    def key(self) -> tuple[int, int]:
        return self.hit.row, self.index

    @property
    def length(self) -> int:
        return len(self.text.split())


@dataclass(frozen=True)
class SelectionWeights:
    """Chosen with evals/questions/dev.jsonl (docs/adr/0006-composition.md)."""

    late: float = 0.46
    dense: float = 0.5
    coverage: float = 2.01
    hit: float = 0.33
    evidence: float = 0.59
    title: float = -0.98
    short: float = -0.44
    note: float = -0.33
    dangling: float = -0.18
    reference: float = -1.99  # a line of a bibliography answers only who asks for a document
    head: float = -3.92  # a table's head names its columns and says nothing


def candidates(
    found: Found, expectation: Expectation, generation: Generation, weights: SelectionWeights | None = None
) -> list[Candidate]:
    """All sentences of the first hits, best first."""
    weights = weights or SelectionWeights()
    query_weights, query_vectors = query_words(found.query, found.encoded, generation)
    term_weights = _term_weights(found.query, generation)
    rows = []
    for hit in found.hits[:PASSAGES]:
        spans, vectors = generation.word_vectors(hit.row)
        sentence_vectors = generation.sentence_vectors(hit.row)
        heading = _tokens(" ".join(hit.chunk.section))
        head = next((s for s in hit.sentences if s.kind == "table"), None)
        for index, sentence in enumerate(hit.sentences):
            text = hit.chunk.text[sentence.start : sentence.end]
            inside = (spans[:, 0] >= sentence.start) & (spans[:, 1] <= sentence.end)
            tokens = _tokens(text)
            said = tokens
            if head is not None and sentence.kind == "table":  # a row says its table's head too
                inside |= (spans[:, 0] >= head.start) & (spans[:, 1] <= head.end)
                said = tokens | _tokens(hit.chunk.text[head.start : head.end])
            late = float((query_vectors @ vectors[inside].T).max(axis=1) @ query_weights) if inside.any() else 0.0
            dense = float(sentence_vectors[index] @ found.encoded.vector) if index < len(sentence_vectors) else 0.0
            coverage = _coverage(said, term_weights) + 0.3 * _coverage(heading - said, term_weights)
            rows.append((hit, index, sentence, text, tokens, late, dense, coverage))
    if not rows:
        return []
    late_scores = standardise(np.array([row[5] for row in rows]))
    dense_scores = standardise(np.array([row[6] for row in rows]))
    best_hit = found.hits[0].score
    found_candidates = []
    for i, (hit, index, sentence, text, tokens, late, _dense, coverage) in enumerate(rows):
        score = weights.late * late_scores[i] + weights.dense * dense_scores[i] + weights.coverage * coverage
        score += weights.hit * (hit.score - best_hit)
        wanted = [want for want in expectation.wants if want != "list"]
        if wanted and any(holds(want, text) for want in wanted):
            score += weights.evidence
        if sentence.kind == "title":
            score += weights.title
        if sentence.kind == "note" and not expectation.wants & {"url", "date", "person"}:
            score += weights.note
        if len(text.split()) < SHORTEST:
            score += weights.short
        if is_dangling(text):
            score += weights.dangling
        if _is_reference(hit, text) and not expectation.wants & {"url", "date", "person"}:
            score += weights.reference
        if sentence.kind == "table" and ":" not in text and ";" in text:
            score += weights.head
        found_candidates.append(Candidate(hit, index, sentence, text, tokens, float(score), late, coverage))
    return sorted(found_candidates, key=lambda c: -c.score)


def _is_reference(hit: Hit, text: str) -> bool:
    return "http" in text or any(fold(part).startswith("sources") for part in hit.chunk.section[-1:])


def is_dangling(text: str) -> bool:
    """Whether a sentence leans on the one before it (« Elle permet… », « Cette dernière… »)."""
    return bool(_DANGLING.match(fold(text)))


def _tokens(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text) if word not in STOP_WORDS)


def _term_weights(query: Query, generation: Generation) -> dict[str, float]:
    return {term.token: term.weight * generation.lexical.idf(term.token) for term in query.terms}


def _coverage(tokens: frozenset[str], term_weights: dict[str, float]) -> float:
    total = sum(term_weights.values())
    return sum(weight for token, weight in term_weights.items() if token in tokens) / total if total else 0.0
