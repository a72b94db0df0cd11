"""The extractive composer: a short French answer made of the corpus's own sentences, direct answer first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from corpus.chunk import locate
from rag.expect import Expectation, holds
from rag.generation import Generation
from rag.lexical import tokenize
from rag.retrieve import Found, Hit
from rag.select import Candidate, candidates, is_dangling

BUDGET = 75  # words of an answer that isn't a list
LIST_BUDGET = 140
MOST_SENTENCES = 5
WORTH = 4.1  # how far below the best a sentence may score and still be said
LONGEST_LIST = 12  # items shown of one list
ADJACENT = 0.6  # what a sentence gains that goes on from the best one: an answer reads on
CELL = re.compile(r"[^\s:;](?:(?! [:;] ).)*")  # of a row « label : cell ; cell »
ALIKE = 0.6  # share of words in common beyond which two sentences say the same thing


@dataclass(frozen=True)
class Quote:
    """`page.text[start:end]`, verbatim."""

    document_id: str
    page: int
    start: int
    end: int
    text: str
    section: tuple[str, ...]
    score: float


@dataclass(frozen=True)
class DraftSentence:
    text: str
    quotes: tuple[Quote, ...]
    item: bool = False  # an item of a list, shown on its own line


@dataclass(frozen=True)
class Draft:
    sentences: tuple[DraftSentence, ...]
    support: tuple[Candidate, ...]  # what it was made of, best first


def compose(found: Found, expectation: Expectation, generation: Generation) -> Draft:
    """Choose, order and tidy the sentences that answer."""
    ranked = candidates(found, expectation, generation)
    if not ranked:
        return Draft((), ())
    chosen = _choose(ranked, expectation)
    asked = frozenset(term.token for term in found.query.terms)
    return Draft(tuple(_sentence(c, asked, expectation, generation) for c in chosen), tuple(ranked))


def _choose(ranked: Sequence[Candidate], expectation: Expectation) -> list[Candidate]:
    by_key = {c.key: c for c in ranked}
    budget = LIST_BUDGET if "list" in expectation.wants else BUDGET
    best = next((c for c in ranked if c.sentence.kind != "title" and not _is_table_head(c)), ranked[0])
    chosen: list[Candidate] = []
    length = 0
    reading_on = [c for c in ranked if c.key == (best.key[0], best.key[1] + 1) and c.sentence.kind == "body"]
    gained = {c.key: c.score + (ADJACENT if c in reading_on else 0.0) for c in ranked}
    for candidate in [best, *sorted(ranked, key=lambda c: -gained[c.key])]:
        if gained[candidate.key] < best.score - WORTH or len(chosen) >= (
            10 if "list" in expectation.wants else MOST_SENTENCES
        ):
            break
        if candidate in chosen or candidate.sentence.kind == "title" or _is_table_head(candidate):
            continue
        if any(_alike(candidate, other) for other in chosen):
            continue
        group = _with_neighbours(candidate, by_key, expectation)
        new = [c for c in group if c not in chosen]
        words = sum(c.length for c in new)
        if chosen and length + words > budget:
            continue
        chosen += new
        length += words
    return _order(chosen)


def _with_neighbours(
    candidate: Candidate, by_key: dict[tuple[int, int], Candidate], expectation: Expectation
) -> list[Candidate]:
    """The sentence, with the one that it leans on, and the items that it announces."""
    row, index = candidate.key
    group = [candidate]
    before = by_key.get((row, index - 1))
    if (
        is_dangling(candidate.text)
        and before
        and before.sentence.kind == candidate.sentence.kind
        and before.length <= 40
    ):
        group.insert(0, before)
    item = candidate.sentence.kind == "list"
    after = by_key.get((row, index + 1))
    listed = "list" in expectation.wants or "definition" in expectation.wants
    announced = candidate.text.rstrip().endswith(":") or (
        listed and after is not None and after.sentence.kind == "list"
    )
    if announced or (item and "list" in expectation.wants):
        start = index
        if item and not candidate.text.rstrip().endswith(":"):
            while (previous := by_key.get((row, start - 1))) and previous.sentence.kind == "list":
                start -= 1
            lead = by_key.get((row, start - 1))
            group = [lead] if lead and lead.sentence.kind == "body" and lead.length <= 40 else []
            start -= 1
        following = start + 1
        while (after := by_key.get((row, following))) and after.sentence.kind == "list":
            group.append(after)
            following += 1
            if len(group) > LONGEST_LIST:
                break
    return group


def _is_table_head(candidate: Candidate) -> bool:
    return candidate.sentence.kind == "table" and " : " not in candidate.text and ";" in candidate.text


def _alike(a: Candidate, b: Candidate) -> bool:
    smaller = min(len(a.tokens), len(b.tokens))
    return smaller > 0 and len(a.tokens & b.tokens) / smaller > ALIKE and a.key[0] != b.key[0]


def _order(chosen: Sequence[Candidate]) -> list[Candidate]:
    """The best sentence's passage first; within a passage, the order of the text."""
    rank: dict[int, int] = {}
    for candidate in chosen:
        rank.setdefault(candidate.hit.row, len(rank))
    return sorted(chosen, key=lambda c: (rank[c.hit.row], c.index))


def _sentence(
    candidate: Candidate, asked: frozenset[str], expectation: Expectation, generation: Generation
) -> DraftSentence:
    if candidate.sentence.kind == "table":
        return _row(candidate, asked, expectation, generation)
    quotes = quote(candidate.hit, candidate.sentence.start, candidate.sentence.end, generation, candidate.score)
    return DraftSentence(tidy(candidate.text), quotes, candidate.sentence.kind == "list")


def _row(
    candidate: Candidate, asked: frozenset[str], expectation: Expectation, generation: Generation
) -> DraftSentence:
    """A table's row reduced to its label and the cells that were asked for, each with its own quote: on the page, cells
    stand apart."""
    start = candidate.sentence.start
    cells = [(start + m.start(), start + m.end()) for m in CELL.finditer(candidate.text)]
    chunk = candidate.hit.chunk.text
    kept = [(a, b) for a, b in cells[1:] if _asked_for(chunk[a:b], asked, expectation)]
    kept = cells if not cells or " : " not in candidate.text else [cells[0], *(kept or cells[1:])]
    quotes = tuple(q for a, b in kept for q in quote(candidate.hit, a, b, generation, candidate.score))
    label, *rest = (chunk[a:b] for a, b in kept)
    return DraftSentence(tidy(f"{label} : {' ; '.join(rest)}" if rest else label), quotes)


def _asked_for(cell: str, asked: frozenset[str], expectation: Expectation) -> bool:
    wanted = [want for want in expectation.wants if want in ("number", "percent", "money", "duration", "date")]
    return bool(set(tokenize(cell)) & asked) or any(holds(want, cell) for want in wanted)


def quote(hit: Hit, start: int, end: int, generation: Generation, score: float) -> tuple[Quote, ...]:
    """Where a span of a chunk stands: one quote a page that it touches."""
    found = []
    for page, a, b in locate(hit.chunk.pieces, start, end):
        text = generation.page(hit.chunk.document_id, page)
        if text is not None:
            found.append(Quote(hit.chunk.document_id, page, a, b, text.text[a:b], hit.chunk.section, score))
    return tuple(found)


_BULLET = re.compile(r"^(?:[>»•▪◦*–—-]|\d{1,2}[.)])\s+")


def tidy(text: str) -> str:
    """A sentence as it is shown: without its bullet, on one line, beginning with a capital and ending with a stop."""
    text = " ".join(_BULLET.sub("", text.strip()).split())
    if text[:1].islower():
        text = text[0].upper() + text[1:]
    if text and text[-1] in ",;":
        text = text[:-1].rstrip()
    if (text and text[-1] not in ".!?…:»)") or text.endswith(("»", ")")):
        text += "."
    return text
