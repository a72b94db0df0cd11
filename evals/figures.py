"""What is measured of one answer. A question on which the system failed counts as the worst, never as missing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from evals.questions_file import Question
from rag.answer import Answer, Passage
from rag.verify import numbers

PageText = Callable[[str, int], str]


def normalise(text: str) -> str:
    """Case, accents, spaces and typographic signs don't count."""
    text = unicodedata.normalize("NFKD", text.lower())
    text = "".join(c for c in text if not unicodedata.combining(c)).replace("’", "'").replace("œ", "oe")
    text = re.sub(r"(?<=\d)\s+(?=\d{3}\b)", "", text)
    return re.sub(r"\s+", " ", re.sub(r"\s+(?=[%€])", "", text))


def measure(question: Question, passages: Sequence[Passage], answer: Answer, page_text: PageText) -> dict[str, float]:
    """Value of each metric that applies to this question, from 0 (worst) to 1 (best), but for words and milliseconds."""
    answered = answer.status == "answered"
    found: dict[str, float] = {"ms": answer.timings_ms.total}
    if question.answerable:
        found["answered"] = float(answered)
        gold = {(question.document_id, page) for page in question.pages}
        if gold:
            pages = [(p.document_id, p.page) for p in passages]
            found["recall@1"] = float(bool(gold & set(pages[:1])))
            found["recall@5"] = float(bool(gold & set(pages[:5])))
            found["cited_page"] = float(bool(gold & {(c.document_id, c.page) for c in answer.citations}))
        if question.facts:
            text = normalise(answer.answer if answered else "")
            found["facts"] = sum(any(normalise(v) in text for v in fact) for fact in question.facts) / len(
                question.facts
            )
    elif question.kind != "false_premise":
        found["abstained"] = float(not answered)
    if answered:
        quotes = [(c.quote, page_text(c.document_id, c.page)) for c in answer.citations]
        found["quotes"] = sum(quote in text for quote, text in quotes) / max(len(quotes), 1)
        found["sentences_cited"] = sum(bool(s.citations) for s in answer.sentences) / max(len(answer.sentences), 1)
        found["numbers"] = float(numbers(answer.answer) <= numbers(" ".join(quote for quote, _ in quotes)))
        found["words"] = float(len(answer.answer.split()))
    return found
