"""A small index of seven fiches, the references that rest on them, and the measure that was accepted of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from desk import Desk

from evals.baseline import accept
from evals.questions import Question, default_sets, load_questions
from rag.embedding import Encoder
from rag.settings import STARTER_CORPUS

FICHES = (
    "agenda-2030",
    "etudes-phare",
    "fondation-des-territoires",
    "glossaire",
    "quatre-c",
    "ratios-d-equilibre",
    "trois-leviers-interet-general",
)


@pytest.fixture(scope="session")
def few_questions() -> list[Question]:
    """The references that rest on the seven fiches alone, and those that no corpus answers."""
    every = load_questions(default_sets("measuring"), "measuring")
    own = [q for q in every if q.answerable and {part.document_id for part in q.parts} <= set(FICHES)]
    outside = [q for q in every if q.kind in ("out_of_scope", "injection")]
    return [*own, *outside[:8]]


@pytest.fixture(scope="session")
def accepted_desk(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, few_questions: list[Question]) -> Desk:
    """Indexed, measured and accepted once; tests work on copies of it."""
    desk = Desk(tmp_path_factory.mktemp("desk"), encoder, few_questions)
    desk.documents.mkdir()
    for fiche in FICHES:
        shutil.copy(STARTER_CORPUS / f"{fiche}.pdf", desk.documents)
    desk.index()
    accept(desk.measure(), desk.baseline)
    return desk


@pytest.fixture
def desk(accepted_desk: Desk, tmp_path: Path, encoder: Encoder, few_questions: list[Question]) -> Desk:
    shutil.copytree(accepted_desk.folder, tmp_path / "desk", ignore=shutil.ignore_patterns("runs"))
    return Desk(tmp_path / "desk", encoder, few_questions)
