"""Chunks: what is embedded and indexed, cut along the document's structure, never inside a sentence or a list item.

A chunk is a run of pieces, each a character span of a page's text; its text is the pieces joined by a line break, or by a
space where a sentence goes on from one block to the next. So every sentence of a chunk maps back to its page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from corpus.document import Block, BlockKind, Document
from corpus.sentences import split_sentences

ChunkKind = Literal["body", "note", "table", "list", "caption"]
TokenCounter = Callable[[str], int]


@dataclass(frozen=True)
class ChunkSettings:
    """Sizes in tokens of the embedding model; chosen in docs/adr/0004-chunks.md."""

    target: int = 220
    maximum: int = 340
    minimum: int = 60  # a shorter chunk is joined to its neighbour of the same section


@dataclass(frozen=True)
class Piece:
    """`page.text[start:end]`, at `offset` in its chunk's text."""

    page: int
    start: int
    end: int
    offset: int
    kind: BlockKind


@dataclass(frozen=True)
class Chunk:
    id: str
    document_id: str
    ordinal: int  # rank in the document
    kind: ChunkKind
    section: tuple[str, ...]
    text: str
    pieces: tuple[Piece, ...]
    tokens: int
    quality: float

    @property
    def page(self) -> int:
        return min(piece.page for piece in self.pieces)

    @property
    def page_end(self) -> int:
        return max(piece.page for piece in self.pieces)


@dataclass(frozen=True)
class ChunkSentence:
    """A sentence, list item, table row or heading of a chunk: `chunk.text[start:end]`."""

    start: int
    end: int
    kind: BlockKind


@dataclass(frozen=True)
class _Unit:
    """The smallest thing that isn't cut: a sentence or an item, with its span on its page."""

    text: str
    page: int
    start: int
    end: int
    block: Block
    first: bool  # opens its block
    glued: bool  # goes on from the unit before it (a sentence over two columns or pages)
    tokens: int


def chunk(document: Document, count_tokens: TokenCounter, settings: ChunkSettings | None = None) -> list[Chunk]:
    """The document's chunks in reading order."""
    settings = settings or ChunkSettings()
    groups = _groups(_units(document, count_tokens), settings)
    return [_chunk(document, i, units) for i, units in enumerate(groups)]


def context(title: str, section: Sequence[str]) -> str:
    """What a chunk is embedded and indexed with, beside its text: `title › section`."""
    return " › ".join([title, *section])


def _units(document: Document, count_tokens: TokenCounter) -> Iterator[_Unit]:
    carried = False  # the last body block said that its sentence goes on
    for page in document.pages:
        for block in page.blocks:
            glue = carried and block.kind == "body"
            for i, (a, b) in enumerate(split_sentences(block.text, rows=block.kind == "table")):
                text = block.text[a:b]
                yield _Unit(
                    text,
                    page.number,
                    block.start + a,
                    block.start + b,
                    block,
                    i == 0,
                    glue and i == 0,
                    count_tokens(text),
                )
            if block.kind == "body":
                carried = block.continues


def _family(unit: _Unit) -> str:
    kind = unit.block.kind
    return "body" if kind in ("title", "list", "caption") else kind


def _groups(units: Iterable[_Unit], settings: ChunkSettings) -> list[list[_Unit]]:
    """Units by chunk. Notes and tables are set apart, so that body text is joined over them."""
    streams: dict[str, list[list[_Unit]]] = {"body": [], "note": [], "table": []}
    for unit in units:
        groups = streams[_family(unit)]
        if not groups or _breaks(groups[-1], unit, settings):
            groups.append([])
        groups[-1].append(unit)
    _join_small(streams["body"], settings)
    every = [group for groups in streams.values() for group in groups]
    return sorted(every, key=lambda group: (group[0].page, group[0].start))


def _breaks(group: list[_Unit], unit: _Unit, settings: ChunkSettings) -> bool:
    size = sum(u.tokens for u in group)
    if unit.glued:
        return size + unit.tokens > 2 * settings.maximum
    last = group[-1]
    # A passage is cited by its page: it stays on one, but for the sentence that goes on over the page.
    if size + unit.tokens > settings.maximum or unit.page != group[0].page:
        return True
    if unit.block.kind in ("note", "table"):
        return last.page != unit.page or (
            unit.first and (size >= settings.minimum or unit.block.section != last.block.section)
        )
    if unit.block.kind == "title" and last.block.kind != "title":
        return True
    if last.block.kind == "title":
        return False
    same_section = unit.block.section == last.block.section
    return not same_section or (unit.first and size >= settings.target)


def _join_small(groups: list[list[_Unit]], settings: ChunkSettings) -> None:
    """Join a body group below the minimum to the one before it, else after it, where the two fit together."""
    i = 0
    while i < len(groups):
        size = sum(u.tokens for u in groups[i])
        if size < settings.minimum and len(groups) > 1:
            fits = [
                j
                for j in (i - 1, i + 1)
                if 0 <= j < len(groups)
                and size + sum(u.tokens for u in groups[j]) <= settings.maximum
                and {u.page for u in groups[j]} == {u.page for u in groups[i]}
            ]
            same = [j for j in fits if groups[j][-1].block.section[:1] == groups[i][0].block.section[:1]]
            if same or fits:
                j = (same or fits)[0]
                first, second = min(i, j), max(i, j)
                groups[first : second + 1] = [groups[first] + groups[second]]
                i = first
                continue
        i += 1


def _chunk(document: Document, ordinal: int, units: list[_Unit]) -> Chunk:
    text, pieces = "", list[Piece]()
    for unit in units:
        same_block = bool(pieces) and not unit.first and pieces[-1].page == unit.page and unit.start >= pieces[-1].end
        if same_block:
            page = document.pages[_page_index(document, unit.page)]
            separator = page.text[pieces[-1].end : unit.start]
            text += separator + unit.text
            pieces[-1] = replace(pieces[-1], end=unit.end)
            continue
        if text:
            text += ("" if text.endswith("-") else " ") if unit.glued else "\n"
        pieces.append(Piece(unit.page, unit.start, unit.end, len(text), unit.block.kind))
        text += unit.text
    body = [u for u in units if u.block.kind != "title"] or units
    kinds = {u.block.kind for u in body}
    kind: ChunkKind = "body"
    if len(kinds) == 1:
        only = kinds.pop()
        kind = "body" if only == "title" else only
    section = body[0].block.section
    tokens = sum(u.tokens for u in units)
    quality = sum(u.block.quality * u.tokens for u in units) / max(tokens, 1)
    digest = hashlib.sha256("\x1f".join([document.id, str(ordinal), text]).encode()).hexdigest()[:12]
    return Chunk(
        f"{document.id}:{digest}", document.id, ordinal, kind, section, text, tuple(pieces), tokens, round(quality, 3)
    )


def _page_index(document: Document, number: int) -> int:
    return next(i for i, page in enumerate(document.pages) if page.number == number)


def sentences(chunk: Chunk) -> list[ChunkSentence]:
    """The chunk's sentences in order; one that goes on over two pieces is whole."""
    kinds = [(piece.offset, piece.kind) for piece in chunk.pieces]
    found = []
    for start, end in split_sentences(chunk.text, rows=chunk.kind == "table"):
        kind = next(k for offset, k in reversed(kinds) if offset <= start)
        found.append(ChunkSentence(start, end, kind))
    return found


def locate(pieces: Sequence[Piece], start: int, end: int) -> list[tuple[int, int, int]]:
    """Where `chunk.text[start:end]` stands: (page, start, end) on each page that it touches, in order."""
    spans = []
    for piece in pieces:
        a, b = max(start, piece.offset), min(end, piece.offset + piece.end - piece.start)
        if a < b:
            shift = piece.start - piece.offset
            spans.append((piece.page, a + shift, b + shift))
    return spans
