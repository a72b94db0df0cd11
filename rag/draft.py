"""How a chosen sentence is said: its text, tidied, with the quotes that prove it; a table's row reduced to the cells asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rapidfuzz import fuzz

from corpus.chunk import locate
from corpus.joining import join_lines
from rag.expect import SHARP, Expectation, holds
from rag.generation import Generation
from rag.legible import without_scraps
from rag.lexical import fold, tokenize
from rag.retrieve import Hit
from rag.select import Candidate

CELL = re.compile(r"[^\s:;](?:(?! [:;] ).)*")  # of a row « label : cell ; cell »
PRINTED = 75.0  # likeness (0 to 100) of a row's label with the file's own text
PHRASE_WORDS = 4  # words from which a cell says something without its column's head


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
    goes_on: bool = False  # with the item before it, on the same line


def sentence(
    candidate: Candidate, goes_on: bool | None, asked: frozenset[str], expectation: Expectation, generation: Generation
) -> DraftSentence:
    """`goes_on`: None where it isn't shown in a list."""
    if candidate.sentence.kind == "table":
        return replace(_row(candidate, asked, expectation, generation), item=goes_on is False)
    quotes = quote(candidate.hit, candidate.sentence.start, candidate.sentence.end, generation, candidate.score)
    text = tidy(_over_pages(candidate), note=candidate.sentence.kind == "note")
    return DraftSentence(text, quotes, goes_on is False, bool(goes_on))


def _over_pages(candidate: Candidate) -> str:
    """The candidate's text, with a word that the end of a page cut made whole."""
    start, text = candidate.sentence.start, candidate.text
    cuts = [piece.offset - start for piece in candidate.hit.chunk.pieces]
    for cut in reversed(cuts):
        if 0 < cut < len(text) and text[cut - 1] == "-":
            text = join_lines([text[:cut], text[cut:]])
    return text


def _row(
    candidate: Candidate, asked: frozenset[str], expectation: Expectation, generation: Generation
) -> DraftSentence:
    """A table's row reduced to its label and the cells that were asked for, each with its own quote: on the page, cells
    stand apart."""
    chunk = candidate.hit.chunk.text
    kept = _cells(candidate, asked, expectation, generation)
    if not kept:
        return DraftSentence("", ())  # without a proof: the verifier drops it
    # The cells first: a row's label alone may stand elsewhere on the page too.
    quotes = tuple(
        q for a, b in (*kept[1:], *kept[:1]) for q in quote(candidate.hit, a, b, generation, candidate.score)
    )
    pair = len(kept) == 2 and " : " not in candidate.text  # « Tarif, 2 heures ; 1,20 € »: a thing and its figure
    text = chunk[kept[0][0] : kept[0][1]]
    for (_, before), (a, b) in pairwise(kept):
        between = chunk[before:a]
        text += (
            " : " if pair else between if len(between) <= len(" : ") else " : " if before == kept[0][1] else " ; "
        ) + chunk[a:b]
    return DraftSentence(tidy(without_scraps(text)), quotes)


def _cells(
    candidate: Candidate, asked: frozenset[str], expectation: Expectation, generation: Generation
) -> list[tuple[int, int]]:
    """The spans in its chunk of a row's label and of the cells to be shown."""
    start, chunk = candidate.sentence.start, candidate.hit.chunk.text
    spans = ((start + m.start(), start + m.end()) for m in CELL.finditer(candidate.text))
    cells = [(a, b) for a, b in spans if _squash(chunk[a:b])]
    if cells and not _printed(chunk[cells[0][0] : cells[0][1]], candidate.hit, generation):
        cells = cells[1:]
    if not cells or " : " not in candidate.text:
        return cells
    if len(cells) == 2:
        return [cells[0], _without_head(cells[1], candidate.hit)]
    whole = not expectation.wants & SHARP and not _has_heads(candidate.hit, [chunk[a:b] for a, b in cells[1:]])
    kept = [(a, b) for a, b in cells[1:] if whole or _asked_for(chunk[a:b], asked, expectation)]
    if len(kept) == 1 and "list" in expectation.wants:
        kept = [_without_asked_head(kept[0], asked, candidate.hit)]
    return [cells[0], *(kept or cells[1:])]


def _without_asked_head(cell: tuple[int, int], asked: frozenset[str], hit: Hit) -> tuple[int, int]:
    """A cell without its column's head where that only says what is asked for: « Privé : L'économie productive » of who asks for
    the models."""
    start, end = cell
    text = hit.chunk.text[start:end]
    head = next((h for h in _heads(hit) if text.startswith(f"{h} ") and set(tokenize(h)) <= asked), "")
    rest = text[len(head) :].lstrip()
    return (start, end) if rest[:1].isdigit() else (end - len(rest), end)


def _without_head(cell: tuple[int, int], hit: Hit) -> tuple[int, int]:
    """The only cell beside a label, without its column's head where it says something by itself (« Confiance : L'alliance
    apporte L'envie de s'engager »); a figure keeps its head, which says what it counts."""
    start, end = cell
    text = hit.chunk.text[start:end]
    heads = (hit.chunk.text[s.start : s.end].rpartition(" ; ")[2] for s in hit.sentences if s.kind == "table")
    head = next(heads, "")
    rest = text.removeprefix(head).lstrip() if head else text
    if rest == text or rest[:1].isdigit() or len(rest.split()) < PHRASE_WORDS:
        return cell
    return end - len(rest), end


def _has_heads(hit: Hit, cells: Sequence[str]) -> bool:
    """Whether the cells of a row say their columns' heads (« Objectifs … ; Taux de pratique … »): one may be asked for, where
    those of another row are items of one list."""
    heads = [_squash(part) for part in _heads(hit)]
    opening = [cell.split()[0] for cell in cells]
    rows = (hit.chunk.text[s.start : s.end].partition(" : ")[2] for s in hit.sentences if s.kind == "table")
    alike = sum([cell.split()[:1] for cell in row.split(" ; ")] == [[word] for word in opening] for row in rows)
    return (len(cells) > 1 and alike > 1) or any(
        part and _squash(cell).startswith(part) and _squash(cell) != part for cell in cells for part in heads
    )


def _heads(hit: Hit) -> list[str]:
    """The heads of a table's columns, but that of its labels."""
    head = next((hit.chunk.text[s.start : s.end] for s in hit.sentences if s.kind == "table"), "")
    return head.partition(" : ")[2].split(" ; ") if " : " in head else head.split(" ; ")[1:]


def _printed(label: str, hit: Hit, generation: Generation) -> bool:
    """Whether the file itself has a row's label: what the reader put together from a drawing isn't a proof."""
    wanted = _squash(label)
    pages = range(hit.chunk.page, hit.chunk.page_end + 1)
    texts = (page for number in pages if (page := generation.page(hit.chunk.document_id, number)) is not None)
    return any(fuzz.partial_ratio(wanted, _squash(page.raw_text)) >= PRINTED for page in texts)


def _squash(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", fold(text))


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


BULLET = re.compile(r"^(?:[>»•▪◦*+–—-]|\d{1,2}[.)])\s+")
_NOTE_NUMBER = re.compile(r"^[^\w«(\[]*(?:\d{1,3}\b[.)]?\s*)?[^\w«(\[]*(?=\S)")


_ELSEWHERE = re.compile(
    r"\s*\((?:cf\.?|voir)\s[^()]*\b(?:ci-dess(?:ou|u)s|ci-contre|ci-apr[èe]s|infra|supra)\b[^()]*\)", re.IGNORECASE
)


def tidy(text: str, note: bool = False) -> str:
    """A sentence as it is shown: without its bullet, its note's number or what it points to on its page (« cf. schéma
    ci-dessous »), on one line, beginning with a capital and ending with a stop."""
    text = _ELSEWHERE.sub("", " ".join(BULLET.sub("", text.strip()).split()))
    if note:
        text = _NOTE_NUMBER.sub("", text, count=1)
    if text[:1].islower() and not text.startswith(("http", "www.")):
        text = text[0].upper() + text[1:]
    if text and text[-1] in ",;":
        text = text[:-1].rstrip()
    if (text and text[-1] not in ".!?…:»)") or text.endswith(("»", ")")):
        text += "."
    return text
