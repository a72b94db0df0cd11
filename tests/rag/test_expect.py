"""What a sentence must hold to answer: a number that the question gives isn't the one that it asks for."""

from __future__ import annotations

import pytest

from rag.expect import Want, expect, holds


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
        ("duration", "Combien d'années ?", "L'enquête auprès des jeunes de 18 à 25 ans.", False),
        ("duration", "Combien d'années ?", "La démarche a pris de 3 à 5 ans.", True),
        ("number", "Combien de projets ?", "Voir https://exemple.fr/odd-2024-12.", False),
        ("number", "La France est à quel rang ?", "Elle est au 6e rang mondial.", True),
        ("number", "La France est à quel rang ?", "Le 8e anniversaire des 17 ODD est passé.", False),
        ("number", "À quelle place est la France ?", "La France est classée 6e.", True),
        ("number", "La France est à quel rang ?", "La France est 6e sur 166 pays.", True),
        ("number", "La France est à quel rang ?", "Elle occupe la sixième place.", True),
        ("number", "La France est à quel rang ?", "Elle arrive en 2nde position.", True),
    ],
)
def test_what_is_asked_for_is_not_what_the_question_gives(want: Want, question: str, sentence: str, held: bool) -> None:
    assert holds(want, sentence, question) is held


@pytest.mark.parametrize(
    ("question", "want", "wanted"),
    [
        ("Quelle forme de partenariat choisir quand on est une PME ?", "date", False),
        ("Quand on débute, comment choisir ?", "date", False),
        ("Le guide est sorti quand exactement ?", "date", True),
        ("Quand le règlement entre-t-il en vigueur ?", "date", True),
        ("Depuis quand le Fonds existe-t-il ?", "date", True),
        ("Le Fonds s'est engagé sur quelle période ?", "date", True),
        ("Quels partenaires accompagnent le programme ?", "number", False),
        ("Quelle part du budget ?", "number", True),
        ("Quel poids donner au levier ?", "percent", True),
        ("Volume horaire de la formation ?", "duration", True),
        ("Les catalyseurs, ils font quoi ?", "purpose", True),
        ("Que reste-t-il à faire selon les auteurs ?", "person", False),
        ("Qui sont les auteurs ?", "person", True),
        ("Que gagne-t-on à faire alliance ?", "money", False),
        ("Combien gagne un catalyseur ?", "money", True),
        ("Comment raisonner à long terme ?", "reason", False),
        ("À quelle fréquence le comité se réunit-il ?", "frequency", True),
        ("C'est qui le président ?", "person", True),
        ("Combien coûte le service chaque année ?", "date", False),
        ("Un tiers-lieu, à quoi ça sert ?", "purpose", True),
        ("Pourquoi le Fonds a-t-il été créé ?", "purpose", True),
        ("Quelle est la mission du Fonds ?", "purpose", True),
        ("Où se trouve le Fonds ?", "purpose", False),
        ("Peut-on viser les 4 étoiles ?", "list", False),
        ("Pourquoi faut-il les deux tiers ?", "list", True),
        ("Je confonds les deux : entre les deux, lequel choisir ?", "list", True),
        ("À quelle condition une idée devient-elle une innovation ?", "condition", True),
        ("Que faut-il pour réussir ?", "condition", True),
        ("Les conditions de vie sont-elles bonnes ?", "condition", False),
        ("Comment s'appelle le programme ?", "how", False),
        ("Comment s'y prendre ?", "how", True),
        ("Présentez-moi le fonds", "definition", True),
        ("Que présente le schéma ?", "definition", False),
        ("À quelle place est la France ?", "number", True),
        ("En quelle place publique ?", "number", False),
    ],
)
def test_what_a_question_wants(question: str, want: Want, wanted: bool) -> None:
    assert (want in expect(question).wants) is wanted


@pytest.mark.parametrize(
    ("sentence", "held"),
    [("La séance prend 30 minutes.", True), ("Un suivi a lieu à 6 mois.", False), ("Deux heures.", False)],
)
def test_a_short_time_is_told_in_its_unit(sentence: str, held: bool) -> None:
    assert holds("duration", sentence, "Combien de minutes prend la séance ?") is held


def test_a_title_after_a_colon_asks_for_nothing() -> None:
    assert expect("Il coûte combien le livre Commun : discours de la méthode ?").wants >= {"money"}
    assert expect("Sur combien de temps porte le livre « Commun : la date » ?").wants >= {"duration"}


def test_two_things_told_apart_are_no_list_of_two() -> None:
    assert expect("L'ODD et le Fonds, quelle différence entre les deux ?").count is None
    assert expect("Quels sont les deux leviers ?").count == 2
    assert expect("Qui sont les partenaires, en plus des deux pilotes ?").count is None
    assert expect("Qui sont les partenaires, à part les deux pilotes ?").count is None


@pytest.mark.parametrize(
    ("question", "drawn"),
    [
        ("D'après le tableau, quel mode domine ?", True),
        ("Que dit le schéma de la page 4 ?", True),
        ("Qui tient le tableau de bord ?", False),
    ],
)
def test_a_question_may_point_to_a_drawing(question: str, drawn: bool) -> None:
    assert expect(question).drawn is drawn


@pytest.mark.parametrize(
    ("want", "sentence"),
    [
        ("duration", "L'atelier tient en une demi-journée."),
        ("duration", "Comptez 30 minutes."),
        ("duration", "Comptez 30 min."),
        ("frequency", "Le comité a lieu trois fois par an."),
        ("frequency", "La réunion est trimestrielle."),
        ("url", "Écrivez à bonjour@exemple.org."),
        ("purpose", "Ils ont pour mission de relier les acteurs."),
        ("purpose", "La fonction première du comité est de garantir l'équilibre."),
    ],
)
def test_what_answers_how_long_how_often_and_where(want: Want, sentence: str) -> None:
    assert holds(want, sentence)
