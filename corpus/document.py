"""Document, Page, Block: what reading gives, and what every later step counts on.

`Page.text` is the repaired text in reading order; it is exactly the blocks' texts joined by a blank line, so that a block
(and any sentence of it) is a character span of its page and a quote is found verbatim in `Page.text`.
`Page.raw_text` is what the file's text layer gave, untouched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

BlockKind = Literal["title", "body", "note", "table", "list", "caption"]

BLOCK_SEPARATOR = "\n\n"


@dataclass(frozen=True)
class Block:
    """A part of a page. `page.text[start:end] == text`."""

    kind: BlockKind
    text: str
    start: int
    end: int
    section: tuple[str, ...] = ()  # headings above it, outermost first
    call: str | None = None  # of a note: the number that calls it in the text
    continues: bool = False  # its last sentence goes on in the next body block (next column's or next page's)
    quality: float = 1.0  # 0 scrambled … 1 clean


@dataclass(frozen=True)
class Page:
    number: int  # from 1 in the file
    label: str  # as printed on the page, or str(number)
    width: float  # points
    height: float  # points
    text: str
    raw_text: str
    blocks: tuple[Block, ...]
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class PageFailure:
    """A page that could not be read; the other pages of the document are kept."""

    page: int
    code: str
    message: str


@dataclass(frozen=True)
class DocumentMetadata:
    title: str
    authors: tuple[str, ...] = ()
    publisher: str | None = None
    date: str | None = None  # ISO, as precise as known: 2023, 2023-10, 2023-10-18
    kind: str = "document"  # cahier, guide, référentiel, note, charte, livre blanc, fiche…
    language: str = "fr"
    source_url: str | None = None
    licence: str | None = None


@dataclass(frozen=True)
class Document:
    id: str  # stable slug, from the title or file name
    path: Path
    sha256: str
    metadata: DocumentMetadata
    pages: tuple[Page, ...]
    failures: tuple[PageFailure, ...] = field(default=())

    @property
    def title(self) -> str:
        return self.metadata.title
