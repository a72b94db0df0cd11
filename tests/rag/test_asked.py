"""What a question's words say of it, and what a sentence says of them."""

from __future__ import annotations

import pytest

from rag.asked import Asked
from rag.lexical import stem
from rag.query import Query, Term, kind_words


def asked(text: str, weights: dict[str, float] | None = None) -> Asked:
    names = {"odd": (frozenset({"object", "durabl"}),)}
    return Asked(text, frozenset(), weights or {}, frozenset(weights or {}), names, frozenset(), ())


def test_an_acronym_is_said_by_its_name_and_once() -> None:
    question = asked("Que dit l'ODD du climat ?", {"odd": 1.0, "climat": 3.0})
    assert question.coverage(frozenset({"odd"})) == 0.25
    assert question.coverage(frozenset({"object", "durabl", "climat"})) == 1.0
    assert question.coverage(frozenset({"object", "durabl"}), frozenset({"odd"})) == 0.0
    assert question.coverage(frozenset({"climat"}), frozenset({"odd"})) == 0.75


@pytest.mark.parametrize(
    ("question", "done"),
    [
        ("Qui finance le Fonds ?", "finance"),
        ("Il est piloté par qui ?", "pilote"),
        ("La charte a été écrite par qui ?", "ecrit"),
        ("Qui est la présidente ?", ""),
    ],
)
def test_the_verb_of_who_does_something(question: str, done: str) -> None:
    assert asked(question).done == done


@pytest.mark.parametrize(
    ("question", "found"),
    [("Avec quels partenaires ?", True), ("Avec qui le guide est-il écrit ?", True), ("Qui l'a écrit ?", False)],
)
def test_who_asks_with_whom_something_is_done(question: str, found: bool) -> None:
    assert asked(question).with_whom is found


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("la formation dure combien d'heures ?", {"dure", "heures"}),
        ("que veut dire le sigle cese ?", {"sigle"}),
        ("en quelle annee ?", {"annee"}),
        ("combien d'alliances en france ?", {"france"}),
        ("combien d'alliances dans le pays de redon ?", set()),
        ("combien d'alliances dans notre pays ?", {"pays"}),
    ],
)
def test_the_words_that_only_name_the_kind_of_thing_asked_for(question: str, words: set[str]) -> None:
    assert kind_words(question) == words


def test_how_many_things_are_asked_for_is_said_in_figures_or_in_letters() -> None:
    three = Query("Quelles sont les 3 avancées ?", "", "", (Term("3", "3", 1.0),), {})
    assert three.names == {"3": (frozenset({stem("trois")}),)}
    assert not Query("Mal à la tête depuis 3 jours", "", "", (Term("3", "3", 1.0),), {}).names
