"""After retrieval: passages are ordered again by their best sentence, and neighbours of one page are joined."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from rag.expect import Expectation
from rag.generation import Generation
from rag.retrieve import Found, Hit
from rag.select import candidates

RERANKED = 20  # hits that are ordered again, about 0.3 ms each
BEST_SENTENCE = 0.25  # weight of the best sentence's score (docs/adr/0005-retrieval.md)

SAME_PAGE = 3.0  # lost for each better passage of the same page
ADDRESSES = 3.0  # lost by a passage that is nothing but web addresses, where none is asked for
ADDRESS = re.compile(r"\S*(?:://|www\.)\S+")


def rerank(found: Found, expectation: Expectation, generation: Generation) -> Found:
    """The hits, each with the score of its best sentence added, best first."""
    best: dict[int, float] = {}
    for candidate in candidates(found, expectation, generation, passages=RERANKED):
        best.setdefault(candidate.hit.row, candidate.score)
    lowest = min(best.values(), default=0.0)
    addresses = 0.0 if "url" in expectation.wants else ADDRESSES
    scored = [
        replace(
            hit,
            score=hit.score
            + BEST_SENTENCE * best.get(hit.row, lowest)
            - addresses * _share_of_addresses(hit.chunk.text),
        )
        for hit in found.hits
    ]
    return replace(found, hits=tuple(sorted(scored, key=lambda hit: -hit.score)))


def _share_of_addresses(text: str) -> float:
    return sum(len(match.group()) for match in ADDRESS.finditer(text)) / max(len(text), 1)


def join_neighbours(hits: Sequence[Hit]) -> list[list[Hit]]:
    """Hits by passage, best first: those of one page that follow each other in the document are one passage."""
    passages: list[list[Hit]] = []
    for hit in hits:
        home = next((passage for passage in passages if any(_neighbours(hit, other) for other in passage)), None)
        if home is None:
            passages.append([hit])
        else:
            home.append(hit)
    return passages


def spread(passages: Sequence[list[Hit]]) -> list[tuple[list[Hit], float]]:
    """The passages with their scores, best first, each one lowered by those of its page that come before it: who reads five
    passages sees more than one page."""
    seen: Counter[tuple[str, int]] = Counter()
    scored = []
    for hits in passages:
        page = hits[0].chunk.document_id, hits[0].chunk.page
        scored.append((hits, hits[0].score - SAME_PAGE * seen[page]))
        seen[page] += 1
    return sorted(scored, key=lambda passage: -passage[1])


def _neighbours(a: Hit, b: Hit) -> bool:
    one_page = a.chunk.page == a.chunk.page_end == b.chunk.page == b.chunk.page_end
    same = a.chunk.document_id == b.chunk.document_id and a.chunk.kind == b.chunk.kind
    return one_page and same and abs(a.chunk.ordinal - b.chunk.ordinal) == 1
