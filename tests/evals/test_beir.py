"""Sets by others: read as they are, and figures that another implementation gives too."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest

from corpus.errors import UsageError
from evals.beir import figures, read_qrels, read_queries, write_files


def test_the_figures_are_those_of_another_implementation():
    random.seed(17)
    names = [f"d{n}" for n in range(300)]
    qrels = {
        f"q{n}": {d: random.choice((1, 1, 2)) for d in random.sample(names, random.randint(1, 9))} for n in range(40)
    }
    ranking = {q: random.sample(names, 100) for q in qrels if q != "q7"}  # nothing was found for one
    own: dict[str, list[float]] = {name: [] for name in ("nDCG@10", "recall@5", "recall@10", "recall@100", "MRR@10")}
    for query, grades in qrels.items():
        top = ranking.get(query, [])
        gains = [grades.get(d, 0) / math.log2(rank + 2) for rank, d in enumerate(top[:10])]
        best = [g / math.log2(rank + 2) for rank, g in enumerate(sorted(grades.values(), reverse=True)[:10])]
        own["nDCG@10"].append(sum(gains) / sum(best))
        for k in (5, 10, 100):
            own[f"recall@{k}"].append(len(set(top[:k]) & set(grades)) / len(grades))
        own["MRR@10"].append(next((1 / (rank + 1) for rank, d in enumerate(top[:10]) if d in grades), 0.0))
    found = figures(qrels, ranking)
    for name, values in own.items():
        assert found[name].value == pytest.approx(sum(values) / len(values), abs=1e-6), name
        assert found[name].n == 40


def test_documents_with_the_same_text_are_twins(tmp_path: Path):
    lines = [
        {"_id": "a", "title": "T", "text": "Même texte."},
        {"_id": "b", "text": "Même texte."},
        {"_id": "c", "text": "Autre."},
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    names = write_files(tmp_path / "corpus.jsonl", tmp_path / "files")
    assert sorted(names.ids.values()) == ["a", "c"]
    assert list(names.twins.values()) == [["b"]]
    assert len(list((tmp_path / "files").rglob("*.txt"))) == 2


def test_history_and_split_qrels_are_read(tmp_path: Path):
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "Et en 2020 ?", "history": ["Le budget ?"]}\n')
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t2\n")
    (query,) = read_queries(tmp_path / "queries.jsonl")
    assert [turn.content for turn in query.history] == ["Le budget ?"]
    assert read_qrels(tmp_path) == {"q": {"a": 2}}


def test_a_broken_set_says_where(tmp_path: Path):
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a", "text": "x"}\n{"_id": "b"}\n')
    with pytest.raises(UsageError, match="ligne 2"):
        write_files(tmp_path / "corpus.jsonl", tmp_path / "files")
    with pytest.raises(UsageError, match=r"qrels\.tsv"):
        read_qrels(tmp_path)
