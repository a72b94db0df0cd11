"""Retrieval on text by others, in BEIR form, through our own chunking, index and search; passages are folded to their document.

    corpus.jsonl    {"_id", "title"?, "text"}           a document a line
    queries.jsonl   {"_id", "text", "history"?: ["…"]}  a question a line, with the questions before it where it follows some
    qrels.tsv       query-id, corpus-id, score          or qrels/*.tsv (test.tsv wins); a first line of names is skipped

(Thakur et al., BEIR, NeurIPS 2021.) Documents are written one by one to files, and read back by the index like any other:
nothing of the corpus is held in memory but its identifiers.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ir_measures
from ir_measures import RR, R, nDCG
from pydantic import BaseModel, ConfigDict

from corpus.errors import UsageError
from corpus.notice import Notice
from evals.intervals import Figure, share
from rag.answer import Turn
from rag.assistant import Assistant
from rag.embedding import load_encoder
from rag.index import build
from rag.settings import Settings

MEASURES = {"nDCG@10": nDCG @ 10, "recall@5": R @ 5, "recall@10": R @ 10, "recall@100": R @ 100, "MRR@10": RR @ 10}
DEPTH = 100  # documents ranked for each question
PASSAGES = 200  # asked for: a long document shows several before it counts once
PER_FOLDER = 1000  # files
LONGEST = 100_000  # characters of a question
Progress = Callable[[str, int, int], None]  # stage, done, total


@dataclass(frozen=True)
class Query:
    id: str
    text: str
    history: tuple[Turn, ...] = ()


@dataclass
class Names:
    """Our file names for the set's document ids; `twins`: documents with the very same text, indexed once."""

    ids: dict[str, str] = field(default_factory=dict)
    twins: dict[str, list[str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def metadata(self, path: Path) -> Notice:
        """The set's own title; the same word for all where it gives none, since a file's name would count as text."""
        return Notice(title=self.titles.get(path.stem) or "Passage")


class BeirResult(BaseModel):
    """Figures with their 95 % intervals, sizes and times."""

    model_config = ConfigDict(frozen=True)

    folder: str
    documents: int
    passages: int
    queries: int  # that have at least one relevant document
    figures: dict[str, Figure]
    index_seconds: float
    search_seconds: float
    seconds: float

    def as_object(self) -> dict[str, Any]:
        """The contract's names at the top, intervals apart."""
        plain = {name: figure.value for name, figure in self.figures.items()}
        intervals = {name: [figure.low, figure.high] for name, figure in self.figures.items()}
        return {**plain, **self.model_dump(exclude={"figures"}), "intervals": intervals}


Qrels = dict[str, dict[str, int]]
Ranking = dict[str, list[str]]


def measure(
    folder: Path, settings: Settings, work: Path, progress: Progress = lambda *_: None
) -> tuple[BeirResult, Qrels, Ranking]:
    """Index the set under `work` and search it. `settings.index` is ignored. Raises UsageError for a set that isn't whole."""
    started = time.perf_counter()
    qrels = read_qrels(folder)
    queries = [query for query in read_queries(folder / "queries.jsonl") if any(qrels.get(query.id, {}).values())]
    if not queries:
        raise UsageError(f"« {folder} » : aucune question de queries.jsonl n'a de document pertinent dans qrels.")
    names = write_files(folder / "corpus.jsonl", work / "files", progress)
    wide = settings.model_copy(update={"index": work / "index", "max_question": LONGEST})
    encoder = load_encoder(wide)
    report = build(
        [work / "files"],
        wide.index,
        lambda: encoder,
        wide.embedding_model,
        metadata=names.metadata,
        progress=progress,
    )
    indexed = time.perf_counter()
    # One thread: a question is too short to share, and threads that wait for each other cost more than they bring.
    import torch

    torch.set_num_threads(1)
    assistant = Assistant(wide, encoder)
    try:
        ranking = {}
        for done, query in enumerate(queries):
            progress("search", done, len(queries))
            ranking[query.id] = _documents(assistant, query, names)
        progress("search", len(queries), len(queries))
    finally:
        assistant.close()
    ended = time.perf_counter()
    result = BeirResult(
        folder=str(folder),
        documents=len(names.titles) + sum(map(len, names.twins.values())),
        passages=report.chunks,
        queries=len(queries),
        figures=figures({q.id: qrels[q.id] for q in queries}, ranking),
        index_seconds=round(indexed - started, 2),
        search_seconds=round(ended - indexed, 2),
        seconds=round(ended - started, 2),
    )
    return result, {q.id: qrels[q.id] for q in queries}, ranking


def figures(qrels: Qrels, ranking: Ranking) -> dict[str, Figure]:
    """Each measure's mean over the questions, by ir-measures; a question without any result counts as 0."""
    judged = [ir_measures.Qrel(q, d, grade) for q, grades in qrels.items() for d, grade in grades.items()]
    run = [ir_measures.ScoredDoc(q, d, score) for q, d, score in scored(ranking)]
    found: dict[str, list[float]] = {name: [] for name in MEASURES}
    names = {measure: name for name, measure in MEASURES.items()}
    for one in ir_measures.iter_calc(list(MEASURES.values()), judged, run):
        found[names[one.measure]].append(float(one.value))
    return {name: figure for name, values in found.items() if (figure := share(values)) is not None}


def scored(ranking: Ranking) -> Iterator[tuple[str, str, float]]:
    """A score for each ranked document, without ties: only the order says something."""
    for query, documents in ranking.items():
        for rank, document in enumerate(documents):
            yield query, document, float(len(documents) - rank)


def write_trec(folder: Path, qrels: Qrels, ranking: Ranking) -> None:
    """run.trec and qrels.trec, for any other program to compute the same figures from."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.trec").open("w", encoding="utf-8") as file:
        for query, documents in ranking.items():
            for rank, document in enumerate(documents):
                file.write(f"{query} Q0 {document} {rank + 1} {len(documents) - rank} boussole17\n")
    with (folder / "qrels.trec").open("w", encoding="utf-8") as file:
        for query, grades in qrels.items():
            file.writelines(f"{query} 0 {document} {grade}\n" for document, grade in grades.items())


def _documents(assistant: Assistant, query: Query, names: Names) -> list[str]:
    """Document ids, best first, each once, at the rank of its best passage."""
    text = assistant.ask(query.text, query.history).standalone_question if query.history else query.text
    passages = assistant.search(text, PASSAGES).passages
    found = dict.fromkeys(passage.document_id for passage in passages)
    ids = (twin for name in found for twin in (names.ids[name], *names.twins.get(name, ())))
    return list(dict.fromkeys(ids))[:DEPTH]


# --- reading the set


def write_files(corpus: Path, target: Path, progress: Progress = lambda *_: None) -> Names:
    """One text file a document, named by its rank. Raises UsageError that names the line."""
    names = Names()
    seen: dict[bytes, str] = {}
    total = _count_lines(corpus)
    for number, item in enumerate(_lines(corpus, ("_id", "text"))):
        if number % PER_FOLDER == 0:
            progress("write", number, total)
        title, text = (
            str(item.get("title") or "").strip(),
            str(item["text"]).strip() or str(item.get("title") or "").strip(),
        )
        if not text:
            continue
        digest = hashlib.sha256(text.encode()).digest()
        if digest in seen:
            names.twins.setdefault(seen[digest], []).append(str(item["_id"]))
            continue
        name = f"d{number:08d}"
        seen[digest] = name
        names.ids[name] = str(item["_id"])
        names.titles[name] = title
        folder = target / f"{number // PER_FOLDER:05d}"
        if number % PER_FOLDER == 0 or not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    progress("write", total, total)
    if not names.ids:
        raise UsageError(f"« {corpus} » ne contient aucun document.")
    return names


def read_queries(path: Path) -> list[Query]:
    return [
        Query(str(item["_id"]), str(item["text"]), tuple(Turn(role="user", content=str(t)) for t in _history(item)))
        for item in _lines(path, ("_id", "text"))
        if str(item["text"]).strip()
    ]


def _history(item: dict[str, Any]) -> Sequence[Any]:
    given = item.get("history") or []
    return [turn["content"] if isinstance(turn, dict) else turn for turn in given]


def read_qrels(folder: Path) -> Qrels:
    """Grades by query and document, of qrels.tsv, else of qrels/test.tsv, else of every qrels/*.tsv."""
    single, split = folder / "qrels.tsv", folder / "qrels"
    if single.exists():
        paths = [single]
    else:
        paths = [split / "test.tsv"] if (split / "test.tsv").exists() else sorted(split.glob("*.tsv"))
    if not paths:
        raise UsageError(f"« {folder} » : il manque qrels.tsv (ou qrels/test.tsv).")
    found: Qrels = {}
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
                grade = _grade(row)
                if grade is None and number > 1 and row:
                    raise UsageError(f"{path.name}, ligne {number} : attendu « question<tab>document<tab>note ».")
                if grade is not None:
                    found.setdefault(row[0], {})[row[-2]] = grade
    return found


def _grade(row: Sequence[str]) -> int | None:
    """The last column of `query document grade` or TREC's `query 0 document grade`; None of a line of names."""
    try:
        return int(float(row[-1])) if len(row) in (3, 4) else None
    except ValueError:
        return None


def _count_lines(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return sum(1 for _ in file)
    except FileNotFoundError:
        raise UsageError(f"Il manque « {path} » : un jeu BEIR a corpus.jsonl, queries.jsonl et qrels.tsv.") from None


def _lines(path: Path, needed: Sequence[str]) -> Iterator[dict[str, Any]]:
    try:
        file = path.open(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"Il manque « {path} » : un jeu BEIR a corpus.jsonl, queries.jsonl et qrels.tsv.") from None
    with file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                item = json.loads(line)
            except ValueError:
                raise UsageError(f"{path.name}, ligne {number} : ce n'est pas du JSON.") from None
            if not isinstance(item, dict) or any(item.get(name) is None for name in needed):
                raise UsageError(f"{path.name}, ligne {number} : il manque {' ou '.join(needed)}.")
            yield item
