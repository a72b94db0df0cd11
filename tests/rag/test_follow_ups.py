"""What a follow-up takes from the question before weighs less than what it asks by itself, however long that question was."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from rag.assistant import Assistant
from rag.embedding import Encoder
from rag.lexical import LexicalIndex, build_lexical, open_lexical
from rag.query import TOPIC_WORDS, parse
from rag.settings import Settings
from tests.rag.small_encoder import MODEL, SmallEncoder, small_build

BEFORE = "Notre communauté de communes voudrait obtenir le label Ville ouverte"
NOTICES = {
    "label.md": "# Le label\n\nLa communauté de communes qui voudrait obtenir le label Ville ouverte écrit au jury de la ville.",
    "audit.md": "# Le dossier\n\nPour le label, la visite de l'auditeur est payée par la collectivité avant son dossier.",
    "fete.md": "# La fête\n\nLa fête de la musique a lieu en juin sur la place de la mairie.",
}


@pytest.fixture(scope="module")
def lexical(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    folder: Path = tmp_path_factory.mktemp("bm25")
    build_lexical(tuple(NOTICES.values()), folder)
    return open_lexical(folder)


def test_a_long_question_before_weighs_as_a_few_words(lexical: LexicalIndex) -> None:
    query = parse(f"{BEFORE} : qui paie la visite de l'auditeur ?", lexical)
    assert sum(query.taken.values()) == pytest.approx(TOPIC_WORDS)
    assert query.own == "qui paie la visite de l'auditeur ?"


def test_a_short_topic_keeps_its_weight(lexical: LexicalIndex) -> None:
    assert parse("Le label : qui paie la visite ?", lexical).taken == {"label": 1.0}


def test_a_question_without_another_before_it_takes_nothing(lexical: LexicalIndex) -> None:
    query = parse("Qui paie la visite de l'auditeur ?", lexical)
    assert (query.own, query.taken) == ("", {})


def test_a_follow_up_finds_what_it_asks_and_not_what_was_asked_before(tmp_path: Path) -> None:
    for name, text in NOTICES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    index = tmp_path / "index"
    small_build([tmp_path], index)
    assistant = Assistant(Settings(index=index, embedding_model=MODEL), cast(Encoder, SmallEncoder()))
    try:
        before = assistant.search(f"{BEFORE} ?", 1).passages[0].document_id
        after = assistant.search(f"{BEFORE} : qui paie la visite de l'auditeur ?", 1).passages[0].document_id
    finally:
        assistant.close()
    assert (before, after) == ("label", "audit")
