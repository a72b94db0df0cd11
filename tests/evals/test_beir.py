"""Sets by others: read as they are, and figures that another implementation gives too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import UsageError
from corpus.versions import Versioned, find_superseded
from evals.beir import measure, read_qrels, read_queries, write_files
from rag.settings import Settings


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


TOWNS = {
    "saillans": "Saillans compte 1 300 habitants. Le budget de Saillans pour 2020 est de deux millions d’euros.",
    "crest": "Crest compte 8 500 habitants. Le budget de Crest pour 2020 est de douze millions d’euros.",
    "die": "Die compte 4 800 habitants. Le budget de Die pour 2020 est de neuf millions d’euros.",
    "moulin": "Le moulin banal écrase le blé que les paysans apportent après la moisson.",
}


@pytest.mark.slow
def test_a_question_that_follows_others_is_read_with_them(tmp_path: Path) -> None:
    """« Et son budget ? » is Crest's after a question about Crest, Die's after one about Die; each stage shows its progress."""
    lines = [{"_id": name, "text": text} for name, text in TOWNS.items()]
    asked = [
        {"_id": town, "text": "Et son budget ?", "history": [f"Combien d’habitants compte {town.title()} ?"]}
        for town in ("crest", "die", "saillans")
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    (tmp_path / "qrels.tsv").write_text("".join(f"{q['_id']}\t{q['_id']}\t1\n" for q in asked), encoding="utf-8")
    seen: dict[str, tuple[int, int]] = {}
    result, _, ranking = measure(
        tmp_path, Settings(), tmp_path / "work", lambda stage, done, total: seen.update({stage: (done, total)})
    )
    assert {query: found[0] for query, found in ranking.items()} == {
        town: town for town in ("crest", "die", "saillans")
    }
    assert result.figures["MRR@10"].value == 1.0
    assert (result.documents, result.queries) == (4, 3)
    assert all(done == total for done, total in seen.values())
    assert set(seen) == {"write", "read", "embed", "lexical", "search"}


def test_a_hundred_thousand_passages_of_one_title_are_not_compared_two_by_two() -> None:
    """They would be ten billion pairs: this ends at once, or never."""
    passages = [Versioned(f"d{n}", "Passage", f"d{n:08d}") for n in range(100_000)]
    assert find_superseded(passages, lambda _: pytest.fail("no text needs reading")) == []
