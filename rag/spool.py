"""Between the stages of a build, documents and their chunks wait on disk: memory holds one document at a time, and what it no
longer holds goes back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import pickle  # nosec B403: files of this run alone, written and read by the same process
from dataclasses import dataclass
from pathlib import Path

from corpus.chunk import Chunk, context
from corpus.document import Document
from corpus.errors import ReadError
from rag.answer import DocumentInfo
from rag.sources import SourceFile


@dataclass(frozen=True)
class Ready:
    """A chunk with the hash of all that its vectors depend on."""

    chunk: Chunk
    key: str
    context: str

    @classmethod
    def of(cls, item: Chunk, title: str) -> Ready:
        around = context(title, item.section)
        return cls(item, hashlib.sha256(f"{around}\n{item.text}".encode()).hexdigest(), around)


@dataclass(frozen=True)
class Entry:
    """A document that can be indexed: `known` where the previous generation holds it, else read and put aside at `spool`."""

    file: SourceFile
    info: DocumentInfo
    known: DocumentInfo | None = None
    spool: Path | None = None

    @classmethod
    def put_aside(cls, file: SourceFile, document: Document, folder: Path) -> Entry:
        spool = folder / f"{file.sha256}.pickle"
        spool.write_bytes(pickle.dumps(document))
        return cls(file, _info(document), spool=spool)

    def document(self) -> Document:
        """The document that was read. Only where there is a `spool`."""
        assert self.spool is not None
        document: Document = pickle.loads(self.spool.read_bytes())  # nosec B301
        return document

    def keep_chunks(self, ready: list[Ready]) -> None:
        assert self.spool is not None
        self.spool.with_suffix(".chunks").write_bytes(pickle.dumps(ready))

    def chunks(self) -> list[Ready]:
        """The chunks put beside the document; none where the previous generation holds them."""
        if self.spool is None:
            return []
        ready: list[Ready] = pickle.loads(self.spool.with_suffix(".chunks").read_bytes())  # nosec B301
        return ready


def give_back() -> None:
    """Return to the system the memory that encoding has freed, which the C library keeps otherwise: 0.3 GB. Another C library than
    glibc does as it does."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def nothing_in(name: str, document: Document) -> ReadError:
    """Why a document gave no text: the reason of its first page that failed, where one did."""
    if not document.failures:
        return ReadError(f"« {name} » n'a pas de texte à indexer.", code="no_text")
    first = document.failures[0]
    return ReadError(f"« {name} » : aucune page n'a pu être lue. Page {first.page} : {first.message}", code=first.code)


def _info(document: Document) -> DocumentInfo:
    meta = document.metadata
    return DocumentInfo(
        id=document.id,
        title=meta.title,
        authors=meta.authors,
        publisher=meta.publisher,
        date=meta.date,
        kind=meta.kind,
        language=meta.language,
        pages=len(document.pages),
        source_url=meta.source_url,
        licence=meta.licence,
        sha256=document.sha256,
        has_file=True,
    )
