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

NOVEL = 2  # content words that a sentence must add to the question's
PASSAGES = 8  # hits whose sentences are candidates
SHORTEST = 2  # content words of a sentence that can stand alone
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
    dense: float = 0.19
    coverage: float = 2.01
    hit: float = 0.33
    evidence: float = 0.59
    title: float = -1.08
    short: float = -2.0
    note: float = -0.22
    dangling: float = -0.18
    reference: float = -1.99  # a line of a bibliography answers only who asks for a document
    heading: float = 1.02  # of the coverage, for the words that only the heading says
    lead: float = 0.3  # of the coverage, for the words that only the sentence before says
    listed: float = 0.78
    label: float = 0.8  # « Mécénat : … » for who asks of mécénat
    repeats: float = -1.19  # says nothing that the question didn't
    head: float = -3.92  # a table's head names its columns and says nothing


def candidates(
    found: Found,
    expectation: Expectation,
    generation: Generation,
    weights: SelectionWeights | None = None,
    passages: int = PASSAGES,
) -> list[Candidate]:
    """All sentences of the first hits, best first."""
    weights = weights or SelectionWeights()
    query_weights, query_vectors = query_words(found.query, found.encoded, generation)
    terms = _term_weights(found.query, generation)
    rows: list[_Row] = []
    for hit in found.hits[:passages]:
        rows += _rows(hit, terms, query_weights, query_vectors, found, generation, weights)
    if not rows:
        return []
    late = standardise(np.array([row.late for row in rows]))
    dense = standardise(np.array([row.dense for row in rows]))
    best_hit = found.hits[0].score
    scored = []
    for i, row in enumerate(rows):
        score = weights.late * late[i] + weights.dense * dense[i] + weights.coverage * row.coverage
        score += weights.hit * (row.hit.score - best_hit) + _traits(row, expectation, terms, weights)
        scored.append(
            Candidate(row.hit, row.index, row.sentence, row.text, row.tokens, float(score), row.late, row.coverage)
        )
    return sorted(scored, key=lambda c: -c.score)


@dataclass(frozen=True)
class _Row:
    """A sentence before its score: its match with the question's words, and what stands around it."""

    hit: Hit
    index: int
    sentence: ChunkSentence
    text: str
    tokens: frozenset[str]
    late: float
    dense: float
    coverage: float
    announces: bool  # a list follows


def _rows(
    hit: Hit,
    terms: dict[str, float],
    query_weights: np.ndarray,
    query_vectors: np.ndarray,
    found: Found,
    generation: Generation,
    weights: SelectionWeights,
) -> list[_Row]:
    spans, vectors = generation.word_vectors(hit.row)
    sentence_vectors = generation.sentence_vectors(hit.row)
    heading = _tokens(" ".join(hit.chunk.section))
    head = next((s for s in hit.sentences if s.kind == "table"), None)
    lead: frozenset[str] = frozenset()  # the sentence before, or the one that announces the list
    rows = []
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
        coverage = _coverage(said, terms) + weights.heading * _coverage(heading - said, terms)
        leaning = (
            1.0 if is_dangling(text) else weights.lead
        )  # « Cette dernière correspond… » speaks of what was just named
        coverage += leaning * _coverage(lead - said - heading, terms)
        after = hit.sentences[index + 1] if index + 1 < len(hit.sentences) else None
        announces = after is not None and after.kind == "list" and not text.startswith("- ")
        rows.append(_Row(hit, index, sentence, text, tokens, late, dense, coverage, announces))
        if sentence.kind != "list" or announces:
            lead = tokens
    return rows


def _traits(row: _Row, expectation: Expectation, terms: dict[str, float], weights: SelectionWeights) -> float:
    """What a sentence is worth beside its match: the kind of thing asked for, its form, its novelty."""
    score = 0.0
    text, kind = row.text, row.sentence.kind
    wanted = [want for want in expectation.wants if want != "list"]
    if wanted and any(holds(want, text) for want in wanted):
        score += weights.evidence
    if "list" in expectation.wants and (row.announces or kind == "list"):
        score += weights.listed
    if kind == "title":
        score += weights.title
    if kind == "note" and not expectation.wants & {"url", "date", "person"}:
        score += weights.note
    if len(row.tokens) < SHORTEST or _is_byline(text):
        score += weights.short
    if is_dangling(text):
        score += weights.dangling
    if _is_reference(row.hit, text) and not expectation.wants & {"url", "date", "person"}:
        score += weights.reference
    if kind == "table" and ":" not in text and ";" in text:
        score += weights.head
    if len(row.tokens - terms.keys()) < NOVEL and not row.announces:
        score += weights.repeats
    label, colon, _ = text.partition(" : ")
    named = _tokens(label) if colon else frozenset()
    if named and len(named) <= 6:
        score += weights.label * len(named & terms.keys()) / len(named)
    return score


def _is_reference(hit: Hit, text: str) -> bool:
    return "http" in text or any(fold(part).startswith("sources") for part in hit.chunk.section[-1:])


def _is_byline(text: str) -> bool:
    """« Fiche · Éditeur · 24 novembre 2026 »: a line of furniture."""
    return text.count(" · ") >= 2 and len(text.split()) < 14


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
