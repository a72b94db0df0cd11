"""How answering grows: 1,000, 10,000 and 100,000 passages of real French text, with synthetic vectors: each word has one
random vector, a passage and a sentence have their words' mean. `real` encodes them with the default model instead (13
minutes at 100,000 on two recent cores). `1000000` may be asked for (half an hour, 20 GB): the text gives about 190,000 distinct
passages, which then come several times.

python -m benchmarks.growth [real] [SIZE…]
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks.common import CACHE, RESULTS, folder_mib, machine, memory_mib, percentiles, report, run, spent
from benchmarks.plot import plot
from benchmarks.texts import Sheet, sheets
from corpus.chunk import Chunk, ChunkSentence, Piece, sentences
from rag.answer import DocumentInfo, PageText
from rag.arrays import to_int8
from rag.chunk_vectors import chunk_vectors
from rag.embedding import Encoded, Encoder, load_encoder
from rag.generation import SCHEMA, Generation
from rag.generation_writer import ChunkVectors, GenerationWriter
from rag.index import ENCODE_AT_ONCE, READER_VERSION
from rag.lexical import STOP_WORDS, words
from rag.settings import Settings

SIZES = (1_000, 10_000, 100_000)
DIMENSIONS = 384
TABLE = 20_000
QUESTIONS = 200
TYPING_ERROR = 4  # one question in so many has one, as users' have


class WordVectors:
    """Stands for the encoder: the same words give the same vectors."""

    name, dimensions = "synthetic", DIMENSIONS

    def __init__(self) -> None:
        table = np.random.default_rng(17).standard_normal((TABLE, DIMENSIONS)).astype(np.float32)
        self._table = table / np.linalg.norm(table, axis=1, keepdims=True)

    def of(self, texts: list[str]) -> np.ndarray:
        return self._table[[int.from_bytes(hashlib.blake2b(t.encode(), digest_size=4).digest()) % TABLE for t in texts]]

    def queries(self, texts: Sequence[str]) -> list[Encoded]:
        return [self.query(text) for text in texts]

    def query(self, text: str) -> Encoded:
        spans, found = _spans(text)
        vectors = self.of(found)
        return Encoded(_mean(vectors), spans, vectors)


def _spans(text: str) -> tuple[np.ndarray, list[str]]:
    spans, found, at = [], [], 0
    for word in text.split():
        start = text.index(word, at)
        at = start + len(word)
        folded = words(word)
        if folded and folded[-1] not in STOP_WORDS:
            spans.append((start, at))
            found.append(folded[-1])
    return np.array(spans or [(0, len(text))], np.int32), found or ["∅"]


def _mean(vectors: np.ndarray) -> np.ndarray:
    mean = vectors.mean(axis=0)
    return (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)


def write(index: Path, size: int, real: bool) -> dict[str, float]:
    """A published generation of `size` passages; what its vectors and its search structures cost to make."""
    encoder = load_encoder(Settings()) if real else None
    vectors_of = partial(_encoded, encoder) if encoder else partial(_drawn, WordVectors())
    (index / "generations").mkdir(parents=True)
    sheet_file = index / "sheet.txt"
    sheet_file.write_text("Texte de mesure.", encoding="utf-8")
    with GenerationWriter(index, "20260101T000000000000-growth") as writer:
        with spent() as encoding:
            for sheet_window in _windows(_taken(size)):
                made = iter(vectors_of([chunk for _, chunks in sheet_window for chunk in chunks]))
                for sheet, chunks in sheet_window:
                    _add(writer, sheet, chunks, sheet_file)
                    for chunk in chunks:
                        writer.add_chunk(chunk, hashlib.sha256(chunk.text.encode()).hexdigest(), next(made))
        with spent() as finishing:
            writer.finish("")
        counts = {"documents": writer.documents, "pages": writer.pages, "chunks": writer.rows}
        writer.publish(
            {
                "schema": SCHEMA,
                "name": writer.name,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "model": encoder.name if encoder else WordVectors.name,
                "dimensions": DIMENSIONS,
                "chunking": {},
                "reader": READER_VERSION,
                "counts": counts,
                "failures": [],
                "page_failures": [],
            }
        )
    return {
        "vectors_s": round(encoding.wall, 1),
        "search_structures_s": round(finishing.wall, 1),
        "search_structures_cpu_s": round(finishing.cpu, 1),
    }


def _windows(taken: Iterator[tuple[Sheet, tuple[str, ...]]]) -> Iterator[list[tuple[Sheet, list[Chunk]]]]:
    """Sheets with their chunks, some ENCODE_AT_ONCE chunks at a time."""
    window: list[tuple[Sheet, list[Chunk]]] = []
    for sheet, passages in taken:
        window.append((sheet, _chunks(sheet, passages)))
        if sum(len(chunks) for _, chunks in window) >= ENCODE_AT_ONCE:
            yield window
            window = []
    yield window


def _encoded(encoder: Encoder, chunks: Sequence[Chunk]) -> list[ChunkVectors]:
    found = encoder.passages([chunk.section[0] for chunk in chunks], [chunk.text for chunk in chunks])
    return [chunk_vectors(chunk, one) for chunk, one in zip(chunks, found, strict=True)]


def _drawn(encoder: WordVectors, chunks: Sequence[Chunk]) -> list[ChunkVectors]:
    made = []
    for chunk in chunks:
        spans, found = _spans(chunk.text)
        vectors = encoder.of(found)
        rows, scales = to_int8(vectors)
        own = np.stack([_sentence(s, spans, vectors) for s in sentences(chunk)])
        made.append(ChunkVectors(_mean(vectors), spans, rows, scales, own))
    return made


def _taken(size: int) -> Iterator[tuple[Sheet, tuple[str, ...]]]:
    """Sheets with `size` passages in all; beyond those that the text gives, the same ones again, as other documents."""
    left = size
    for copy in count():
        for sheet in sheets():
            passages = sheet.passages[:left]
            left -= len(passages)
            yield replace(sheet, id=f"{sheet.id}-{copy}") if copy else sheet, passages
            if not left:
                return
        print(f"(le texte donne {(size - left) // (copy + 1)} passages distincts : repris)", flush=True)


def _add(writer: GenerationWriter, sheet: Sheet, chunks: Sequence[Chunk], file: Path) -> None:
    text = "\n".join(chunk.text for chunk in chunks)
    page = PageText(document_id=sheet.id, number=1, label="1", width=0, height=0, text=text, raw_text="", links=())
    info = DocumentInfo(
        id=sheet.id, title=sheet.title, authors=(), publisher=None, date=None, kind="fiche", language="fr", pages=1,
        source_url=None, licence=None, sha256=hashlib.sha256(sheet.id.encode()).hexdigest(), has_file=False,
    )  # fmt: skip
    writer.add_document(info, [page], file, [])


def _chunks(sheet: Sheet, passages: Sequence[str]) -> list[Chunk]:
    made = []
    at = 0
    for number, text in enumerate(passages):
        piece = Piece(1, at, at + len(text), 0, "body")
        at += len(text) + 1
        made.append(
            Chunk(f"{sheet.id}:{number}", sheet.id, number, "body", (sheet.title,), text, (piece,), len(text) // 4, 1.0)
        )
    return made


def _sentence(sentence: ChunkSentence, spans: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    inside = (spans[:, 0] >= sentence.start) & (spans[:, 1] <= sentence.end)
    return _mean(vectors[inside] if inside.any() else vectors)


def questions() -> list[str]:
    """Titles of sheets, as they would be asked; one in four with a typing error."""
    found = [sheet.title for sheet in sheets() if sheet.title.endswith("?")]
    step = max(1, len(found) // QUESTIONS)
    asked = found[::step][:QUESTIONS]
    return [_mistyped(q) if i % TYPING_ERROR == 0 else q for i, q in enumerate(asked)]


def _mistyped(question: str) -> str:
    longest = max(question.split(), key=len)
    middle = len(longest) // 2
    wrong = longest[:middle] + longest[middle + 1] + longest[middle] + longest[middle + 2 :] if middle > 1 else longest
    return question.replace(longest, wrong)


def ask(index: Path) -> dict[str, Any]:
    """Times of the questions over one index, in a process of its own."""
    from rag.assistant import Assistant, TextEvent

    before = memory_mib()["own_mib"]
    with closing(Generation.open_published(index)) as generation:
        drawn = cast(Encoder, WordVectors()) if generation.model == WordVectors.name else None
    started = time.perf_counter()
    assistant = Assistant(Settings(index=index), drawn)
    opened = time.perf_counter() - started
    asked = questions()
    assistant.ask(asked[-1])
    searched, first, whole = [], [], []
    with spent() as used:
        for question in asked:
            started = time.perf_counter()
            for event in assistant.stream(question):
                if isinstance(event, TextEvent) and len(first) == len(whole):
                    first.append(time.perf_counter() - started)
            whole.append(time.perf_counter() - started)
    for question in asked:
        started = time.perf_counter()
        assistant._retriever.find(question, 20)
        searched.append(time.perf_counter() - started)
    memory = memory_mib()
    found = {
        "passages": len(assistant.generation),
        "open_s": round(opened, 2),
        **{f"retrieve_{k}": v for k, v in percentiles(searched).items()},
        **{f"first_{k}": v for k, v in percentiles(first).items()},
        "cpu_ms": round(1000 * used.cpu / len(asked), 1),
        "own_mib": memory["own_mib"] - before,
        "rss_mib": memory["rss_mib"],
        "disk_mib": folder_mib(assistant.generation.folder),
    }
    assistant.close()
    return found


def main(sizes: tuple[int, ...], real: bool) -> None:
    rows = []
    start = machine()
    for size in sizes:
        index = CACHE / f"growth-{'real-' if real else ''}{size}"
        made: dict[str, float] = {}
        if not (index / "CURRENT").exists():
            shutil.rmtree(index, ignore_errors=True)  # one that was stopped halfway
            made = write(index, size, real)
            (index / "made.json").write_text(json.dumps(made), encoding="utf-8")
        _, output, _ = run([sys.executable, "-m", "benchmarks.growth", "ask", index])
        rows.append(json.loads(output.splitlines()[-1]) | json.loads((index / "made.json").read_text(encoding="utf-8")))
    name = "growth-real" if real else "growth"
    report(name, rows, start)
    plot(rows, RESULTS / f"{name}.svg")


if __name__ == "__main__":
    if sys.argv[1:2] == ["ask"]:
        print(json.dumps(ask(Path(sys.argv[2]))))
    else:
        real = sys.argv[1:2] == ["real"]
        main(tuple(int(size) for size in sys.argv[1 + real :]) or SIZES, real)
