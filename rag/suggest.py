"""Next questions that the corpus can answer, made from the headings near what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.generation import Generation
from rag.lexical import fold, tokenize
from rag.retrieve import Found
from rag.select import Candidate

MOST = 3
_INNER = re.compile(r"«\s*([^»]*?)\s*»")


def suggest(found: Found, generation: Generation, question: str, ranked: Sequence[Candidate]) -> tuple[str, ...]:
    """Up to three questions about headings of the found passages that the question didn't already name."""
    asked = set(tokenize(question))
    suggestions: dict[str, str] = {}
    for hit in found.hits:
        if not hit.chunk.section:
            continue
        heading = hit.chunk.section[-1].strip(" :.")
        tokens = set(tokenize(heading))
        if fold(generation.documents[hit.chunk.document_id].title) in fold(heading):
            continue  # a running head, or the document itself
        if len(tokens) < 2 or len(heading) > 90 or len(tokens & asked) / len(tokens) > 0.6:
            continue
        text = heading if heading.endswith("?") else f"Que dit le corpus sur « {_inner(heading)} » ?"
        suggestions.setdefault(fold(heading), text)
        if len(suggestions) == MOST:
            break
    return tuple(suggestions.values())


def _inner(heading: str) -> str:
    """Quotation marks inside others, as French typography has them."""
    return _INNER.sub(r"“\1”", heading)
