"""What a sentence must hold to answer: a number that the question gives isn't the one that it asks for."""

from __future__ import annotations

import pytest

from rag.expect import Want, holds


@pytest.mark.parametrize(
    ("want", "question", "sentence", "held"),
    [
        ("number", "Combien de pays ont signé l'Agenda 2030 ?", "L'Agenda 2030 est un cap commun.", False),
        ("number", "Combien de pays ont signé l'Agenda 2030 ?", "193 pays ont signé l'Agenda 2030.", True),
        ("number", "Combien de lauréats ?", "Le prix existe depuis 2015.", False),
        ("number", "Combien de lauréats ?", "Il y eut 2015 lauréats.", True),
        ("number", "Combien de lauréats ?", "Douze lauréats en 2015.", True),
        ("number", "Que font les 4 C, et combien sont-ils ?", "Les 4 C accélèrent.", False),
        ("percent", "Que couvrent les 33 % ?", "Les 33 % financent l'ingénierie, soit 12 % du total.", True),
        ("percent", "Que couvrent les 33 % ?", "Les 33 % financent l'ingénierie.", False),
        ("date", "Que s'est-il passé après 2018, et quand ?", "Tout a commencé en 2018.", False),
        ("date", "Quand la mission a-t-elle commencé ?", "Tout a commencé en 2018.", True),
    ],
)
def test_what_is_asked_for_is_not_what_the_question_gives(want: Want, question: str, sentence: str, held: bool) -> None:
    assert holds(want, sentence, question) is held
