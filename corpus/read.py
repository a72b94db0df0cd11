"""read(path) -> Document: the one door through which files enter the house."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from corpus.document import BLOCK_SEPARATOR, Block, Document, DocumentMetadata, Page
from corpus.errors import ReadError
from corpus.limits import Limits
from corpus.slug import slug


def read(
    path: Path,
    *,
    document_id: str | None = None,
    metadata: DocumentMetadata | None = None,
    limits: Limits = Limits(),
) -> Document:
    """Return the document at `path`; raise ReadError, with its code, where it can't be read."""
    try:
        data = path.read_bytes()
        reader = PdfReader(path)
        pages = tuple(_page(n, page.extract_text(), page) for n, page in enumerate(reader.pages, 1))
    except OSError as error:
        raise ReadError(f"{path.name} : fichier introuvable ou illisible.", code="vanished") from error
    except PyPdfError as error:
        raise ReadError(f"{path.name} : PDF illisible ({error}).", code="corrupt") from error
    return Document(
        id=document_id or slug(path.stem),
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        metadata=metadata or DocumentMetadata(title=path.stem),
        pages=pages,
    )


def _page(number: int, raw: str, page: object) -> Page:
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", raw)]
    blocks: list[Block] = []
    start = 0
    for text in filter(None, paragraphs):
        blocks.append(Block("body", text, start, start + len(text)))
        start += len(text) + len(BLOCK_SEPARATOR)
    box = page.mediabox  # type: ignore[attr-defined]
    text = BLOCK_SEPARATOR.join(block.text for block in blocks)
    return Page(number, str(number), float(box.width), float(box.height), text, raw, tuple(blocks))
