"""read(path) -> Document: the one door through which files enter the house; each is read in a child process."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from statistics import median

from corpus.document import BLOCK_SEPARATOR, Block, Document, DocumentMetadata, Page
from corpus.drafts import Draft
from corpus.errors import ReadError
from corpus.headings import Heading, under
from corpus.joining import join_lines
from corpus.layout import layout
from corpus.lexicon import fold, is_known
from corpus.limits import Limits, Report, unreported
from corpus.lines import Line
from corpus.links import whole_addresses
from corpus.margins import without_margins
from corpus.notes import numbered
from corpus.pdf import read_pdf
from corpus.raw import RawDocument, RawPage
from corpus.repair import Damage, damage_of, repair
from corpus.sandbox import read_apart
from corpus.slug import slug
from corpus.structured import StructuredDocument
from corpus.text_layer import apply_ligatures, legibility, ligatures, mend

_MADE_BY = re.compile(
    r"^Microsoft (?:Office )?(?:Word|PowerPoint|Excel|Publisher) - "
)  # a title that the program wrote
WORDLIKE = 0.75  # share of words below which a block reads as noise
NOTHING_SKIPPED: Mapping[int, str] = {}
_DEFAULT_LIMITS = Limits()
OTHER_FORMATS = {  # by ending: the reader's module, imported where it is needed, and its function
    ".docx": ("corpus.docx", "read_docx"),
    ".odt": ("corpus.odt", "read_odt"),
    ".pptx": ("corpus.pptx", "read_pptx"),
    ".html": ("corpus.html", "read_html"),
    ".htm": ("corpus.html", "read_html"),
    ".md": ("corpus.markdown", "read_markdown"),
    ".txt": ("corpus.markdown", "read_text"),
}


def read(
    path: Path,
    *,
    document_id: str | None = None,
    metadata: DocumentMetadata | None = None,
    limits: Limits = _DEFAULT_LIMITS,
) -> Document:
    """The document at `path`, read in a child process within `limits`; a page that fails is named in `failures`.

    Raises ReadError where it can't be read; its `code` says why (see the class) and its message what to do.
    """
    document = read_apart(path, limits)
    return replace(document, path=path, id=document_id or document.id, metadata=metadata or document.metadata)


def read_here(
    path: Path,
    *,
    limits: Limits = _DEFAULT_LIMITS,
    skip: Mapping[int, str] = NOTHING_SKIPPED,
    report: Report = unreported,
) -> Document:
    """The document at `path`, read in this very process: for the child and for tests. Raises ReadError.

    `skip`: pages that killed an earlier child, with the code of their failure; they are named and not read.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise ReadError(f"« {path.name} » n'est pas un fichier : donnez un document.", code="unsupported")
        if size > limits.file_bytes:
            most = limits.file_bytes // 2**20
            raise ReadError(f"« {path.name} » dépasse {most} Mo : découpez-le ou allégez-le.", code="too_large")
        data = path.read_bytes()
    except OSError as error:
        raise ReadError(
            f"« {path.name} » a disparu ou n'est pas lisible : vérifiez le fichier et ses droits.", code="vanished"
        ) from error
    suffix = path.suffix.lower()
    raw: RawDocument | StructuredDocument
    if suffix == ".pdf":
        raw = read_pdf(data, path.name, limits, skip, report)
        report({"layout": True})
        pages = _pages(raw)
    elif suffix in OTHER_FORMATS:
        module, function = OTHER_FORMATS[suffix]
        structured: StructuredDocument = getattr(import_module(module), function)(data, path.name, limits)
        raw, pages = structured, structured.pages
    else:
        raise ReadError(
            f"« {path.name} » : le format {suffix or 'sans extension'} n'est pas lu. Convertissez-le en PDF.",
            code="unsupported",
        )
    return Document(
        id=slug(path.stem),
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        metadata=_metadata(raw, path, pages),
        pages=pages,
        failures=raw.failures,
    )


def _metadata(raw: RawDocument | StructuredDocument, path: Path, pages: Sequence[Page]) -> DocumentMetadata:
    title = _MADE_BY.sub("", raw.title or "").strip()
    if (
        len(title) < 4
        or title.endswith(",")
        or title.lower().endswith((".doc", ".docx", ".pdf", ".indd"))
        or "untitled" in title.lower()
    ):
        heading = next((b.text for p in pages[:1] for b in p.blocks if b.kind == "title"), "")
        title = heading if 12 <= len(heading) <= 120 and not raw.title else path.stem
    return DocumentMetadata(title=title, authors=raw.authors, date=raw.date)


def _pages(raw: RawDocument) -> tuple[Page, ...]:
    pages = without_margins(_with_ligatures(raw.pages), raw.title)
    sizes = [line.size for page in pages for line in page.lines for _ in range(len(line.text))]
    body_size = median(sizes) if sizes else None
    drafts = _with_calls([layout(page, body_size) for page in pages])
    damage = damage_of(" ".join(page.raw_text for page in raw.pages))
    found: list[Page] = []
    section: tuple[str, ...] = ()
    headings: list[Heading] = []
    for i, page in enumerate(pages):
        following = drafts[i + 1] if i + 1 < len(drafts) else []
        blocks, section = _blocks(
            drafts[i], following, section, headings, body_size or 0.0, fold(raw.title or ""), damage, page.links
        )
        text = BLOCK_SEPARATOR.join(block.text for block in blocks)
        label = page.label or str(page.number)
        found.append(
            Page(page.number, label, page.width, page.height, text, raw.pages[i].raw_text, tuple(blocks), page.links)
        )
    return tuple(found)


def _with_ligatures(pages: Sequence[RawPage]) -> tuple[RawPage, ...]:
    """The pages with the letters that their fonts gave as signs, learnt from the whole document."""
    table = ligatures(line.text for page in pages for line in page.lines)

    def mended(line: Line) -> Line:
        return replace(line, cells=tuple(replace(cell, text=apply_ligatures(cell.text, table)) for cell in line.cells))

    return tuple(replace(page, lines=tuple(map(mended, page.lines))) for page in pages)


def _with_calls(drafts: Sequence[Sequence[Draft]]) -> list[list[Draft]]:
    """The drafts of each page, their notes numbered as the whole document numbers them."""
    found = [(number, draft.rows[0]) for number, page in enumerate(drafts) for draft in page if draft.kind == "note"]
    notes = iter(numbered(found))

    def settled(draft: Draft) -> Draft:
        if draft.kind != "note":
            return draft
        call, lines = next(notes)
        return replace(draft, call=call, rows=(lines, *draft.rows[1:]))

    return [[settled(draft) for draft in page] for page in drafts]


def _blocks(
    drafts: Sequence[Draft],
    following: Sequence[Draft],
    section: tuple[str, ...],
    headings: list[Heading],
    body: float,
    title: str,
    damage: Damage,
    links: Sequence[str],
) -> tuple[list[Block], tuple[str, ...]]:
    """The page's blocks with their spans, and the section that goes on after them; `headings`: those above it, which change."""
    blocks: list[Block] = []
    start = 0
    for i, draft in enumerate(drafts):
        text = _text(draft, damage, links)
        if not any(c.isalnum() for c in text):
            continue
        if draft.kind == "title":
            section = under(text, draft.size, headings, body)
            section = section[len(section) > 1 and fold(section[0]) == title :]
        after = next((d for d in [*drafts[i + 1 :], *following] if d.kind not in ("note", "table")), None)
        continues = draft.continues or (draft.kind == "body" and draft.open and after is not None and _resumes(after))
        quality = min(draft.quality, legibility(text)) if len(text) > 40 else draft.quality
        if damage.lost and draft.kind in ("body", "table"):
            quality = min(quality, _wordlike(text))
        blocks.append(
            Block(draft.kind, text, start, start + len(text), section, draft.call, continues, round(quality, 2))
        )
        start += len(text) + len(BLOCK_SEPARATOR)
    return blocks, section


def _wordlike(text: str) -> float:
    """1 where a text is made of words, less where OCR read a drawing: signs, lone letters, words that no one knows."""
    tokens = text.split()
    good = sum(_is_token(token.strip("«»()[].,;:!?…'’\"")) for token in tokens)
    share = good / len(tokens) if tokens else 0.0
    return 1.0 if share >= WORDLIKE else round(share / WORDLIKE, 2)


def _is_token(token: str) -> bool:
    if not token:
        return True
    if len(token) == 1:
        return token.lower() in "aày&-–—" or token.isdigit()
    parts = re.findall(r"[^\W\d_]+", token)
    return not parts or all(len(part) < 2 or is_known(part) or (part.isupper() and len(part) > 2) for part in parts)


def _resumes(draft: Draft) -> bool:
    return draft.kind == "body" and (draft.low or draft.text[:1].islower())


def _text(draft: Draft, damage: Damage, links: Sequence[str]) -> str:
    rows = [repair(whole_addresses(mend(join_lines(row)), links), damage) for row in draft.rows]
    return "\n".join(row for row in rows if row.strip()) if draft.kind in ("list", "table") else " ".join(rows)
