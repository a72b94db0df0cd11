"""A published index generation, opened for reading: documents, pages, chunks, vectors, words, BM25.

    INDEX/CURRENT                      the name of the published generation, replaced by one atomic rename
    INDEX/writer.lock                  held by the one process that builds
    INDEX/generations/NAME/
        generation.json                schema, model, settings, counts, checksums and its own: written last
        content.sqlite                 documents, pages, chunks
        vectors.f32                    one vector a chunk                      (n, d)
        words.i8 word_scales.f16 word_spans.i32 word_starts.i64                content words of all chunks
        sentences.f16 sentence_starts.i64                                      one vector a sentence
        bm25/                          bm25s arrays and vocabulary
        chroma/                        the embedded Chroma collection (opened by one process at a time)
        files/                         the documents' files, to open a citation at its page

A generation never changes once published (Chroma's own folder apart, which may be compacted on opening).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np

from corpus.chunk import Chunk, ChunkSentence, Piece
from corpus.errors import IndexDamaged, IndexMismatch, IndexMissing
from rag.answer import DocumentInfo, PageText
from rag.arrays import from_int8, open_array
from rag.lexical import LexicalIndex, open_lexical

SCHEMA = 2  # 2: generation.json is under a checksum of its own
READABLE = (
    1,
    SCHEMA,
)  # an older one answers as it did, and the next `boussole index` writes today's form from its vectors
CHECKED_ON_OPENING = 256 * 2**20  # bytes whose sha256 is checked on opening, smallest files first: about 0.3 s at most
CRC_ON_OPENING = 4 * 2**30  # bytes of the larger files whose crc32 is: 0.3 s a gigabyte, and no flipped bit escapes it
BLOCK = 4 * 2**20
NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")  # of a generation: nothing that leads out of its folder
MANIFEST = "generation.json"
KEYS = frozenset(("model", "dimensions", "files", "counts", "reader", "chunking"))
CHUNK_COLUMNS = "id, document_id, ordinal, kind, section, text, pieces, tokens, sentences, quality"
UNSEALED = (
    "chroma",
    "chroma.lock",
    MANIFEST,
    "in_use",
)  # not under checksum: Chroma may compact its folder when it opens it


def published(index: Path) -> str:
    """Name of the published generation. Raises IndexMissing."""
    try:
        name = (index / "CURRENT").read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        raise IndexMissing(f"Aucun index publié dans « {index} ». Lancez : boussole index --index {index}") from None
    except PermissionError:
        raise _forbidden(index) from None
    except (UnicodeDecodeError, OSError):  # not text, or not a file at all
        name = ""
    if not NAME.fullmatch(name):
        raise IndexDamaged(
            f"Index abîmé : « {index / 'CURRENT'} » ne désigne pas de génération. "
            f"Lancez : boussole index --rebuild --index {index}"
        )
    return name


def generation_folder(index: Path, name: str) -> Path:
    return index / "generations" / name


class Generation:
    """Read side of a generation; holds it open (a shared lock) until `close`, so that it isn't cleared meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self._hold: IO[bytes] = _hold(folder)
        try:
            self.manifest = read_manifest(folder)
            _check(folder, self.manifest)
        except BaseException:
            self._hold.close()
            raise
        self.model: str = self.manifest["model"]
        self._local = threading.local()
        width = int(self.manifest["dimensions"])
        self.vectors = open_array(folder / "vectors.f32", "float32", width)
        self._words = open_array(folder / "words.i8", "int8", width)
        self._word_scales = open_array(folder / "word_scales.f16", "float16")
        self._word_spans = open_array(folder / "word_spans.i32", "int32", 2)
        self._word_starts = open_array(folder / "word_starts.i64", "int64")
        self._sentences = open_array(folder / "sentences.f16", "float16", width)
        self._sentence_starts = open_array(folder / "sentence_starts.i64", "int64")

    @classmethod
    def open_published(cls, index: Path) -> Generation:
        """The published generation. Raises IndexMissing, IndexMismatch, IndexDamaged."""
        for attempt in (1, 2, 3):
            name = published(index)
            try:
                return cls(generation_folder(index, name))
            except FileNotFoundError as error:
                if attempt == 3 or published(index) == name:  # not replaced meanwhile: really missing
                    raise IndexDamaged(
                        f"Index abîmé : il manque « {Path(str(error.filename)).name} » dans la génération {name}. "
                        f"Lancez : boussole index --rebuild --index {index}"
                    ) from None
            except PermissionError:
                raise _forbidden(index) from None
            except OSError as error:  # a folder where a file was, or a disk that no longer reads
                raise _damaged(Path(str(error.filename or name)).name, generation_folder(index, name)) from error
        raise AssertionError("unreachable")

    def close(self) -> None:
        self._hold.close()

    def __len__(self) -> int:
        return len(self.vectors)

    @cached_property
    def lexical(self) -> LexicalIndex:
        return open_lexical(self.folder / "bm25")

    # --- documents and pages

    @property
    def _db(self) -> sqlite3.Connection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            path = self.folder / "content.sqlite"
            with _damage(self.folder):
                connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
            self._local.connection = connection
        return connection

    @cached_property
    def documents(self) -> dict[str, DocumentInfo]:
        rows = self._db.execute("SELECT info FROM documents ORDER BY ordinal").fetchall()
        found = [DocumentInfo.model_validate_json(info) for (info,) in rows]
        return {document.id: document for document in found}

    def page(self, document_id: str, number: int) -> PageText | None:
        row = self._db.execute(
            "SELECT label, width, height, text, raw_text FROM pages WHERE document_id = ? AND number = ?",
            (document_id, number),
        ).fetchone()
        if row is None:
            return None
        label, width, height, text, raw_text = row
        return PageText(
            document_id=document_id,
            number=number,
            label=label,
            width=width,
            height=height,
            text=text,
            raw_text=raw_text,
            links=self._links(document_id, number),
        )

    def _links(self, document_id: str, number: int) -> tuple[str, ...]:
        """Addresses that the page links to; none where the generation is older than their table."""
        query = "SELECT url FROM links WHERE document_id = ? AND number = ? ORDER BY rowid"
        try:
            return tuple(url for (url,) in self._db.execute(query, (document_id, number)))
        except sqlite3.OperationalError:
            return ()

    def page_numbers(self, document_id: str) -> list[int]:
        """Numbers of the pages that could be read: one that failed is missing."""
        query = "SELECT number FROM pages WHERE document_id = ? ORDER BY number"
        return [number for (number,) in self._db.execute(query, (document_id,))]

    def document_failures(self, document_id: str) -> list[str]:
        """What is said of its pages that could not be read."""
        row = self._db.execute("SELECT failures FROM documents WHERE id = ?", (document_id,)).fetchone()
        return list(json.loads(row[0])) if row else []

    def page_label(self, document_id: str, number: int) -> str:
        return self._labels.get((document_id, number), str(number))

    @cached_property
    def _labels(self) -> dict[tuple[str, int], str]:
        return {(d, n): label for d, n, label in self._db.execute("SELECT document_id, number, label FROM pages")}

    def file(self, document_id: str) -> Path | None:
        """The document's file, kept in the generation; None where it isn't one of ours."""
        info = self.documents.get(document_id)
        if info is None or not info.has_file:
            return None
        found = self._files.get(document_id)
        return found if found is not None and found.exists() else None

    @cached_property
    def _files(self) -> dict[str, Path]:
        return {path.stem: path for path in (self.folder / "files").iterdir()}

    # --- chunks

    @cached_property
    def chunk_documents(self) -> np.ndarray:
        """Ordinal of each chunk's document, shape (n,), for filters."""
        rows = self._db.execute("SELECT document_id FROM chunks ORDER BY row")
        return np.array([self._ordinals[d] for (d,) in rows], np.int32)

    @cached_property
    def _ordinals(self) -> dict[str, int]:
        return {d: i for i, d in enumerate(self.documents)}

    def rows_of(self, document_ids: Sequence[str]) -> np.ndarray:
        wanted = [self._ordinals[d] for d in set(document_ids) if d in self._ordinals]
        return np.isin(self.chunk_documents, wanted)

    def chunk(self, row: int) -> Chunk:
        return chunk_from_row(self._chunk_row(row))

    def sentences(self, row: int) -> list[ChunkSentence]:
        return [ChunkSentence(*item) for item in json.loads(self._chunk_row(row)[8])]

    def _chunk_row(self, row: int) -> tuple[Any, ...]:
        query = f"SELECT {CHUNK_COLUMNS} FROM chunks WHERE row = ?"  # nosec B608
        found = self._db.execute(query, (int(row),)).fetchone()
        if found is None:
            raise IndexDamaged(f"Index abîmé : le passage {row} manque. Lancez : boussole index --rebuild")
        return tuple(found)

    @cached_property
    def row_by_id(self) -> dict[str, int]:
        return {i: row for row, i in self._db.execute("SELECT row, id FROM chunks")}

    def row_of_key(self, key: str) -> int | None:
        """The chunk whose context and text have this hash, to take its vectors instead of embedding it again."""
        found = self._db.execute("SELECT row FROM chunks WHERE key = ? LIMIT 1", (key,)).fetchone()
        return int(found[0]) if found else None

    def stored_words(self, row: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Spans (w, 2), int8 vectors (w, d) and scales (w,) of the chunk's content words, as stored."""
        a, b = int(self._word_starts[row]), int(self._word_starts[row + 1])
        return np.asarray(self._word_spans[a:b]), np.asarray(self._words[a:b]), np.asarray(self._word_scales[a:b])

    def word_vectors(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Spans (w, 2) in the chunk's text and vectors (w, d) of its content words."""
        spans, words, scales = self.stored_words(row)
        return spans, from_int8(words, scales)

    def sentence_vectors(self, row: int) -> np.ndarray:
        a, b = int(self._sentence_starts[row]), int(self._sentence_starts[row + 1])
        return np.asarray(self._sentences[a:b], np.float32)


def chunk_from_row(row: Sequence[Any]) -> Chunk:
    """The chunk of a row that was read with CHUNK_COLUMNS."""
    id_, document_id, ordinal, kind, section, text, pieces, tokens, _sentences, quality = row
    return Chunk(
        id_,
        document_id,
        ordinal,
        kind,
        tuple(json.loads(section)),
        text,
        tuple(Piece(*piece) for piece in json.loads(pieces)),
        tokens,
        quality,
    )


def _hold(folder: Path) -> IO[bytes]:
    """A shared lock on the generation, released when the file is closed or the process dies."""
    try:
        file = (folder / "in_use").open("rb")
    except PermissionError:  # pragma: no branch - a read-only index can't be cleared by this user either
        file = (folder / MANIFEST).open("rb")
    fcntl.flock(file, fcntl.LOCK_SH)
    if not (folder / MANIFEST).exists():  # cleared between the pointer and the lock
        file.close()
        raise FileNotFoundError(2, "cleared", str(folder / MANIFEST))
    return file


@contextmanager
def _damage(folder: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.DatabaseError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(MANIFEST if not isinstance(error, sqlite3.Error) else "content.sqlite", folder) from error


def _forbidden(index: Path) -> IndexDamaged:
    return IndexDamaged(
        f"Lecture interdite dans « {index} ». Donnez-vous le droit de lire ce dossier et ce qu'il contient "
        f"(chmod -R u+rX {index}), puis relancez.",
        code="index_forbidden",
    )


def _damaged(name: str, folder: Path) -> IndexDamaged:
    return IndexDamaged(
        f"Index abîmé : « {name} » manque ou n'est plus ce qui a été écrit, dans la génération {folder.name}. "
        f"Lancez : boussole index --rebuild --index {folder.parent.parent}"
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a generation says of itself, once its seal is checked. Raises IndexDamaged, IndexMismatch, OSError."""
    with _damage(folder):
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        schema = manifest["schema"]
        if schema in READABLE and not manifest.keys() >= KEYS:
            raise KeyError(MANIFEST)
        if (schema == SCHEMA or "seal" in manifest) and manifest["seal"] != manifest_seal(manifest):
            raise ValueError(MANIFEST)
    if schema not in READABLE:
        raise IndexMismatch(
            f"Index au format {schema}, ce programme lit le format {SCHEMA}. "
            f"Lancez : boussole index --rebuild --index {folder.parent.parent}"
        )
    return dict(manifest)


def manifest_seal(manifest: Mapping[str, Any]) -> str:
    """sha256 of all that a manifest says beside its own seal: a flipped bit in it would change model, shapes or checksums."""
    said = {name: value for name, value in manifest.items() if name != "seal"}
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def seal(folder: Path, known: Mapping[str, dict[str, Any]] | None = None) -> dict[str, dict[str, Any]]:
    """Size, sha256 and crc32 of each file of a generation, by relative name; those in `known` aren't computed again."""
    sums = dict(known or {})
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] not in UNSEALED and name not in sums:
            sums[name] = file_sum(path)
    return sums


def file_sum(path: Path) -> dict[str, Any]:
    digest, crc, size = hashlib.sha256(), 0, 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            crc, size = zlib.crc32(block, crc), size + len(block)
    return {"size": size, "sha256": digest.hexdigest(), "crc32": crc}


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            crc = zlib.crc32(block, crc)
    return crc


def _check(folder: Path, manifest: dict[str, Any]) -> None:
    """Sizes of all files, and the content of all that fit in CHECKED_ON_OPENING, then CRC_ON_OPENING. Raises IndexDamaged."""
    left, crc_left = CHECKED_ON_OPENING, CRC_ON_OPENING
    for name, known in sorted(manifest["files"].items(), key=lambda item: int(item[1]["size"])):
        path = folder / name
        if not path.is_file() or path.stat().st_size != known["size"]:
            raise _damaged(name, folder)
        if name.startswith("files/"):  # the documents themselves: only shown, and `boussole doctor` checks them
            continue
        left -= known["size"]
        if left > 0:
            if file_sum(path)["sha256"] != known["sha256"]:
                raise _damaged(name, folder)
            continue
        crc_left -= known["size"]
        if crc_left > 0 and "crc32" in known and _crc(path) != known["crc32"]:
            raise _damaged(name, folder)


def verify(folder: Path) -> list[str]:
    """Names of the files whose content isn't what was written (reads everything). Raises IndexDamaged, IndexMismatch."""
    known = read_manifest(folder)["files"]
    now = seal(folder)
    return [name for name in known if now.get(name, {}).get("sha256") != known[name]["sha256"]]
