"""Headings become the questions that a reader would ask."""

from __future__ import annotations

import pytest

from rag.suggest import as_question, is_row, leans_on_its_page


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("Qui peut répondre ?", "Qui peut répondre ?"),
        ("Pourquoi 33 % n’est pas une dépense perdue", "Pourquoi 33 % n’est pas une dépense perdue ?"),
        ("Ce que la mission a laissé", "Qu’est-ce que la mission a laissé ?"),
        ("Ce qui circule entre les modèles", "Qu’est-ce qui circule entre les modèles ?"),
        ("Ce qu’il faut oser dire", "Qu’est-ce qu’il faut oser dire ?"),
        ("L’ingénierie d’alliance", "Que faut-il savoir sur l’ingénierie d’alliance ?"),
        ("Les 7 étapes", "Que faut-il savoir sur les 7 étapes ?"),
        ("Le Fonds ODD 17", "Que faut-il savoir sur le Fonds ODD 17 ?"),
        ("Le RAMEAU", "Que faut-il savoir sur Le RAMEAU ?"),
        ("Depuis 2023 : déployer", "Que dit le corpus sur « Depuis 2023 : déployer » ?"),
        ("Leviers et « 4 C »", "Que dit le corpus sur « Leviers et “4 C” » ?"),
        ("Quiproquo", "Que dit le corpus sur « Quiproquo » ?"),
    ],
)
def test_a_heading_becomes_a_question(heading: str, question: str) -> None:
    assert as_question(heading) == question


@pytest.mark.parametrize(
    ("heading", "row"),
    [
        ("Modèle Richesses Financement Alliances", True),
        ("La Fondation des Territoires", False),
        ("Livre Blanc du Conseil Économique Social Environnemental", False),
        ("Choisir selon son objectif", False),
    ],
)
def test_what_a_table_left_is_no_question(heading: str, row: bool) -> None:
    assert is_row(heading) is row


@pytest.mark.parametrize(
    ("heading", "leans"),
    [
        ("À quoi sert cette liste ?", True),
        ("Comment lire ce schéma", True),
        ("Ce que la mission a laissé", False),
        ("Les 7 étapes", False),
    ],
)
def test_a_heading_that_points_to_its_page_is_no_question(heading: str, leans: bool) -> None:
    assert leans_on_its_page(heading) is leans
