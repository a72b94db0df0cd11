"""Write side of a generation: its documents, pages, chunks and arrays, in a folder of its own until it is whole; then one
atomic rename of the pointer publishes it. Old generations are cleared, never one that is being read."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from corpus.chunk import Chunk, context, sentences
from corpus.document import Page
from corpus.errors import IndexDamaged, IndexMissing, IndexUnwritable
from rag.answer import DocumentInfo, PageText
from rag.arrays import ArrayWriter
from rag.generation import CHUNK_COLUMNS, MANIFEST, chunk_from_row, generation_folder, manifest_seal, published, seal
from rag.lexical import build_lexical
from rag.vectors import drop_collection, write_chroma

BUILDING = ".building-"
RETIRED = ".retired-"
NO_ROOM = 2 * 2**20  # bytes left on a disk that is as good as full: SQLite and Chroma write blocks
_TABLES = """
CREATE TABLE documents (ordinal INTEGER PRIMARY KEY, id TEXT UNIQUE, info TEXT, sha256 TEXT, name TEXT, failures TEXT);
CREATE TABLE pages (document_id TEXT, number INTEGER, label TEXT, width REAL, height REAL, text TEXT, raw_text TEXT,
                    PRIMARY KEY (document_id, number)) WITHOUT ROWID;
CREATE TABLE links (document_id TEXT, number INTEGER, url TEXT);
CREATE INDEX page_links ON links (document_id, number);
CREATE TABLE chunks (row INTEGER PRIMARY KEY, id TEXT UNIQUE, document_id TEXT, ordinal INTEGER, kind TEXT, section TEXT,
                     text TEXT, pieces TEXT, sentences TEXT, tokens INTEGER, quality REAL, key TEXT);
CREATE INDEX chunk_keys ON chunks (key);
"""


@dataclass(frozen=True)
class ChunkVectors:
    """What is stored of a chunk beside its text: vector (d,), content words' spans (w, 2), int8 vectors (w, d) and scales
    (w,), sentences' vectors (s, d)."""

    vector: np.ndarray
    spans: np.ndarray
    words: np.ndarray
    scales: np.ndarray
    sentences: np.ndarray


class GenerationWriter:
    """Fills one generation's folder; `finish` writes the search structures, `publish` makes it the index's answer."""

    def __init__(self, index: Path, name: str) -> None:
        self.index, self.name = index, name
        self.folder = index / "generations" / f"{BUILDING}{name}"
        self.dimensions = self.documents = self.pages = self.rows = 0
        self._word_rows = self._sentence_rows = 0
        self._sums: dict[str, dict[str, Any]] = {}  # of files whose content is known already
        self._on_disk = set[Path]()  # links to files of older generations, which were synced with them
        self._stack = ExitStack()

    def __enter__(self) -> GenerationWriter:
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("files", "bm25"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "in_use").touch()
        self._db = self._stack.enter_context(closing(sqlite3.connect(self.folder / "content.sqlite")))
        self._db.executescript(_TABLES)
        self._vectors = self._array("vectors.f32", "float32")
        self._words, self._word_scales = self._array("words.i8", "int8"), self._array("word_scales.f16", "float16")
        self._word_spans = self._array("word_spans.i32", "int32")
        self._word_starts = self._array("word_starts.i64", "int64")
        self._sentences = self._array("sentences.f16", "float16")
        self._sentence_starts = self._array("sentence_starts.i64", "int64")
        self._word_starts.append(np.zeros(1))
        self._sentence_starts.append(np.zeros(1))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError, sqlite3.Error):  # a full disk fails again on closing
            self._stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)  # published, it has moved: what is left is an unfinished build

    def _array(self, name: str, dtype: str) -> ArrayWriter:
        return self._stack.enter_context(ArrayWriter(self.folder / name, dtype))

    def add_document(
        self,
        info: DocumentInfo,
        pages: Sequence[Page | PageText],
        file: Path,
        failures: Sequence[str],
        kept: Path | None = None,
    ) -> None:
        """A document with its pages and its file. `kept`: the same file in an older generation, linked rather than copied."""
        values = (self.documents, info.id, info.model_dump_json(), info.sha256, file.name, json.dumps(failures))
        self._db.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)", values)
        rows = [(info.id, p.number, p.label, p.width, p.height, p.text, p.raw_text) for p in pages]
        self._db.executemany("INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        self._db.executemany(
            "INSERT INTO links VALUES (?, ?, ?)", [(info.id, p.number, u) for p in pages for u in p.links]
        )
        name = f"files/{info.id}{file.suffix.lower()}"
        if not self._linked(kept, self.folder / name):
            shutil.copyfile(kept or file, self.folder / name)
        self._sums[name] = {"size": (self.folder / name).stat().st_size, "sha256": info.sha256}
        self.documents += 1
        self.pages += len(rows)

    def _linked(self, kept: Path | None, target: Path) -> bool:
        if kept is None:
            return False
        try:
            os.link(kept, target)
        except OSError as error:  # another disk, or one without links
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            return False
        self._on_disk.add(target)
        return True

    def add_chunk(self, chunk: Chunk, key: str, stored: ChunkVectors) -> None:
        """Append a chunk: its row in every array is the number of chunks before it."""
        values = (
            self.rows,
            chunk.id,
            chunk.document_id,
            chunk.ordinal,
            chunk.kind,
            json.dumps(chunk.section, ensure_ascii=False),
            chunk.text,
            json.dumps([astuple(p) for p in chunk.pieces]),
            json.dumps([astuple(s) for s in sentences(chunk)]),
            chunk.tokens,
            chunk.quality,
            key,
        )
        self._db.execute(f"INSERT INTO chunks VALUES ({', '.join('?' * len(values))})", values)  # nosec B608
        self.dimensions = int(stored.vector.shape[-1])
        self._vectors.append(stored.vector[None])
        self._words.append(stored.words)
        self._word_scales.append(stored.scales)
        self._word_spans.append(stored.spans)
        self._sentences.append(stored.sentences)
        self.rows += 1
        self._word_rows += len(stored.words)
        self._sentence_rows += len(stored.sentences)
        self._word_starts.append(np.array([self._word_rows]))
        self._sentence_starts.append(np.array([self._sentence_rows]))

    def finish(self, chroma_url: str) -> None:
        """Close what was appended to; write BM25 and Chroma. Raises OSError where Chroma can't write."""
        from chromadb.errors import ChromaError

        self._db.commit()
        self._stack.close()
        with closing(sqlite3.connect(self.folder / "content.sqlite")) as db:
            titles = {d: json.loads(info)["title"] for d, info in db.execute("SELECT id, info FROM documents")}
            rows = db.execute("SELECT document_id, section, text FROM chunks ORDER BY row")
            texts = (f"{context(titles[d], json.loads(section))}\n{text}" for d, section, text in rows)
            build_lexical(texts, self.folder / "bm25")
        vectors = np.memmap(self.folder / "vectors.f32", "float32", "r", shape=(self.rows, self.dimensions))
        try:
            write_chroma(self.folder, self.name, self._stored_chunks(titles), vectors, chroma_url)
        except ChromaError as error:  # of a full disk, its core only says that it could not write
            full = shutil.disk_usage(self.folder).free < NO_ROOM
            raise OSError(errno.ENOSPC if full else errno.EIO, "chroma", str(self.folder)) from error

    def _stored_chunks(self, titles: dict[str, str]) -> Iterator[tuple[Chunk, str]]:
        with closing(sqlite3.connect(self.folder / "content.sqlite")) as db:
            for row in db.execute(f"SELECT {CHUNK_COLUMNS} FROM chunks ORDER BY row"):  # nosec B608
                item = chunk_from_row(row)
                yield item, titles[item.document_id]

    def publish(self, manifest: dict[str, Any]) -> None:
        """Seal the folder, put it among the generations, and point the index at it."""
        sealed = manifest | {"files": seal(self.folder, self._sums)}
        sealed["seal"] = manifest_seal(json.loads(json.dumps(sealed)))  # of what will be read back
        (self.folder / MANIFEST).write_text(json.dumps(sealed, ensure_ascii=False, indent=1), encoding="utf-8")
        for path in self.folder.rglob("*"):  # folders too: a power cut may lose the names of files that were synced
            if path not in self._on_disk:
                _sync(path)
        _sync(self.folder)
        os.replace(self.folder, generation_folder(self.index, self.name))
        _sync(self.index / "generations")
        pointer = self.index / ".CURRENT.new"
        pointer.write_text(self.name, encoding="utf-8")
        _sync(pointer)
        os.replace(pointer, self.index / "CURRENT")
        _sync(self.index)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def told_in_french(index: Path) -> Iterator[None]:
    """A full disk or a folder that can't be written, told with what to do. The published generation isn't touched."""
    try:
        yield
    except Exception as error:
        code = _unwritable(error)
        if code is None:
            raise
        if code == "disk_full":
            message = (
                f"Disque plein pendant l'écriture de l'index dans « {index} ». Libérez de la place (ou donnez un autre "
                "dossier avec --index), puis relancez."
            )
        else:
            message = (
                f"Impossible d'écrire dans « {index} » ({error.__class__.__name__}). Donnez le droit d'écriture sur ce "
                "dossier, ou choisissez-en un autre avec --index."
            )
        raise IndexUnwritable(f"{message} L'index publié, s'il y en a un, n'a pas changé.", code=code) from error


def _unwritable(error: BaseException) -> str | None:
    """disk_full or read_only where that is what `error` comes from; SQLite and Chroma only say it in words."""
    words = str(error).lower()
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return "disk_full"
        if error.errno in (
            errno.EACCES,
            errno.EPERM,
            errno.EROFS,
            errno.ENOTDIR,
            errno.EEXIST,
            errno.EISDIR,
            errno.EIO,
        ):
            return "read_only"
    # numpy says how much it wrote, and gives no errno
    if re.search(r"disk is full|no space left|file too large|\d+ requested and \d+ written", words):
        return "disk_full"
    if "readonly database" in words or "read-only file system" in words or "unable to open database" in words:
        return "read_only"
    if isinstance(error, sqlite3.OperationalError) and "disk i/o error" in words:
        return "disk_full"
    return None


def clear(index: Path, keep: int = 2, chroma_url: str = "") -> list[str]:
    """Remove unfinished builds, and old generations that nobody reads, but for the `keep` newest. Returns their names.
    The caller holds the writer lock."""
    folders = sorted(p for p in (index / "generations").iterdir() if p.is_dir())
    finished = [p for p in folders if not p.name.startswith(".") and (p / MANIFEST).exists()]
    spared = {p.name for p in finished[-keep:]} if keep else set()
    with contextlib.suppress(IndexMissing, IndexDamaged):
        spared.add(published(index))
    removed = []
    for folder in folders:
        if folder.name in spared or not (folder.name.startswith(".") or _nobody_reads(folder)):
            continue
        name = folder.name.removeprefix(BUILDING).removeprefix(RETIRED)
        gone = folder
        if not folder.name.startswith("."):
            gone = folder.with_name(f"{RETIRED}{name}")
            os.replace(folder, gone)
        shutil.rmtree(gone, ignore_errors=True)
        if chroma_url:
            drop_collection(name, chroma_url)
        removed.append(name)
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
