"""Metrics on an answer written by hand, and the loader's errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import UsageError
from evals.bootstrap import interval
from evals.figures import measure
from evals.questions_file import Question, default_sets, load
from rag.answer import Answer, Citation, Sentence

QUOTE = "On compte 350 catalyseurs."


def _answer(text: str, quote: str) -> Answer:
    citation = Citation(
        n=1, document_id="d", title="D", page=2, page_label="2", section="", quote=quote, score=1, page_url="/"
    )
    return Answer(
        id="a",
        question="q",
        standalone_question="q",
        status="answered",
        answer=text,
        sentences=(Sentence(text=text, citations=(1,)),),
        citations=(citation,),
        index_generation="g",
    )


QUESTION = Question(id="x", question="q", kind="numeric", document_id="d", pages=(2,), facts=(("350",), ("Bretagne",)))


def test_facts_pages_quotes_and_numbers_are_measured() -> None:
    values = measure(QUESTION, [], _answer("On compte 350 catalyseurs. [1]", QUOTE), lambda d, n: f"Avant. {QUOTE}")
    assert (values["facts"], values["cited_page"], values["quotes"], values["numbers"]) == (0.5, 1, 1, 1)
    assert values["recall@5"] == 0


def test_an_invented_number_and_a_quote_off_its_page_are_seen() -> None:
    values = measure(QUESTION, [], _answer("On compte 351 catalyseurs. [1]", QUOTE), lambda d, n: "autre chose")
    assert (values["numbers"], values["quotes"]) == (0, 0)


def test_an_interval_holds_its_mean_and_is_the_same_twice() -> None:
    mean, low, high = interval([0, 1, 1, 1])
    assert low <= mean == 0.75 <= high
    assert interval([0, 1, 1, 1]) == (mean, low, high)


def test_tuning_never_reads_the_held_out_half() -> None:
    assert all("held_out" not in path.name for path in default_sets("tuning"))


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('{"id": "1", "question": "q", "kind": "list"}\n{"id": 3}\n', encoding="utf-8")
    with pytest.raises(UsageError, match="ligne 2"):
        load([path])
