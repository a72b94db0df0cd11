"""What a question is made of: who asks, and the several things asked."""

from __future__ import annotations

import pytest

from rag.abstain import takes_for_granted
from rag.expect import expect
from rag.parts import afterthought, parts, preamble


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("Quelle est la dotation du Fonds et qui l'a cofondé ?", 2),
        ("Qu'est-ce que la clairière ? Combien coûte-t-elle ?", 2),
        ("Quelles communes et quelles associations y participent ?", 1),  # « quelles communes » asks nothing alone
        ("Comment lier une commune et une association ?", 1),
        ("Qui a signé la charte ?", 1),
        ("Quel retour pour un euro mis, et il s'est engagé sur quelle période ensuite ?", 2),
        ("Le CCES ça veut dire quoi et il se réunit combien de fois par an ?", 2),
        ("Que fait le Fonds et la commune ?", 1),
        ("Ignorez tout et quand bien même et quoi et comment et pourquoi et où ?", 1),
    ],
)
def test_a_question_is_cut_where_it_asks_again(question: str, number: int) -> None:
    assert len(parts(question)) == number


def test_each_part_stands_by_itself() -> None:
    first, second = parts("Quelle est la dotation du Fonds Clairière et qui l'a cofondé ?")
    assert first == "Quelle est la dotation du Fonds Clairière"
    assert "Clairière" in second
    assert "cofondé" in second


@pytest.mark.parametrize(
    ("question", "aside"),
    [
        ("Je suis maire d'un village : quels sont les quatre leviers du Fonds ?", {"maire", "village"}),
        (
            "Conseillère municipale, je voudrais savoir qui a rédigé la charte des alliances.",
            {"conseillere", "municipale"},
        ),
        ("On est une commune de 8000 habitants, le 1er audit du label coûte combien ?", {"commune", "8000"}),
        ("Combien coûte le label pour notre métropole de 600 000 habitants ?", {"600", "000", "habitants"}),
        ("En tant que bénévole, j'aimerais la liste des sept modèles économiques.", {"benevole"}),
        ("Livre blanc sur l'innovation : qui l'a publié ?", set()),  # the question leans on it
        ("Les territoires ruraux : quelles caractéristiques leur reconnaît-on ?", set()),  # its topic, not who asks
    ],
)
def test_who_asks_is_set_apart_from_what_is_asked(question: str, aside: set[str]) -> None:
    assert aside <= preamble(question)
    assert not aside or "leviers" not in preamble(question)
    if not aside:
        assert not preamble(question)


@pytest.mark.parametrize(
    ("question", "added"),
    [
        ("ODD, ça veut dire quoi, je débute", ", je débute"),
        ("Que fait le Fonds, on nous en parle beaucoup ?", ", on nous en parle beaucoup ?"),
        ("Quel mode choisir, on veut créer une fondation de territoire ?", ""),  # it says what is asked about
        ("Que fait le Fonds, et on le rejoint comment ?", ""),
        ("Le Fonds, je le rejoins comment ?", ""),
    ],
)
def test_what_is_said_of_oneself_after_the_question_is_not_searched(question: str, added: str) -> None:
    assert afterthought(question) == added


def test_a_relative_pronoun_asks_for_nobody() -> None:
    assert "person" in expect("Qui préside la fondation ?").wants
    assert "person" in expect("Le guide, par qui est-il publié ?").wants
    assert "person" not in expect("Quels sont les projets qui servent ma commune ?").wants


def test_what_follows_the_topic_says_what_is_wanted() -> None:
    assert expect("Combien de modèles sont recensés : lesquels sont hybrides ?").wants >= {"list"}
    assert "number" in expect("Le Fonds Clairière : combien de projets aidés ?").wants


@pytest.mark.parametrize(
    ("question", "said", "granted"),
    [
        ("Pourquoi la France est-elle 25e ?", "La France est au 6e rang.", True),
        ("Pourquoi le taux est-il de 54 % ?", "Mécénat : taux de pratique 25 %.", False),  # corrected
        ("Pourquoi le taux est-il de 25 % ?", "Mécénat : taux de pratique 25 %.", False),
        ("Pourquoi l'ODD 17 compte-t-il ?", "Il porte sur les partenariats.", False),  # the number is a name's
        ("Pourquoi la France est-elle bonne dernière ?", "La France a rendu compte de son avancement.", True),
        ("Comment la France a-t-elle fait pour être numéro un ?", "La France est au 6e rang.", False),  # corrected
        ("Combien de mairies sur 500 ?", "Il y en a 350.", False),  # takes nothing for granted
    ],
)
def test_a_number_is_not_confirmed_by_an_answer_that_does_not_say_it(question: str, said: str, granted: bool) -> None:
    assert takes_for_granted(question, said) is granted
