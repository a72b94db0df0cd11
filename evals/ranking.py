"""Retrieval figures, computed by ir-measures: pages (chunks folded to the pages that they stand on) and passages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

import ir_measures
from ir_measures import RR, R, Success, nDCG

from evals.anchors import Spot
from rag.answer import Passage
from rag.retrieve import Found

BY_PAGE = (R @ 1, R @ 3, R @ 5, R @ 10, R @ 20, Success @ 1, Success @ 5, RR @ 10, nDCG @ 10)
SIGNALS = ("lexical", "dense", "late")
BY_PASSAGE = (R @ 5, RR @ 10, nDCG @ 10)


class Placed(Protocol):
    """A passage, or what a run keeps of it."""

    @property
    def document_id(self) -> str: ...
    @property
    def page(self) -> int: ...
    @property
    def page_end(self) -> int: ...


def pages_of(passages: Iterable[Placed]) -> list[Spot]:
    """Pages in the order in which the passages show them, each once."""
    return list(dict.fromkeys((p.document_id, n) for p in passages for n in range(p.page, p.page_end + 1)))


def passage_key(document_id: str, text: str) -> str:
    """Names a passage by what it says, so that two indexes can be compared."""
    return hashlib.sha256(f"{document_id}\x1f{text}".encode()).hexdigest()[:12]


def measure(
    ranked: Sequence[str], relevant: Iterable[str], measures: Sequence[ir_measures.Measure]
) -> dict[str, float]:
    """Each measure of one ranked list; what wasn't found at all counts as the measure's worst."""
    qrels = [ir_measures.Qrel("q", name, 1) for name in relevant]
    run = [ir_measures.ScoredDoc("q", name, float(len(ranked) - rank)) for rank, name in enumerate(ranked)]
    return {str(m.measure): float(m.value) for m in ir_measures.iter_calc(measures, qrels, run)}


def page_figures(passages: Sequence[Passage], gold: Iterable[Spot]) -> dict[str, float]:
    return measure([spot_name(s) for s in pages_of(passages)], [spot_name(s) for s in gold], BY_PAGE)


def passage_figures(keys: Sequence[str], relevant: Iterable[str]) -> dict[str, float]:
    return {f"passage:{name}": value for name, value in measure(keys, relevant, BY_PASSAGE).items()}


def signal_figures(found: Found, gold: Iterable[Spot]) -> dict[str, float]:
    """For each score that retrieval sums up, 1 over the rank of the first right passage, were that score alone to order what
    was found; equal scores count as if the right one came last, so that a search that says nothing shows at once."""
    pages = set(gold)
    right = [
        h
        for h in found.hits
        if any((h.chunk.document_id, n) in pages for n in range(h.chunk.page, h.chunk.page_end + 1))
    ]
    if not right:
        return {f"signal:{name}": 0.0 for name in SIGNALS}
    figures = {}
    for name in SIGNALS:
        best = max(getattr(hit, name) for hit in right)
        figures[f"signal:{name}"] = 1 / (sum(getattr(h, name) >= best for h in found.hits if h not in right) + 1)
    return figures


def spot_name(spot: Spot) -> str:
    """A page as one word, for TREC files: `document#page`."""
    return f"{spot[0]}#{spot[1]}"
