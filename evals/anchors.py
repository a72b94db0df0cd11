"""Where a reference's evidence stands in the corpus of today: here, moved to another page, changed, or gone.

Evidence is looked for on its declared pages, then (re-anchoring) on the other pages of its document, then in the other
documents; letters and digits must be the same, spaces and signs need not. What isn't found so is looked for by likeness,
to show what the page says instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict
from rapidfuzz import fuzz

from evals.matching import fold, squash
from evals.questions import Part, Question
from rag.answer import DocumentInfo, PageText

State = Literal["here", "moved", "changed", "gone"]
Spot = tuple[str, int]  # document, page
CHANGED = 0.7  # likeness above which a text is taken for the same passage, reworded; below it, another one
LIKELIEST = 20  # pages looked at for what became of a text whose document is gone
LONG_ENOUGH = 16  # letters and digits: a shorter piece found in another document may be there by chance


_WORD = re.compile(r"\w{4,}")


class Pages(Protocol):
    """What an Assistant gives of its corpus."""

    @property
    def documents(self) -> list[DocumentInfo]: ...

    def page(self, document_id: str, number: int) -> PageText | None: ...


class Anchor(BaseModel):
    """One piece of evidence: where the reference says that it stands, and where it stands."""

    model_config = ConfigDict(frozen=True)

    evidence: str
    state: State
    declared: tuple[Spot, ...] = ()
    spots: tuple[Spot, ...] = ()
    now: str | None = None  # of a changed one: what the page says today


@dataclass(frozen=True)
class PageBook:
    """All page texts of a corpus, squashed once."""

    texts: dict[Spot, str]

    @classmethod
    def of(cls, pages: Pages) -> PageBook:
        found = {}
        for document in pages.documents:
            for number in range(1, document.pages + 1):
                page = pages.page(document.id, number)
                if page is not None:
                    found[document.id, number] = page.text
        return cls(found)

    @cached_property
    def squashed(self) -> dict[Spot, str]:
        return {spot: squash(text) for spot, text in self.texts.items()}

    @cached_property
    def by_document(self) -> dict[str, list[Spot]]:
        found: dict[str, list[Spot]] = {}
        for spot in self.texts:
            found.setdefault(spot[0], []).append(spot)
        return found

    def successor(self, part: Part) -> str | None:
        """The document that holds all the evidence of a part whose own document is gone (renamed, most often)."""
        wanted = [squash(evidence) for evidence in part.evidence]
        if sum(map(len, wanted)) < LONG_ENOUGH:
            return None
        for document_id, spots in self.by_document.items():
            if all(any(text in self.squashed[spot] for spot in spots) for text in wanted):
                return document_id
        return None

    def likeliest(self, evidence: str) -> list[Spot]:
        """The pages that share most of a text's words: where to look for what became of it."""
        asked = set(_WORD.findall(fold(evidence)))
        shared = {spot: len(asked & words) for spot, words in self.words.items()}
        return sorted(shared, key=lambda spot: -shared[spot])[:LIKELIEST]

    @cached_property
    def words(self) -> dict[Spot, frozenset[str]]:
        return {spot: frozenset(_WORD.findall(fold(text))) for spot, text in self.texts.items()}

    def spots(self, document_id: str | None, pages: Sequence[int]) -> list[Spot]:
        """The existing pages that a part of a reference names; all pages with these numbers where it names no document."""
        documents = [document_id] if document_id else list(self.by_document)
        return [(d, n) for d in documents for n in pages if (d, n) in self.texts]


def anchor(question: Question, book: PageBook) -> tuple[Anchor, ...]:
    """Where each piece of evidence of a question stands."""
    return tuple(_anchor(evidence, part, book) for part in question.parts for evidence in part.evidence)


def gold(question: Question, anchors: Iterable[Anchor], book: PageBook) -> frozenset[Spot]:
    """The pages that a right answer rests on: where the evidence stands today, else those that the reference names."""
    spots = {spot for found in anchors for spot in (found.spots or found.declared)}
    if spots:
        return frozenset(spots)
    return frozenset(spot for part in question.parts for spot in _declared(part, book))


def _declared(part: Part, book: PageBook) -> tuple[Spot, ...]:
    if part.document_id:
        return tuple((part.document_id, n) for n in part.pages)
    return tuple(book.spots(None, part.pages))


def _anchor(evidence: str, part: Part, book: PageBook) -> Anchor:
    declared = _declared(part, book) if part.document_id else ()
    if part.document_id and part.document_id not in book.by_document:
        part = part.model_copy(update={"document_id": book.successor(part), "pages": ()})
    wanted = squash(evidence)
    near = book.spots(part.document_id, part.pages)
    if found := _holding(wanted, near, book):
        return Anchor(evidence=evidence, state="here", declared=declared, spots=tuple(found))
    own = book.by_document.get(part.document_id or "", [])
    if found := _holding(wanted, own, book):
        return Anchor(evidence=evidence, state="moved", declared=declared, spots=tuple(found))
    if len(wanted) >= LONG_ENOUGH and (found := _holding(wanted, book.texts, book)):
        # a reference that names neither document nor pages has nowhere to be moved from
        state: State = "moved" if declared or part.document_id or part.pages else "here"
        return Anchor(evidence=evidence, state=state, declared=declared, spots=tuple(found))
    best, spot, now = _closest(evidence, [*near, *own] or book.likeliest(evidence), book)
    if best >= CHANGED and spot is not None:
        return Anchor(evidence=evidence, state="changed", declared=declared, spots=(spot,), now=now)
    return Anchor(evidence=evidence, state="gone", declared=declared)


def _holding(wanted: str, spots: Iterable[Spot], book: PageBook) -> list[Spot]:
    """The pages that hold a squashed text; two that follow each other where it runs over their break."""
    spots = list(spots)
    found = [spot for spot in spots if wanted and wanted in book.squashed[spot]]
    return found or next((list(pair) for pair in _pairs(spots, book) if wanted in _joined(pair, book)), [])


def _pairs(spots: Iterable[Spot], book: PageBook) -> Iterator[tuple[Spot, Spot]]:
    for document_id, number in spots:
        if (document_id, number + 1) in book.texts:
            yield (document_id, number), (document_id, number + 1)


def _joined(pair: tuple[Spot, Spot], book: PageBook) -> str:
    return book.squashed[pair[0]] + book.squashed[pair[1]]


def _closest(evidence: str, spots: Sequence[Spot], book: PageBook) -> tuple[float, Spot | None, str | None]:
    best: tuple[float, Spot | None, str | None] = (0.0, None, None)
    asked = " ".join(evidence.lower().split())
    for spot in dict.fromkeys(spots):
        text = " ".join(book.texts[spot].split())
        aligned = fuzz.partial_ratio_alignment(asked, text.lower(), score_cutoff=best[0] * 100)
        if aligned is not None and aligned.score / 100 > best[0] and len(asked) <= len(text):
            best = (aligned.score / 100, spot, text[aligned.dest_start : aligned.dest_end])
    return best
