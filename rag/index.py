"""Build an index generation beside the published one, and publish it by one atomic rename.

Unchanged files are recognised by their hash and their pages, chunks and vectors taken from the published generation; in a
changed file only the chunks whose text changed are embedded. A crash at any moment leaves the old generation published.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, astuple, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from corpus.chunk import Chunk, ChunkSettings, chunk, context, sentences
from corpus.document import Document, DocumentMetadata
from corpus.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, ReadError, UsageError
from corpus.read import read
from corpus.slug import slug
from rag.answer import DocumentInfo
from rag.arrays import ArrayWriter, to_int8
from rag.embedding import Encoded, Encoder, normalise
from rag.generation import (
    CHUNK_COLUMNS,
    MANIFEST,
    SCHEMA,
    Generation,
    chunk_from_row,
    generation_folder,
    published,
    seal,
)
from rag.lexical import STOP_WORDS, build_lexical, fold
from rag.vectors import write_chroma

READER_VERSION = 5  # raised when reading, repair or chunking change what a file gives: unchanged files are read again
PAGE_FORMATS = (".pdf", ".docx", ".odt", ".pptx")
TEXT_FORMATS = (".html", ".htm", ".md", ".txt")
NOT_DOCUMENTS = ("readme", "license", "licence", "changelog", "contributing")
ENCODE_AT_ONCE = 256  # chunks encoded together: enough to sort by length, few enough for memory
Progress = Callable[[str, int, int], None]  # stage, done, total

_TABLES = """
CREATE TABLE documents (ordinal INTEGER PRIMARY KEY, id TEXT UNIQUE, info TEXT, sha256 TEXT, name TEXT, failures TEXT);
CREATE TABLE pages (document_id TEXT, number INTEGER, label TEXT, width REAL, height REAL, text TEXT, raw_text TEXT,
                    PRIMARY KEY (document_id, number)) WITHOUT ROWID;
CREATE TABLE chunks (row INTEGER PRIMARY KEY, id TEXT UNIQUE, document_id TEXT, ordinal INTEGER, kind TEXT, section TEXT,
                     text TEXT, pieces TEXT, sentences TEXT, tokens INTEGER, quality REAL, key TEXT);
CREATE INDEX chunk_keys ON chunks (key);
"""


@dataclass(frozen=True)
class FileFailure:
    path: str
    code: str
    message: str


@dataclass(frozen=True)
class IndexReport:
    """What `boussole index` did; `generation` is the published one."""

    generation: str
    published: bool  # False: nothing had changed
    documents: int
    pages: int
    chunks: int
    embedded: int
    reused: int
    failures: tuple[FileFailure, ...] = ()
    page_failures: tuple[FileFailure, ...] = ()
    skipped: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class SourceFile:
    path: Path
    document_id: str
    sha256: str


@dataclass(frozen=True)
class _Plan:
    files: tuple[SourceFile, ...]
    skipped: tuple[str, ...]
    duplicates: tuple[str, ...]
    fingerprint: str = field(default="")


def build(
    sources: Sequence[Path],
    index: Path,
    load: Callable[[], Encoder],
    model: str,
    *,
    rebuild: bool = False,
    chunking: ChunkSettings | None = None,
    metadata: Callable[[Path], DocumentMetadata | None] = lambda _: None,
    chroma_url: str = "",
    wait: float = 600.0,
    progress: Progress = lambda *_: None,
) -> IndexReport:
    """Bring the index up to date with `sources`. `load` gives the encoder, and is called only where something is embedded.

    Raises UsageError (no source), IndexBusy (another process builds for longer than `wait` seconds), ReadError where no
    file at all could be read. Files that can't be read are reported; the others go on.
    """
    started = time.perf_counter()
    chunking = chunking or ChunkSettings()
    (index / "generations").mkdir(parents=True, exist_ok=True)
    lock = FileLock(index / "writer.lock")
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        raise IndexBusy(f"Une autre indexation écrit déjà dans « {index} ». Attendez sa fin puis relancez.") from None
    with lock:
        plan = _plan(sources, model, chunking)
        with ExitStack() as stack:
            previous = _previous(index, stack)
            if previous and not rebuild and previous.manifest.get("fingerprint") == plan.fingerprint:
                return _unchanged(previous, plan, started)
            reuse = previous if previous and previous.model == model and not rebuild else None
            builder = _Builder(index, plan, load, model, chunking, metadata, reuse, chroma_url, progress)
            report = builder.run(started)
        clear(index)
    return report


def find_files(sources: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Documents under `sources`, and the names left aside. In a folder that holds PDFs, text files are their working
    sources, not documents; a file that is named is always taken. Raises UsageError where a source doesn't exist."""
    found: list[Path] = []
    skipped: list[str] = []
    for source in sources:
        if not source.exists():
            raise UsageError(f"Source introuvable : « {source} ». Vérifiez le chemin donné à --source.")
        if source.is_file():
            found.append(source)
            continue
        for folder, names in _walk(source):
            with_pages = any(name.lower().endswith(PAGE_FORMATS) for name in names)
            for name in names:
                suffix = Path(name).suffix.lower()
                if suffix in PAGE_FORMATS or (suffix in TEXT_FORMATS and not with_pages and not _is_about_folder(name)):
                    found.append(folder / name)
                elif (
                    suffix in TEXT_FORMATS and f"{Path(name).stem}.pdf" not in names
                ):  # else it is the PDF's own source
                    skipped.append(str(folder / name))
    unique = {path.resolve(): path for path in found}
    return list(unique.values()), skipped


def _walk(source: Path) -> Iterator[tuple[Path, list[str]]]:
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        yield Path(folder), sorted(name for name in names if not name.startswith((".", "~$")))


def _is_about_folder(name: str) -> bool:
    return Path(name).stem.lower() in NOT_DOCUMENTS


def _plan(sources: Sequence[Path], model: str, chunking: ChunkSettings) -> _Plan:
    paths, skipped = find_files(sources)
    files: list[SourceFile] = []
    by_hash: dict[str, SourceFile] = {}
    duplicates, taken = [], set[str]()
    for path in paths:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest in by_hash:
            duplicates.append(f"{path} = {by_hash[digest].path}")
            continue
        base = identifier = slug(path.stem)
        number = 2
        while identifier in taken:
            identifier, number = f"{base}-{number}", number + 1
        taken.add(identifier)
        by_hash[digest] = SourceFile(path, identifier, digest)
        files.append(by_hash[digest])
    if not files:
        raise UsageError(
            "Aucun document à indexer. Donnez un dossier ou un fichier PDF : boussole index --source CHEMIN"
        )
    parts = [str(SCHEMA), str(READER_VERSION), model, repr(astuple(chunking))]
    parts += [f"{f.document_id}:{f.sha256}" for f in files]
    fingerprint = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return _Plan(tuple(files), tuple(skipped), tuple(duplicates), fingerprint)


def _previous(index: Path, stack: ExitStack) -> Generation | None:
    """The published generation, to take from; None where there is none that this program can read."""
    try:
        generation = Generation.open_published(index)
    except (IndexMissing, IndexDamaged, IndexMismatch, FileNotFoundError):
        return None
    stack.enter_context(closing(generation))
    return generation


def _unchanged(previous: Generation, plan: _Plan, started: float) -> IndexReport:
    counts = previous.manifest["counts"]
    return IndexReport(
        generation=previous.name,
        published=False,
        documents=counts["documents"],
        pages=counts["pages"],
        chunks=counts["chunks"],
        embedded=0,
        reused=counts["chunks"],
        failures=tuple(FileFailure(**f) for f in previous.manifest["failures"]),
        page_failures=tuple(FileFailure(**f) for f in previous.manifest["page_failures"]),
        skipped=plan.skipped,
        duplicates=plan.duplicates,
        seconds=round(time.perf_counter() - started, 3),
    )


@dataclass(frozen=True)
class _Ready:
    """A chunk with what is stored of it."""

    chunk: Chunk
    key: str
    context: str


class _Builder:
    """One build of one generation, in a folder of its own until it is whole."""

    def __init__(
        self,
        index: Path,
        plan: _Plan,
        load: Callable[[], Encoder],
        model: str,
        chunking: ChunkSettings,
        metadata: Callable[[Path], DocumentMetadata | None],
        previous: Generation | None,
        chroma_url: str,
        progress: Progress,
    ) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        self.index = index
        self.name = f"{stamp}-{plan.fingerprint[:8]}-{os.getpid()}"
        self.folder = index / "generations" / f".building-{self.name}"
        self.plan, self.model, self.chunking = plan, model, chunking
        self.metadata, self.previous, self.chroma_url, self.progress = metadata, previous, chroma_url, progress
        self._load = load
        self._encoder: Encoder | None = None
        self.failures: list[FileFailure] = []
        self.page_failures: list[FileFailure] = []
        self.embedded = self.reused = self.rows = self.sentence_rows = self.word_rows = self.pages = 0

    @property
    def encoder(self) -> Encoder:
        if self._encoder is None:
            self._encoder = self._load()
        return self._encoder

    def run(self, started: float) -> IndexReport:
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "files").mkdir(parents=True)
        (self.folder / "bm25").mkdir()
        (self.folder / "in_use").touch()
        with ExitStack() as stack:
            self.db = stack.enter_context(closing(sqlite3.connect(self.folder / "content.sqlite")))
            self.db.executescript(_TABLES)

            def writer(name: str, dtype: str) -> ArrayWriter:
                return stack.enter_context(ArrayWriter(self.folder / name, dtype))

            self.vectors = writer("vectors.f32", "float32")
            self.words, self.word_scales = writer("words.i8", "int8"), writer("word_scales.f16", "float16")
            self.word_spans, self.word_starts = writer("word_spans.i32", "int32"), writer("word_starts.i64", "int64")
            self.sentence_vectors = writer("sentences.f16", "float16")
            self.sentence_starts = writer("sentence_starts.i64", "int64")
            self.word_starts.append(np.zeros(1))
            self.sentence_starts.append(np.zeros(1))
            documents = self._documents()
            if not documents:
                raise ReadError(_all_failed(self.failures), code="no_document")
            self.db.commit()
        self.progress("lexical", 0, 1)
        self._write_search()
        dimensions = self.dimensions
        counts = {"documents": documents, "pages": self.pages, "chunks": self.rows}
        manifest = {
            "schema": SCHEMA,
            "name": self.name,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "model": self.model,
            "dimensions": dimensions,
            "chunking": asdict(self.chunking),
            "reader": READER_VERSION,
            "fingerprint": self.plan.fingerprint,
            "counts": counts,
            "failures": [asdict(f) for f in self.failures],
            "page_failures": [asdict(f) for f in self.page_failures],
            "files": seal(self.folder),
        }
        self._publish(manifest)
        return IndexReport(
            generation=self.name,
            published=True,
            **counts,
            embedded=self.embedded,
            reused=self.reused,
            failures=tuple(self.failures),
            page_failures=tuple(self.page_failures),
            skipped=self.plan.skipped,
            duplicates=self.plan.duplicates,
            seconds=round(time.perf_counter() - started, 3),
        )

    # --- documents

    def _documents(self) -> int:
        ordinal = 0
        for number, file in enumerate(self.plan.files):
            self.progress("read", number, len(self.plan.files))
            taken = self._take_unchanged(file, ordinal)
            if not taken:
                try:
                    document = self._read(file)
                except ReadError as error:
                    self.failures.append(FileFailure(str(file.path), error.code, str(error)))
                    continue
                self._add(document, file, ordinal)
            ordinal += 1
        self.progress("read", len(self.plan.files), len(self.plan.files))
        return ordinal

    def _read(self, file: SourceFile) -> Document:
        document = read(file.path, document_id=file.document_id, metadata=self.metadata(file.path))
        for failure in document.failures:
            message = f"page {failure.page} : {failure.message}"
            self.page_failures.append(FileFailure(str(file.path), failure.code, message))
        if document.sha256 != file.sha256:
            raise ReadError(f"{file.path.name} : le fichier a changé pendant la lecture ; relancez.", code="vanished")
        return document

    def _add(self, document: Document, file: SourceFile, ordinal: int) -> None:
        meta = document.metadata
        info = DocumentInfo(
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
        self._insert_document(info, file, ordinal)
        rows = [(document.id, p.number, p.label, p.width, p.height, p.text, p.raw_text) for p in document.pages]
        self.db.executemany("INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        self.pages += len(rows)
        chunks = chunk(document, self.encoder.count_tokens, self.chunking)
        ready = []
        for item in chunks:
            around = context(document.title, item.section)
            key = hashlib.sha256(f"{around}\n{item.text}".encode()).hexdigest()
            ready.append(_Ready(item, key, around))
        for start in range(0, len(ready), ENCODE_AT_ONCE):
            self._store(ready[start : start + ENCODE_AT_ONCE])

    def _insert_document(self, info: DocumentInfo, file: SourceFile, ordinal: int) -> None:
        failures = [f.message for f in self.page_failures if f.path == str(file.path)]
        values = (ordinal, info.id, info.model_dump_json(), file.sha256, file.path.name, json.dumps(failures))
        self.db.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)", values)
        target = self.folder / "files" / f"{info.id}{file.path.suffix.lower()}"
        shutil.copyfile(file.path, target)

    def _take_unchanged(self, file: SourceFile, ordinal: int) -> bool:
        """Copy pages, chunks and vectors of a file that the previous generation already holds, under whatever name."""
        old = self.previous
        if old is None or old.manifest["reader"] != READER_VERSION:
            return False
        if old.manifest["chunking"] != asdict(self.chunking):
            return False
        known = next((d for d in old.documents.values() if d.sha256 == file.sha256), None)
        if known is None:
            return False
        given = self.metadata(file.path)
        if given is not None and given.title != known.title:
            return False  # the title is part of what is embedded
        info = known.model_copy(update={"id": file.document_id})
        if given is not None:
            fields = asdict(given)
            info = info.model_copy(update={k: fields[k] for k in fields if k != "title"})
        self._insert_document(info, file, ordinal)
        pages = [page for n in range(1, known.pages + 1) if (page := old.page(known.id, n))]
        rows = [(info.id, p.number, p.label, p.width, p.height, p.text, p.raw_text) for p in pages]
        self.db.executemany("INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        self.pages += len(rows)
        for row in np.nonzero(old.rows_of([known.id]))[0]:
            item = old.chunk(int(row))
            around = context(info.title, item.section)
            key = hashlib.sha256(f"{around}\n{item.text}".encode()).hexdigest()
            moved = replace(item, document_id=info.id, id=item.id.replace(known.id, info.id, 1))
            self._copy(_Ready(moved, key, around), old, int(row))
        return True

    # --- chunks

    def _store(self, ready: Sequence[_Ready]) -> None:
        old_rows = {r.key: self._old_row(r.key) for r in ready}
        new = [r for r in ready if old_rows[r.key] is None]
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            self.progress("embed", done, len(new))

        encoded = self.encoder.passages([r.context for r in new], [r.chunk.text for r in new], advance) if new else []
        fresh = dict(zip((r.chunk.id for r in new), encoded, strict=True))
        for item in ready:
            row = old_rows[item.key]
            if row is None:
                self._write(item, fresh[item.chunk.id])
                self.embedded += 1
            else:
                assert self.previous is not None
                self._copy(item, self.previous, row)

    def _old_row(self, key: str) -> int | None:
        return None if self.previous is None else self.previous.row_of_key(key)

    def _write(self, item: _Ready, encoded: Encoded) -> None:
        vectors = _sentence_vectors(item.chunk, encoded)
        keep = np.array([_is_content(item.chunk.text[a:b]) for a, b in encoded.spans], bool)
        words, scales = to_int8(encoded.words[keep])
        self._append(item, encoded.vector[None], encoded.spans[keep], words, scales, vectors)

    def _copy(self, item: _Ready, old: Generation, row: int) -> None:
        spans, words, scales = old.stored_words(row)
        self._append(item, old.vectors[row][None], spans, words, scales, old.sentence_vectors(row))
        self.reused += 1

    def _append(
        self,
        item: _Ready,
        vector: np.ndarray,
        spans: np.ndarray,
        words: np.ndarray,
        scales: np.ndarray,
        sentence_vectors: np.ndarray,
    ) -> None:
        c = item.chunk
        values = (
            self.rows,
            c.id,
            c.document_id,
            c.ordinal,
            c.kind,
            json.dumps(c.section, ensure_ascii=False),
            c.text,
            json.dumps([astuple(p) for p in c.pieces]),
            json.dumps([astuple(s) for s in sentences(c)]),
            c.tokens,
            c.quality,
            item.key,
        )
        self.db.execute(f"INSERT INTO chunks VALUES ({', '.join('?' * len(values))})", values)
        self.dimensions = int(vector.shape[1])
        self.vectors.append(vector)
        self.words.append(words)
        self.word_scales.append(scales)
        self.word_spans.append(spans)
        self.sentence_vectors.append(sentence_vectors)
        self.rows += 1
        self.word_rows += len(words)
        self.sentence_rows += len(sentence_vectors)
        self.word_starts.append(np.array([self.word_rows]))
        self.sentence_starts.append(np.array([self.sentence_rows]))

    # --- search structures and publication

    def _write_search(self) -> None:
        with closing(sqlite3.connect(self.folder / "content.sqlite")) as db:
            titles = {d: json.loads(info)["title"] for d, info in db.execute("SELECT id, info FROM documents")}
            texts = [
                f"{context(titles[d], json.loads(section))}\n{text}"
                for d, section, text in db.execute("SELECT document_id, section, text FROM chunks ORDER BY row")
            ]
        build_lexical(texts, self.folder / "bm25")
        vectors = np.memmap(self.folder / "vectors.f32", "float32", "r", shape=(self.rows, self.dimensions))
        write_chroma(self.folder, self.name, self._stored_chunks(titles), vectors, self.chroma_url)

    def _stored_chunks(self, titles: dict[str, str]) -> Iterable[tuple[Chunk, str]]:
        with closing(sqlite3.connect(self.folder / "content.sqlite")) as db:
            for row in db.execute(f"SELECT {CHUNK_COLUMNS} FROM chunks ORDER BY row"):
                item = chunk_from_row(row)
                yield item, titles[item.document_id]

    def _publish(self, manifest: dict[str, Any]) -> None:
        (self.folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
        for path in self.folder.rglob("*"):
            if path.is_file():
                _sync(path)
        _sync(self.folder)
        os.replace(self.folder, generation_folder(self.index, self.name))
        _sync(self.index / "generations")
        pointer = self.index / ".CURRENT.new"
        pointer.write_text(self.name, encoding="utf-8")
        _sync(pointer)
        os.replace(pointer, self.index / "CURRENT")
        _sync(self.index)


def _sentence_vectors(item: Chunk, encoded: Encoded) -> np.ndarray:
    """Mean of each sentence's word vectors (late chunking: Günther et al., 2024), L2-normalised, shape (s, d)."""
    rows = []
    for sentence in sentences(item):
        inside = (encoded.spans[:, 0] >= sentence.start) & (encoded.spans[:, 1] <= sentence.end)
        rows.append(encoded.words[inside].mean(axis=0) if inside.any() else encoded.vector)
    return normalise(np.stack(rows)) if rows else np.zeros((0, len(encoded.vector)), np.float32)


def _is_content(word: str) -> bool:
    return fold(word) not in STOP_WORDS


def _all_failed(failures: Sequence[FileFailure]) -> str:
    shown = " ; ".join(f.message for f in failures[:3])
    return f"Aucun document n'a pu être lu ({len(failures)} refusé(s)). {shown}"


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def clear(index: Path, keep: int = 2) -> list[str]:
    """Remove unfinished builds, and old generations that nobody reads, but for the `keep` newest. Returns their names."""
    current = published(index)
    removed = []
    folders = sorted(p for p in (index / "generations").iterdir() if p.is_dir())
    finished = [p for p in folders if not p.name.startswith(".building-")]
    spared = {p.name for p in finished[-keep:]} | {current}
    for folder in folders:
        if folder.name in spared:
            continue
        if folder.name.startswith(".building-") or _nobody_reads(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
    return removed


def _nobody_reads(folder: Path) -> bool:
    try:
        with (folder / "in_use").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (folder / MANIFEST).unlink(missing_ok=True)  # a reader that comes now sees that it is gone
            return True
    except BlockingIOError:
        return False
    except FileNotFoundError:
        return True
