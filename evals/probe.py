"""Falsified sentences for the verifier: what it must reject, made from the answers that it let through.

An extractive answer never strays from its quotes, so a verifier that lets everything pass would not show in its answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from evals.matching import numbers
from rag.answer import Answer, Sentence
from rag.compose import DraftSentence, Quote
from rag.verify import verify

_DIGITS = re.compile(r"\d+")
INVENTED_NAME = "selon le professeur Zébulon Krachmalnikov"
INVENTED_ADDRESS = "voir https://invente.example.org/page"


def falsified(answer: Answer) -> Iterator[DraftSentence]:
    """Each sentence of an answer with no quote, another number, an invented name, an invented address."""
    for sentence in answer.sentences:
        quotes = _quotes(sentence, answer)
        if not quotes:
            continue
        yield DraftSentence(sentence.text, ())
        if other := _other_number(sentence.text, quotes):
            yield DraftSentence(other, quotes)
        body = sentence.text.rstrip(" .!?…")
        yield DraftSentence(f"{body}, {INVENTED_NAME}.", quotes)
        yield DraftSentence(f"{body}, {INVENTED_ADDRESS}.", quotes)


def rejected(answer: Answer) -> float | None:
    """Share of the falsified sentences that the verifier drops; None where the answer has no sentence to falsify."""
    drafts = list(falsified(answer))
    if not drafts:
        return None
    kept, _ = verify(drafts)
    return 1 - len(kept) / len(drafts)


def _quotes(sentence: Sentence, answer: Answer) -> tuple[Quote, ...]:
    return tuple(
        Quote(c.document_id, c.page, 0, len(c.quote), c.quote, (c.section,), c.score)
        for c in answer.citations
        if c.n in sentence.citations
    )


def _other_number(text: str, quotes: tuple[Quote, ...]) -> str | None:
    found = _DIGITS.search(text)
    if found is None:
        return None
    known = set().union(*(numbers(q.text) for q in quotes))
    other = int(found.group()) + 13
    while str(other) in known:
        other += 1
    changed = text[: found.start()] + str(other) + text[found.end() :]
    return changed if numbers(changed) - known else None
