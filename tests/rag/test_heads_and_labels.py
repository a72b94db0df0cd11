"""Lists under heads of their own, items that only name what they explain, references, and what a « pourquoi » takes for granted."""

from __future__ import annotations

from dataclasses import astuple, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from corpus.chunk import ChunkSentence
from rag.abstain import Signals, asks_why_of_the_unknown, tells_publication
from rag.lexical import LexicalIndex, build_lexical, open_lexical, token_set
from rag.rows import Row, _label, lists


def rows(*texts: str) -> list[Row]:
    """A run of a list's lines, as they are read from a passage."""
    found = []
    for index, text in enumerate(texts):
        after = texts[index + 1] if index + 1 < len(texts) else None
        found.append(
            Row(
                SimpleNamespace(row=0),  # type: ignore[arg-type]
                (index,),
                ChunkSentence(0, len(text), "list"),
                text,
                token_set(text),
                *[0.0] * 6,
                announces=after is not None and not text.startswith("- "),
            )
        )
    return found


NOTHING: Any = SimpleNamespace(coverage=lambda *_: 0.0)


def test_a_head_inside_a_run_of_items_begins_another_list() -> None:
    made = lists(
        rows("Financement :", "- Dons", "- Subventions", "Alliances :", "- De moyens", "- De production"), NOTHING
    )
    assert [row.text.splitlines() for row in made] == [
        ["Financement :", "- Dons", "- Subventions"],
        ["Alliances :", "- De moyens", "- De production"],
    ]
    assert all(row.under_head for row in made)
    assert not any(row.opens_with_item for row in made)


def test_a_sentence_inside_an_item_parts_nothing() -> None:
    whole = ("- La plateforme.", "Elle aide ceux qui y viennent, et l'on peut y faire :", "- Un bilan", "- Un plan")
    (made,) = lists(rows(*whole), NOTHING)
    assert made.text.splitlines() == list(whole)
    assert not made.under_head


@pytest.mark.parametrize(
    ("item", "said", "label"),
    [
        ("- L'innovation de solution.", "Elle répond à un besoin.", "L'innovation de solution"),
        ("- L'innovation de solution.", "- L'innovation de modèle.", ""),  # the next item
        (
            "- Répondre à un besoin qui soit bien celui de toutes les personnes.",
            "Elle y répond.",
            "",
        ),  # it says something
        ("- Une solution", "Elle répond.", ""),  # the line goes on
    ],
)
def test_what_an_item_only_names_is_explained_by_what_follows(item: str, said: str, label: str) -> None:
    text = f"{item} {said}"
    spans = [ChunkSentence(0, len(item), "list"), ChunkSentence(len(item) + 1, len(text), "list")]
    hit: Any = SimpleNamespace(sentences=spans, chunk=SimpleNamespace(text=text))
    assert _label(hit, 1) == token_set(label)
    assert not _label(hit, 0)


@pytest.mark.parametrize(
    ("question", "said", "told"),
    [
        ("Date de parution de « Le lien » ?", "Voir « Le lien : une méthode » (Éditions du Nord, mai 2021).", True),
        ("Qui a publié le guide « Le lien » ?", "Voir le guide « Le lien » (Le RAMEAU, mai 2021).", True),
        ("Date de parution de « Le lien » ?", "« Le lien » est une notion (voir plus loin).", False),
        ("Date de parution de « Le lien » ?", "Voir « Le bien » (Éditions du Nord, mai 2021).", False),
        ("À quel public s'adresse « Le lien » ?", "Voir « Le lien » (Éditions du Nord, mai 2021).", False),
        ("De quoi parle « Le lien » ?", "Voir « Le lien » (Éditions du Nord, mai 2021).", False),
    ],
)
def test_a_reference_tells_who_published_and_when(question: str, said: str, told: bool) -> None:
    assert tells_publication(question, [said]) is told


@pytest.fixture(scope="module")
def lexical(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    folder: Path = tmp_path_factory.mktemp("bm25")
    build_lexical(["Le fonds a été créé en 2020 pour aider les maires, qui l'ont signé."], folder)
    return open_lexical(folder)


@pytest.mark.parametrize(
    ("question", "unknown"),
    [
        ("Pourquoi le fonds a-t-il été dissous ?", True),
        ("Pourquoi le fonds a-t-il été créé ?", False),
        ("Pourquoi les maires ont-ils refusé ?", True),
        ("Pourquoi les maires l'ont-ils signé ?", False),
        ("Pourquoi le fonds a-t-il fait ce choix ?", False),
        ("Pourquoi le fonds est-il plus aimé que les autres ?", False),
        ("Pourquoi les maires ont-ils vraiment signé ?", False),
        ("Le fonds a-t-il été dissous ?", False),  # it takes nothing for granted
    ],
)
def test_what_a_question_says_happened_must_have_a_word(lexical: LexicalIndex, question: str, unknown: bool) -> None:
    known = Signals(*(1.0 if field.name == "known" else 0.0 for field in fields(Signals)))
    assert sum(astuple(known)) == 1
    assert asks_why_of_the_unknown(question, known, lexical) is unknown
