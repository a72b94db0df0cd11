"""Build an index generation beside the published one, and publish it by one atomic rename.

    plan ─▶ read what changed ─▶ leave older versions out ─▶ chunk ─▶ embed what is new ─▶ seal and publish

Unchanged files are recognised by their hash and their pages, chunks and vectors taken from the published generation; in a
changed file only the chunks whose text changed are embedded. A crash at any moment leaves the old generation published.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, astuple, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from corpus import ocr
from corpus.chunk import ChunkSettings, chunk
from corpus.errors import ReadError
from corpus.versions import Versioned, find_superseded
from rag.ahead import Soon, ahead, import_heavy
from rag.answer import DocumentInfo
from rag.chunk_vectors import chunk_vectors
from rag.generation import SCHEMA, Generation, generation_folder, verify
from rag.generation_writer import ChunkVectors, GenerationWriter, clear, told_in_french
from rag.index_report import IndexReport, NothingRead, Replaced, unchanged
from rag.previous import has_failures, made_alike, open_previous, to_read_again
from rag.sources import Describe, FileFailure, Plan, SourceFile, find_files, plan
from rag.spool import Entry, Ready, give_back, nothing_in
from rag.writer_lock import writing

if TYPE_CHECKING:
    from rag.embedding import Encoder

__all__ = ["READER_VERSION", "FileFailure", "IndexReport", "NothingRead", "Replaced", "build", "find_files"]

# Raised when reading, repair, chunking or what a word is indexed by change: unchanged files are read again.
READER_VERSION = 15
ENCODE_AT_ONCE = 256  # new chunks encoded together, of as many documents as it takes: about 100 MB
Progress = Callable[[str, int, int], None]  # stage, done, total


def build(
    sources: Sequence[Path],
    index: Path,
    load: Callable[[], Encoder],
    model: str,
    *,
    rebuild: bool = False,
    retry_failed: bool = False,
    chunking: ChunkSettings | None = None,
    metadata: Describe = lambda _: None,
    chroma_url: str = "",
    wait: float = 600.0,
    progress: Progress = lambda *_: None,
) -> IndexReport:
    """Bring the index up to date with `sources`. `load` gives the encoder, and is called only where something is embedded;
    `metadata` gives what the manifest says of a file. Files and pages that could not be read are tried again when they or
    the reader change, when OCR has been installed since, and with `retry_failed`.

    Raises UsageError (no source), IndexBusy (another process builds for longer than `wait` seconds), IndexUnwritable (disk
    full, read-only folder), NothingRead. Files that can't be read are reported; the others go on.
    """
    started = time.perf_counter()
    chunking = chunking or ChunkSettings()
    with told_in_french(index), ExitStack() as stack:
        (index / "generations").mkdir(parents=True, exist_ok=True)
        stack.enter_context(writing(index, wait, lambda: progress("wait", 0, 1)))
        clear(index, chroma_url=chroma_url)  # what a killed build left
        planned = plan(sources, index, metadata, [SCHEMA, READER_VERSION, model, astuple(chunking), ocr.available()])
        previous, damaged = open_previous(index, stack)
        retry = retry_failed and previous is not None and has_failures(previous)
        if previous and not rebuild and not retry and previous.manifest.get("fingerprint") == planned.fingerprint:
            return unchanged(previous, planned, started)
        reuse = previous if previous and previous.model == model and not rebuild else None
        spoilt = verify(reuse.folder) if reuse else []
        if any(not name.startswith("files/") for name in spoilt):
            reuse, damaged = None, True  # nothing is taken from a damaged generation
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{planned.fingerprint[:8]}"  # sorts by age
        while generation_folder(index, name).exists():  # the clock was put back to the very moment of another
            name += "x"
        with GenerationWriter(index, name) as writer:
            builder = _Builder(planned, writer, load, model, chunking, reuse, chroma_url, progress, retry)
            builder.spoilt = {Path(name).name for name in spoilt}
            report = builder.run()
        clear(index, chroma_url=chroma_url)
    return replace(report, repaired=damaged, seconds=round(time.perf_counter() - started, 3))


class _Builder:
    """One build of one generation. Documents wait on disk between stages, so that memory holds one at a time."""

    def __init__(
        self,
        planned: Plan,
        writer: GenerationWriter,
        load: Callable[[], Encoder],
        model: str,
        chunking: ChunkSettings,
        previous: Generation | None,
        chroma_url: str,
        progress: Progress,
        retry: bool,
    ) -> None:
        self.plan, self.writer, self.model, self.chunking = planned, writer, model, chunking
        self.previous, self.chroma_url, self.progress = previous, chroma_url, progress
        self._load = load
        self._encoder: Soon[Encoder] | None = None
        self._spool = writer.folder / "read"
        self.failures: list[FileFailure] = []
        self.page_failures: dict[str, tuple[FileFailure, ...]] = {}  # by path
        self.superseded: list[Replaced] = []
        self.embedded = self.reused = 0
        self.spoilt = set[str]()  # names of the previous generation's kept files that are no longer what was written
        self._known: dict[str, DocumentInfo] = {}  # what can be taken as it is, by hash
        self._known_replaced: dict[str, dict[str, Any]] = {}
        if previous is not None and made_alike(previous, chunking, READER_VERSION):
            again = to_read_again(previous, retry)
            self._known = {d.sha256: d for d in previous.documents.values() if d.id not in again}
            self._known_replaced = {r["sha256"]: r for r in previous.manifest.get("superseded", ())}
        self._notices: dict[str, Any] = previous.manifest.get("notices", {}) if previous else {}

    @property
    def encoder(self) -> Encoder:
        return self._open_encoder().get()

    def _open_encoder(self) -> Soon[Encoder]:
        if self._encoder is None:
            self._encoder = Soon(self._load)
        return self._encoder

    def run(self) -> IndexReport:
        self._spool.mkdir()
        entries = self._without_superseded(list(self._read_all()))
        if not entries:
            raise NothingRead([*self.plan.failures, *self.failures])
        new = self._chunk_all(entries)
        self._store_all(entries, new)
        for left in self._spool.iterdir():
            left.unlink()
        self._spool.rmdir()
        self._encoder = None  # the search structures are written with its memory
        give_back()
        self.progress("lexical", 0, 1)
        self.writer.finish(self.chroma_url)
        self.progress("lexical", 1, 1)
        writer = self.writer
        counts = {"documents": writer.documents, "pages": writer.pages, "chunks": writer.rows}
        page_failures = [f for failures in self.page_failures.values() for f in failures]
        self.writer.publish(
            {
                "schema": SCHEMA,
                "name": self.writer.name,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "model": self.model,
                "dimensions": self.writer.dimensions,
                "chunking": asdict(self.chunking),
                "reader": READER_VERSION,
                "ocr": ocr.available(),
                "fingerprint": self.plan.fingerprint,
                "counts": counts,
                "failures": [asdict(f) for f in self.failures],
                "page_failures": [asdict(f) for f in page_failures],
                "superseded": [asdict(r) for r in self.superseded],
                "notices": {f.sha256: f.notice_key for f in self.plan.files if f.notice},
            }
        )
        return IndexReport(
            generation=writer.name,
            published=True,
            documents=writer.documents,
            pages=writer.pages,
            chunks=writer.rows,
            embedded=self.embedded,
            reused=self.reused,
            failures=(*self.plan.failures, *self.failures),
            page_failures=tuple(page_failures),
            skipped=self.plan.skipped,
            duplicates=self.plan.duplicates,
            superseded=tuple(self.superseded),
        )

    # --- reading

    def _read_all(self) -> Iterator[Entry]:
        total = len(self.plan.files)
        known = [self._known_today(file) for file in self.plan.files]
        left_out = [k is None and self._still_replaced(f) for k, f in zip(known, self.plan.files, strict=True)]
        to_read = [f for f, k, out in zip(self.plan.files, known, left_out, strict=True) if k is None and not out]
        if to_read:  # what they need afterwards is opened meanwhile
            self._open_encoder()
            Soon(import_heavy)
        with closing(ahead(self._read, to_read)) as reading:
            for number, (file, info, out) in enumerate(zip(self.plan.files, known, left_out, strict=True)):
                self.progress("read", number, total)
                if info is not None:
                    self._keep_page_failures(file)
                    yield Entry(file, info.model_copy(update={"id": file.document_id}), info)
                elif not out:
                    try:
                        yield next(reading).result()
                    except ReadError as error:
                        self.failures.append(FileFailure(str(file.path), error.code, str(error)))
        self.progress("read", total, total)

    def _known_today(self, file: SourceFile) -> DocumentInfo | None:
        """What the previous generation holds of a file that must not be read again."""
        if self._notices.get(file.sha256) != file.notice_key:
            return None  # its title, part of what is embedded, may have changed
        return self._known.get(file.sha256)

    def _read(self, file: SourceFile) -> Entry:
        from corpus.read import read

        document = read(file.path, document_id=file.document_id)
        if document.sha256 != file.sha256:
            raise ReadError(f"« {file.path.name} » a changé pendant la lecture : relancez.", code="vanished")
        if not any(page.blocks for page in document.pages):
            raise nothing_in(file.path.name, document)
        if file.notice is not None:
            document = replace(document, metadata=file.notice.over(document.metadata))
        self.page_failures[str(file.path)] = tuple(
            FileFailure(str(file.path), f.code, f"page {f.page} : {f.message.removeprefix(f'page {f.page} : ')}")
            for f in document.failures
        )
        return Entry.put_aside(file, document, self._spool)

    def _keep_page_failures(self, file: SourceFile) -> None:
        """An unchanged file's failed pages are told again, under its name of today."""
        old = self.previous
        assert old is not None
        messages = old.document_failures(self._known[file.sha256].id)
        codes = {f["message"]: f["code"] for f in old.manifest["page_failures"]}
        self.page_failures[str(file.path)] = tuple(
            FileFailure(str(file.path), codes.get(message, "corrupt"), message) for message in messages
        )

    # --- versions

    def _still_replaced(self, file: SourceFile) -> bool:
        """Whether the previous generation left this very file out for one that is still there: it needn't be read."""
        known = self._known_replaced.get(file.sha256)
        newer = next((f for f in self.plan.files if known and f.sha256 == known["by_sha256"]), None)
        if known is None or newer is None or newer.sha256 not in self._known:
            return False
        if any(self._notices.get(f.sha256) != f.notice_key for f in (file, newer)):
            return False
        self.superseded.append(Replaced(**known | {"path": str(file.path), "by": newer.document_id}))
        return True

    def _without_superseded(self, entries: list[Entry]) -> list[Entry]:
        by_id = {entry.info.id: entry for entry in entries}
        versioned = [
            Versioned(
                e.info.id,
                e.info.title,
                e.file.path.stem,
                e.info.date,
                e.file.notice.replaces if e.file.notice else (),
            )
            for e in entries
        ]
        found = find_superseded(versioned, lambda id_: self._text(by_id[id_]))
        for older in found:
            old, new = by_id[older.id], by_id[older.by]
            self.superseded.append(
                Replaced(
                    path=str(old.file.path),
                    title=old.info.title,
                    date=old.info.date,
                    by=new.info.id,
                    by_title=new.info.title,
                    by_date=new.info.date,
                    sha256=old.file.sha256,
                    by_sha256=new.file.sha256,
                )
            )
        gone = {older.id for older in found}
        return [entry for entry in entries if entry.info.id not in gone]

    def _text(self, entry: Entry) -> str:
        if entry.known is not None and self.previous is not None:
            pages = (self.previous.page(entry.known.id, n) for n in self.previous.page_numbers(entry.known.id))
            return "\n".join(page.text for page in pages if page)
        return "\n".join(page.text for page in entry.document().pages)

    # --- chunks

    def _chunk_all(self, entries: Sequence[Entry]) -> int:
        """Put each fresh document's chunks beside it; returns how many must be embedded."""
        new = 0
        for entry in entries:
            if entry.spool is not None:
                document = entry.document()
                chunks = chunk(document, self.encoder.count_tokens, self.chunking)
                ready = [Ready.of(item, document.title) for item in chunks]
                new += sum(self._old_row(r.key) is None for r in ready)
                entry.keep_chunks(ready)
        return new

    def _store_all(self, entries: Sequence[Entry], new: int) -> None:
        """Write documents and chunks in order; the new chunks of many documents are encoded together, a window at a time."""
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            self.progress("embed", done, new)

        if new:
            self.progress("embed", 0, new)
        for window in self._windows(entries):
            fresh = [s for s in window if isinstance(s, Ready) and self._old_row(s.key) is None]
            encoded = self._encode(fresh, advance)
            for step in window:
                if isinstance(step, Ready):
                    self._store_chunk(step, encoded)
                else:
                    self._store_document(step)
            del encoded
            give_back()

    def _windows(self, entries: Sequence[Entry]) -> Iterator[list[Entry | Ready]]:
        """Documents, each followed by its chunks, cut where ENCODE_AT_ONCE chunks have to be encoded."""
        window: list[Entry | Ready] = []
        waiting = 0
        for entry in entries:
            window.append(entry)
            for item in entry.chunks():
                window.append(item)
                waiting += self._old_row(item.key) is None
                if waiting == ENCODE_AT_ONCE:
                    yield window
                    window, waiting = [], 0
        yield window

    def _encode(self, fresh: Sequence[Ready], advance: Callable[[int], None]) -> dict[str, ChunkVectors]:
        if not fresh:
            return {}
        encoded = self.encoder.passages([r.context for r in fresh], [r.chunk.text for r in fresh], advance)
        return {r.chunk.id: chunk_vectors(r.chunk, one) for r, one in zip(fresh, encoded, strict=True)}

    def _store_document(self, entry: Entry) -> None:
        failures = [f.message for f in self.page_failures.get(str(entry.file.path), ())]
        if entry.spool is None:
            self._store_known(entry, failures)
        else:
            self.writer.add_document(entry.info, entry.document().pages, entry.file.path, failures)

    def _store_chunk(self, item: Ready, encoded: dict[str, ChunkVectors]) -> None:
        row = self._old_row(item.key)
        if row is not None and self.previous is not None:
            self._copy(item, self.previous, row)
        else:
            self.writer.add_chunk(item.chunk, item.key, encoded[item.chunk.id])
            self.embedded += 1

    def _store_known(self, entry: Entry, failures: Sequence[str]) -> None:
        """Copy pages, chunks and vectors of a file that the previous generation holds, under whatever name."""
        old, known, info = self.previous, entry.known, entry.info
        assert old is not None
        assert known is not None
        pages = [page for n in old.page_numbers(known.id) if (page := old.page(known.id, n))]
        kept = old.file(known.id)
        sound = kept if kept is not None and kept.name not in self.spoilt else None
        self.writer.add_document(info, pages, entry.file.path, failures, sound)
        for row in np.nonzero(old.rows_of([known.id]))[0]:
            item = old.chunk(int(row))
            moved = replace(item, document_id=info.id, id=item.id.replace(known.id, info.id, 1))
            self._copy(Ready.of(moved, info.title), old, int(row))

    def _old_row(self, key: str) -> int | None:
        return None if self.previous is None else self.previous.row_of_key(key)

    def _copy(self, item: Ready, old: Generation, row: int) -> None:
        spans, words, scales = old.stored_words(row)
        stored = ChunkVectors(old.vectors[row], spans, words, scales, old.sentence_vectors(row))
        self.writer.add_chunk(item.chunk, item.key, stored)
        self.reused += 1
