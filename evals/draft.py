"""Candidate questions for a document, from its headings, numbers, dates and definitions, for a person to accept or rewrite.

A candidate is a reference question but for its id: its evidence is a sentence that its page holds word for word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest

from corpus.errors import UsageError
from evals.anchors import PageBook
from evals.asking import Asked, ask, first_words
from evals.matching import squash
from evals.questions import Question
from rag.generation import Generation
from rag.lexical import fold, stem

SHORTEST, LONGEST = 25, 320  # characters of a sentence worth a question
ABOUT = "Que dit le document de « "
TELLING = 6  # words of four letters or more, below which a sentence that suggests nothing is left out
KEYWORDS = 3  # of a sentence that suggests nothing else, to ask about
_ASKED = re.compile(r"^(?P<q>[^.?!]{8,120}\?)$")
_NUMBERING = re.compile(
    r"^(?:(?:article|section|partie|chapitre|titre|annexe)\b ?)?(?:[\dIVX]+[.)°-]?)*[ .:–-]*", re.IGNORECASE
)
_BULLET = re.compile(r"^[•▪◦●➢➔–—*-]\s*")
_WORD = re.compile(r"[^\W\d_]{4,}")


def candidates(generation: Generation, document_id: str, known: Iterable[Question] = ()) -> list[Question]:
    """Candidates of one document, one kind after the other. Raises UsageError where the index doesn't hold it.

    What the references in `known` already rest on is left out."""
    if document_id not in generation.documents:
        near = ", ".join(list(generation.documents)[:6])
        raise UsageError(f"Document inconnu : « {document_id} ». Dans cet index : {near}… (boussole corpus list)")
    asked = {squash(evidence) for question in known for part in question.parts for evidence in part.evidence}
    by_kind: dict[str, list[Question]] = {}
    seen: set[str] = set()
    for found in _found(generation, document_id):
        key = squash(found.evidence[0])
        if key in seen or found.question in seen or any(key in other or other in key for other in asked):
            continue
        seen |= {key, found.question}
        # a mere heading or a few words are a last resort: they come after all that a sentence suggests
        by_kind.setdefault("~" if found.question.startswith(ABOUT) else found.kind, []).append(found)
    last = by_kind.pop("~", [])
    mixed = chain.from_iterable(zip_longest(*by_kind.values()))
    return [*(found for found in mixed if found is not None), *last]


def locate(text: str, book: PageBook) -> tuple[str, int] | None:
    """The page that holds a text word for word, signs and spaces aside."""
    wanted = squash(text)
    return next((spot for spot, page in book.squashed.items() if wanted and wanted in page), None)


def _found(generation: Generation, document_id: str) -> Iterator[Question]:
    rows = [row for row in range(len(generation)) if generation.chunk(row).document_id == document_id]
    running = _running_heads(generation, rows)
    for row in rows:
        chunk = generation.chunk(row)
        if chunk.section and squash(chunk.section[-1]) == "sources":
            continue
        sentences = [(chunk.text[s.start : s.end], s.kind) for s in generation.sentences(row)]
        bodies = [text for text, kind in sentences if kind == "body" and _worth(text)]
        heading = next((text for text, kind in sentences if kind == "title"), "")
        if _without_digits(heading) in running:
            heading = ""
        for number, text in enumerate(bodies):
            page = _page(generation, document_id, chunk.page, chunk.page_end, text)
            if page is None:
                continue
            for asked in _asked(text, heading if number == 0 else "", generation):
                yield Question(
                    id="candidat",
                    question=asked.question,
                    kind=asked.kind,
                    document_id=document_id,
                    pages=(page,),
                    evidence=(text,),
                    facts=asked.facts,
                    answer=" ".join(text.split()),
                )


def _asked(text: str, heading: str, generation: Generation) -> Iterator[Asked]:
    """What a sentence suggests, else its heading, else its rarest words: something to rewrite is better than a blank page."""
    fact = ((first_words(_BULLET.sub("", " ".join(text.split()))),),)
    title = _NUMBERING.sub("", " ".join(heading.split())).strip(" :.")
    if asked := _ASKED.match(heading.strip()):
        question = " ".join(asked["q"].split())
        question = question.capitalize() if question.isupper() else question
        yield Asked("how" if question.lower().startswith("comment") else "factual", question, fact)
        return
    found = list(ask(text))[:1]
    if not found and len(_WORD.findall(title)) > 1 and len(title) <= 90:
        found = [Asked("factual", f"{ABOUT}{title} » ?", fact)]
    elif not found and len(_WORD.findall(text)) >= TELLING and len(words := _rarest(text, generation)) == KEYWORDS:
        found = [Asked("factual", f"{ABOUT}{', '.join(words)} » ?", fact)]
    yield from found


def _rarest(text: str, generation: Generation) -> list[str]:
    """The words that tell a sentence from the rest of the corpus, in its own order."""
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(text)))
    rare = sorted(words, key=lambda word: (-generation.lexical.idf(stem(fold(word))), words.index(word)))[:KEYWORDS]
    return [word for word in words if word in rare]


def _running_heads(generation: Generation, rows: Sequence[int]) -> set[str]:
    """Titles that come back, page numbers apart: what is printed at the top of every page is no heading."""
    titles = Counter(
        _without_digits(chunk.text[s.start : s.end])
        for row in rows
        for chunk in [generation.chunk(row)]
        for s in generation.sentences(row)
        if s.kind == "title"
    )
    return {title for title, count in titles.items() if count > 1}


def _without_digits(text: str) -> str:
    return re.sub(r"\d+", "", squash(text))


def _worth(text: str) -> bool:
    return SHORTEST <= len(text) <= LONGEST and text[-1:] in ".!…»" and not text.startswith(("http", "www"))


def _page(generation: Generation, document_id: str, first: int, last: int, text: str) -> int | None:
    wanted = squash(text)
    for number in range(first, last + 1):
        page = generation.page(document_id, number)
        if page is not None and wanted in squash(page.text):
            return number
    return None
