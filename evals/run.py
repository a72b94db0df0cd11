"""A run is a folder: run.json (what was measured, of what, by what, and the figures), answers.jsonl (one line a question),
pages.jsonl (the pages that its answers cite), pages.trec and pages.qrels (what was found, what was right), report.html. It can be interrupted and resumed, and read years later."""

from __future__ import annotations

import hashlib
import json
import platform
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

import corpus
import rag
from corpus.errors import UsageError
from corpus.slug import slug
from evals.anchors import PageBook
from evals.chunkbook import ChunkBook
from evals.intervals import Figure, figure
from evals.metrics import METRICS
from evals.observe import Line, Observer
from evals.questions import Question
from evals.ranking import pages_of, spot_name
from rag.assistant import Assistant

INFO, ANSWERS, PAGES, REPORT = "run.json", "answers.jsonl", "pages.jsonl", "report.html"
TREC_RUN, TREC_QRELS = "pages.trec", "pages.qrels"
PACKAGES = (
    "boussole17",
    "bm25s",
    "chromadb",
    "ir-measures",
    "llama-index-core",
    "numpy",
    "sentence-transformers",
    "torch",
)
PRIVATE = {
    "manifest",
    "fetch_loopback",
    "index",
    "cache",
    "data",
    "sources",
    "host",
    "port",
    "root_path",
    "llm_api_key",
    "chroma_url",
}
Figures = dict[str, Figure]


class DocumentPrint(BaseModel):
    """A document as the index held it: its file, what was read in it, how it was cut."""

    model_config = ConfigDict(frozen=True)

    title: str
    pages: int
    sha256: str
    text: str
    chunks: str
    indexed: float = 1.0  # letters of its chunks over letters of its pages


class Summary(BaseModel):
    model_config = ConfigDict(frozen=True)

    metrics: Figures
    by_kind: dict[str, Figures]
    by_document: dict[str, Figures]


class RunInfo(BaseModel):
    """All of a run but its answers."""

    model_config = ConfigDict(frozen=True)

    created: str
    complete: bool
    questions: int
    reference: str  # fingerprint of the questions asked
    index_generation: str
    index_fingerprint: str
    model: str
    llm: str | None
    chunking: dict[str, object]
    documents: dict[str, DocumentPrint]
    settings: dict[str, object]
    versions: dict[str, str]
    code: dict[str, str]
    seconds: float = 0.0
    memory_mb: float = 0.0
    failed: int = 0
    superseded: dict[str, str] = {}  # document left out of the index → its newer version
    summary: Summary | None = None


class Run(BaseModel):
    """A run read from its folder."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    folder: Path
    info: RunInfo
    lines: tuple[Line, ...]


def measure(
    assistant: Assistant,
    questions: Sequence[Question],
    folder: Path,
    *,
    resume: bool = False,
    done: Callable[[int], None] = lambda _: None,
) -> Run:
    """Ask every question and write the run. Raises UsageError where the folder holds another run.

    Each line is on disk before the next question: after Ctrl-C (KeyboardInterrupt passes through), `resume` goes on."""
    observer = Observer.of(assistant)
    info = _info(assistant, observer, questions)
    lines = _started(folder, info, resume)
    folder.mkdir(parents=True, exist_ok=True)
    _write_info(folder, info)
    known = {line.id for line in lines}
    done(len(lines))
    started = time.perf_counter()
    if not known:
        assistant.ask("Qu'est-ce que le corpus décrit ?")  # a first question pays for what is loaded lazily
    with (folder / ANSWERS).open("w" if not lines else "a", encoding="utf-8") as file:
        for question in questions:
            if question.id in known:
                continue
            line = observer.observe(question)
            file.write(line.model_dump_json() + "\n")
            file.flush()
            lines.append(line)
            done(len(lines))
    order = {question.id: i for i, question in enumerate(questions)}
    lines.sort(key=lambda line: order[line.id])
    info = info.model_copy(
        update={
            "complete": True,
            "seconds": round(time.perf_counter() - started, 2),
            "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "failed": sum(line.error is not None for line in lines),
            "summary": summarise(lines),
        }
    )
    _write_pages(folder, lines, observer.book)
    _write_trec(folder, lines)
    _write_info(folder, info)
    return Run(folder=folder, info=info, lines=tuple(lines))


def open_run(folder: Path) -> Run:
    """A run read back. Raises UsageError where the folder holds none, or an unfinished one."""
    try:
        info = RunInfo.model_validate_json((folder / INFO).read_text(encoding="utf-8"))
        lines = _read_lines(folder / ANSWERS)
    except FileNotFoundError:
        raise UsageError(f"Aucune mesure dans « {folder} ». Faites-en une : evals run --out {folder}") from None
    except ValidationError as error:
        raise UsageError(
            f"Mesure illisible dans « {folder} » (autre version ?) : {error.error_count()} champs."
        ) from None
    if not info.complete:
        raise UsageError(f"La mesure « {folder} » est inachevée. Terminez-la : evals run --resume --out {folder}")
    return Run(folder=folder, info=info, lines=tuple(lines))


def summarise(lines: Sequence[Line]) -> Summary:
    """Figures over all questions, by kind of question and by document."""
    kinds = sorted({line.question.kind for line in lines})
    documents = sorted({d for line in lines for d in line.documents})
    return Summary(
        metrics=_figures(lines),
        by_kind={kind: _figures([line for line in lines if line.question.kind == kind]) for kind in kinds},
        by_document={d: _figures([line for line in lines if d in line.documents]) for d in documents},
    )


def _figures(lines: Sequence[Line]) -> Figures:
    found = {}
    for metric in METRICS:
        given = [line.values[metric.name] for line in lines if metric.name in line.values]
        if (summed := figure(given, metric)) is not None:
            found[metric.name] = summed
    return found


def _started(folder: Path, info: RunInfo, resume: bool) -> list[Line]:
    """The lines that the folder already holds. Raises UsageError where they are of another run."""
    if not (folder / INFO).exists():
        return []
    if not resume:
        raise UsageError(
            f"« {folder} » contient déjà une mesure. Ajoutez --resume, ou donnez un autre dossier à --out."
        )
    before = RunInfo.model_validate_json((folder / INFO).read_text(encoding="utf-8"))
    same = ("reference", "index_generation", "settings", "code")
    if any(getattr(before, name) != getattr(info, name) for name in same):
        raise UsageError(
            f"« {folder} » a été commencée avec d'autres questions, un autre index ou un autre programme : "
            "recommencez dans un autre dossier."
        )
    lines = _read_lines(folder / ANSWERS) if (folder / ANSWERS).exists() else []
    # a last line that the interruption cut is asked again
    (folder / ANSWERS).write_text("".join(line.model_dump_json() + "\n" for line in lines), encoding="utf-8")
    return lines


def _read_lines(path: Path) -> list[Line]:
    lines = []
    texts = path.read_text(encoding="utf-8").splitlines()
    for number, text in enumerate(texts, 1):
        try:
            lines.append(Line.model_validate_json(text))
        except ValidationError:
            if number < len(texts):
                raise
    return lines


def _info(assistant: Assistant, observer: Observer, questions: Sequence[Question]) -> RunInfo:
    manifest = assistant.generation.manifest
    return RunInfo(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        complete=False,
        questions=len(questions),
        reference=_digest(q.id + q.fingerprint for q in questions),
        index_generation=assistant.generation.name,
        index_fingerprint=str(manifest.get("fingerprint", "")),
        model=assistant.generation.model,
        llm=assistant.settings.llm_model or None,
        chunking=dict(manifest.get("chunking", {})),
        documents=_documents(assistant, observer.book, observer.chunks),
        settings=assistant.settings.model_dump(mode="json", exclude=PRIVATE),
        versions={"python": platform.python_version()} | _versions(),
        superseded={slug(Path(r["path"]).stem): r["by"] for r in manifest.get("superseded", ())},
        code={"corpus": _code(corpus.__file__), "rag": _code(rag.__file__)},
    )


def _documents(assistant: Assistant, book: PageBook, chunks: ChunkBook) -> dict[str, DocumentPrint]:
    return {
        d.id: DocumentPrint(
            title=d.title,
            pages=d.pages,
            sha256=d.sha256,
            text=_digest(book.texts[spot] for spot in book.by_document.get(d.id, [])),
            chunks=_digest(cut.key for cut in chunks.chunks.get(d.id, [])),
            indexed=round(chunks.indexed(d.id, book), 4),
        )
        for d in assistant.documents
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _code(init: str | None) -> str:
    """Of a room's program: two runs with the same code and the same corpus must give the same answers."""
    files = sorted(Path(init or ".").parent.glob("*.py"))
    return _digest(f"{f.name}\n{f.read_text(encoding='utf-8')}" for f in files)


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\x1f".join(texts).encode()).hexdigest()[:16]


def _write_info(folder: Path, info: RunInfo) -> None:
    (folder / INFO).write_text(info.model_dump_json(indent=1) + "\n", encoding="utf-8")


def _write_pages(folder: Path, lines: Sequence[Line], book: PageBook) -> None:
    """Texts of the pages that are cited or expected, for the report to open."""
    spots = {spot for line in lines for spot in line.gold}
    spots |= {(c.document_id, c.page) for line in lines if line.answer for c in line.answer.citations}
    with (folder / PAGES).open("w", encoding="utf-8") as file:
        for document_id, page in sorted(spots):
            text = book.texts.get((document_id, page), "")
            file.write(json.dumps({"document_id": document_id, "page": page, "text": text}, ensure_ascii=False) + "\n")


def _write_trec(folder: Path, lines: Sequence[Line]) -> None:
    """The ranked pages of each question and the right ones, in TREC's form: any other program can compute the figures."""
    with (
        (folder / TREC_RUN).open("w", encoding="utf-8") as run,
        (folder / TREC_QRELS).open("w", encoding="utf-8") as qrels,
    ):
        for line in lines:
            if not line.question.answerable or not line.gold:
                continue
            ranked = pages_of(line.passages)
            for rank, spot in enumerate(ranked):
                run.write(f"{line.id} Q0 {spot_name(spot)} {rank + 1} {len(ranked) - rank} boussole17\n")
            qrels.writelines(f"{line.id} 0 {spot_name(spot)} 1\n" for spot in line.gold)
