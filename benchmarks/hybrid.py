"""Retrieval against LlamaIndex's own hybrid, on sets in BEIR form: same passages (ours, with their contexts), same model.

python -m benchmarks.hybrid FOLDER…
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import nDCG

from benchmarks.common import ROOT, machine, report, run
from benchmarks.indexing import environment
from corpus.chunk import context
from evals.beir import Ranking, measure, read_queries, scored, write_files
from rag.e5 import ensure_model
from rag.generation import Generation
from rag.settings import Settings

MEASURE = nDCG @ 10
DRAWS, SEED = 10_000, 17


def compare(folder: Path, python: Path) -> list[dict[str, Any]]:
    """A row for us and one a fusion mode: nDCG@10, and our difference to it with its 95 % interval."""
    with tempfile.TemporaryDirectory() as work:
        _, qrels, ranking = measure(folder, Settings(), Path(work))
        passages, queries = Path(work) / "passages.jsonl", Path(work) / "queries.jsonl"
        names = _documents(folder, Path(work))
        _write_passages(Path(work) / "index", names, passages)
        asked = [{"id": q.id, "text": q.text} for q in read_queries(folder / "queries.jsonl") if q.id in qrels]
        queries.write_text("\n".join(json.dumps(item) for item in asked), encoding="utf-8")
        script = ROOT / "benchmarks" / "llamaindex_hybrid.py"
        model = ensure_model(Settings().cache)
        _, out, _ = run([python, script, passages, queries, model], PYTHONPATH="", HF_HUB_OFFLINE="1")
    theirs: dict[str, Ranking] = json.loads(out.splitlines()[-1])
    judged = [ir_measures.Qrel(q, d, grade) for q, grades in qrels.items() for d, grade in grades.items()]
    ours = _values(judged, ranking, list(qrels))
    rows: list[dict[str, Any]] = [
        {"set": folder.name, "who": "Boussole 17", "questions": len(qrels), "ndcg10": ours.mean()}
    ]
    for mode, found in theirs.items():
        values = _values(judged, found, list(qrels))
        low, high = _interval(ours - values)
        rows.append(
            {
                "set": folder.name,
                "who": f"LlamaIndex, {mode}",
                "ndcg10": values.mean(),
                "ours_more": (ours - values).mean(),
                "low": low,
                "high": high,
            }
        )
    return [{k: round(float(v), 4) if isinstance(v, float) else v for k, v in row.items()} for row in rows]


def _documents(folder: Path, work: Path) -> Mapping[str, Sequence[str]]:
    """The set's identifiers of each of our documents: more than one where texts are the same."""
    names = write_files(folder / "corpus.jsonl", work / "again")
    return {name: (given, *names.twins.get(name, ())) for name, given in names.ids.items()}


def _write_passages(index: Path, names: Mapping[str, Sequence[str]], target: Path) -> None:
    generation = Generation.open_published(index)
    with target.open("w", encoding="utf-8") as file:
        for chunk in map(generation.chunk, range(len(generation))):
            title = generation.documents[chunk.document_id].title
            text = f"{context(title, chunk.section)}\n{chunk.text}"
            file.write(json.dumps({"document": names[chunk.document_id][0], "text": text}) + "\n")
    generation.close()


def _values(judged: Sequence[Any], ranking: Ranking, queries: Sequence[str]) -> np.ndarray:
    """nDCG@10 of each question."""
    given = [ir_measures.ScoredDoc(q, d, score) for q, d, score in scored(ranking)]
    found = {one.query_id: float(one.value) for one in ir_measures.iter_calc([MEASURE], judged, given)}
    return np.array([found.get(query, 0.0) for query in queries])


def _interval(differences: np.ndarray) -> tuple[float, float]:
    """Of their mean, by bootstrap over the questions."""
    draws = np.random.default_rng(SEED).integers(0, len(differences), (DRAWS, len(differences)))
    low, high = np.percentile(differences[draws].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


if __name__ == "__main__":
    if not sys.argv[1:]:
        raise SystemExit("Donnez au moins un dossier au format BEIR : python -m benchmarks.hybrid DOSSIER…")
    start = machine()
    python = environment("llamaindex")
    report("hybrid", [row for folder in sys.argv[1:] for row in compare(Path(folder), python)], start)
