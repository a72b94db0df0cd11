"""The reference questions: their form, their balance, and their evidence where it says that it is."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from rapidfuzz import fuzz

ROOT = Path(__file__).parents[2]
HALVES = ("dev", "held_out")
KINDS = frozenset(
    "factual numeric list definition comparison how cross_page cross_document paraphrase acronym table footnote "
    "multi_turn typo unanswerable out_of_scope false_premise injection".split()
)
# To these the right answer is an abstention, a refusal, or (false premise) the fact that corrects the question.
NOT_ANSWERABLE = frozenset({"unanswerable", "out_of_scope", "false_premise", "injection"})


def load(half: str) -> list[dict[str, Any]]:
    text = (ROOT / "evals" / "questions" / f"{half}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


QUESTIONS = {half: load(half) for half in HALVES}
ALL = [question for half in HALVES for question in QUESTIONS[half]]
WITH_EVIDENCE = [question for question in ALL if "evidence" in question]


def squash(text: str) -> str:
    """Letters and digits only: spaces, hyphens at line ends and case are no part of the comparison."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text).replace("\u00ad", "").lower())


def fold(text: str) -> str:
    """The contract's normalisation of facts: case, accents, spaces, typographic signs."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return re.sub(r"\s+(?=[%€])", "", re.sub(r"\s+", " ", plain.replace("’", "'")))


@cache
def pages(document_id: str) -> list[str]:
    reader = PdfReader(ROOT / "corpus" / "documents" / f"{document_id}.pdf")
    return [squash(page.extract_text()) for page in reader.pages]


def asked(question: dict[str, Any]) -> str:
    """The question with the turns before it, without which « Et la stratégie ? » is anybody's."""
    return " ".join([*(turn["content"] for turn in question.get("history", [])), question["question"]])


def test_there_are_enough_of_each_kind_and_the_halves_are_balanced():
    assert len(ALL) >= 200
    counts = {half: Counter(question["kind"] for question in QUESTIONS[half]) for half in HALVES}
    assert set(counts["dev"]) == set(counts["held_out"]) == KINDS
    for kind in KINDS:
        assert abs(counts["dev"][kind] - counts["held_out"][kind]) <= 1, kind
        assert min(counts[half][kind] for half in HALVES) >= 4, kind
    total = counts["dev"] + counts["held_out"]
    assert total["multi_turn"] >= 20
    assert total["unanswerable"] >= 30


def test_ids_are_unique_and_stable_in_form():
    ids = [question["id"] for question in ALL]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"q\d{3}", name) for name in ids)


@pytest.mark.parametrize("question", ALL, ids=lambda question: question["id"])
def test_a_question_has_the_form_of_the_contract(question: dict[str, Any]):
    allowed = {"id", "question", "history", "kind", "answerable", "document_id", "pages", "evidence", "also"}
    assert question.keys() <= allowed | {"facts", "answer"}
    assert question["question"].strip() == question["question"] != ""
    assert question["answerable"] == (question["kind"] not in NOT_ANSWERABLE)
    if question["answerable"] or question["kind"] == "false_premise":
        assert {"document_id", "pages", "evidence", "facts", "answer"} <= question.keys()
        assert question["evidence"]
        assert question["facts"]
    else:
        assert not {"evidence", "facts", "answer"} & question.keys()
    if question["kind"] == "multi_turn":
        roles = [turn["role"] for turn in question["history"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2) != []
    else:
        assert "history" not in question
    if question["kind"] == "cross_page":
        assert len(question["pages"]) > 1
    if question["kind"] == "cross_document":
        assert {part["document_id"] for part in question["also"]} - {question["document_id"]}


@pytest.mark.parametrize("question", WITH_EVIDENCE, ids=lambda question: question["id"])
def test_the_evidence_is_on_its_page_and_every_page_has_some(question: dict[str, Any]):
    for part in [question, *question.get("also", [])]:
        texts = pages(part["document_id"])
        needed = {n: texts[n - 1] for n in part["pages"]}
        for evidence in part["evidence"]:
            assert any(squash(evidence) in text for text in needed.values()), evidence
        for number, text in needed.items():
            assert any(squash(evidence) in text for evidence in part["evidence"]), f"page {number} holds no evidence"


@pytest.mark.parametrize("question", WITH_EVIDENCE, ids=lambda question: question["id"])
def test_the_model_answer_holds_its_own_facts(question: dict[str, Any]):
    for variants in question["facts"]:
        assert any(fold(variant) in fold(question["answer"]) for variant in variants), variants


def test_no_question_of_one_half_gives_away_one_of_the_other():
    for mine in QUESTIONS["dev"]:
        for theirs in QUESTIONS["held_out"]:
            score = fuzz.token_sort_ratio(asked(mine), asked(theirs))
            assert score < 85, (mine["id"], theirs["id"], score)


def test_most_fiches_are_asked_about():
    fiches = {pdf.stem for pdf in (ROOT / "corpus" / "documents").glob("*.pdf")}
    used = {part["document_id"] for q in WITH_EVIDENCE for part in [q, *q.get("also", [])]}
    assert used <= fiches
    assert not fiches - used, "fiches that no question covers"
