"""OCR damage undone, good French left alone."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.joining import join_lines
from corpus.repair import Damage, repair

DAMAGED = [
    ("Nous croyons a I'intérét général des communes.", "Nous croyons à l'intérêt général des communes."),
    ("au cceur de la ville", "au cœur de la ville"),
    ("Lobjectif reste le méme pour d’'autres.", "L'objectif reste le même pour d’autres."),
    ("un modele a inventer", "un modèle à inventer"),
    ("1l faut aussi gu’elle avance", "Il faut aussi qu’elle avance"),
    ("Le Fonds ODD 1734 agit avec ses partenaires®.", "Le Fonds ODD 17 agit avec ses partenaires."),
    ("Le 8™ anniversaire", "Le 8e anniversaire"),
    ("voir hitps.//www.exemple. fr/page", "voir https://www.exemple.fr/page"),
    ("Elle a été créée en 2019", "Elle a été créée en 2019"),
    ("Il y a trois étapes", "Il y a trois étapes"),
    ("une €galité", "une égalité"),
    ("Les jeunes de16325ans y viennent", "Les jeunes de 16 à 25 ans y viennent"),
    ("le 158me forum", "le 15e forum"),
    ("du cé6té des communes", "du côté des communes"),
    ("Elle répond a un besoin commun", "Elle répond à un besoin commun"),
    ("une démarche a (ré)inventer ici", "une démarche à (ré)inventer ici"),
    ("il n’y a d’alliance que locale", "il n’y a d’alliance que locale"),
    ("celui ou les élus décident", "celui où les élus décident"),
    ("c'est-a-dire jusqu'a demain", "c'est-à-dire jusqu'à demain"),
    ("Procéder aun bilan et lire sesrésultats", "Procéder à un bilan et lire ses résultats"),
    ("Faire confiance?.", "Faire confiance."),
    ("la négociation & l'accord", "la négociation à l'accord"),
    ("le rdle de chaque acteur", "le rôle de chaque acteur"),
    ("des allances durables", "des alliances durables"),
    ("Cette derniere a dG inventer une voie", "Cette dernière a dû inventer une voie"),
    ("Si le salarié a moins de deux ans", "Si le salarié a moins de deux ans"),
    ("des jeunes de 18 a 25 ans", "des jeunes de 18 à 25 ans"),
    ("Le salarié a la possibilité de partir.", "Le salarié a la possibilité de partir."),
    ("la France a rendu compte", "la France a rendu compte"),
    ("Le groupe A et le groupe B", "Le groupe A et le groupe B"),
    ("le contrat est a durée limitée", "le contrat est à durée limitée"),
    ("au titre du 2° de l’article 4", "au titre du 2° de l’article 4"),
    ("le 17° objectif", "le 17e objectif"),
    ("LA RECHERCHE AU CCEUR DES VILLES", "LA RECHERCHE AU CŒUR DES VILLES"),
    ("Cette solution doit Sappuyer sur elles", "Cette solution doit s'appuyer sur elles"),
    ("les dispositions desdites conventions", "les dispositions desdites conventions"),
    (
        "les lieux par excellence, ou la dimension humaine permet d’agir",
        "les lieux par excellence, où la dimension humaine permet d’agir",
    ),
    ("les lieux ou le cadre régional", "les lieux ou le cadre régional"),
    ("voir https://exemple. files. site.org/a-b. pdf", "voir https://exemple.files.site.org/a-b.pdf"),
    ("voir https://www.exemple. fi/doc", "voir https://www.exemple.fr/doc"),
]


@pytest.mark.parametrize(("damaged", "expected"), DAMAGED, ids=[d[:24] for d, _ in DAMAGED])
def test_a_damaged_line_is_restored(damaged: str, expected: str) -> None:
    assert repair(damaged, damage=True) == expected


@pytest.mark.parametrize(
    "clean",
    [
        "La cote du projet est haute, de l’autre côté de la pêche aux idées.",
        "Le maire a porté le projet ; il porte aussi l’école, où les élèves apprennent à coopérer.",
        "L’ODD 17 compte 19 cibles, l’ODD 1 en compte 7 et 10+1 % des budgets servent à mutualiser.",
        "Voir https://odd17.org/outils-lodd-17 pour les outils.",
    ],
)
def test_clean_french_is_left_as_it_is(clean: str) -> None:
    assert repair(clean) == clean


@settings(deadline=None)  # the first call loads the lexicon
@given(st.text(max_size=200))
def test_numbers_outside_known_damage_are_never_invented(text: str) -> None:
    digits = {c for c in text if c.isdigit()}
    assert {c for c in repair(text, damage=False) if c.isdigit()} <= digits


def test_a_name_in_capitals_with_one_letter_misread_is_the_one_that_the_document_says() -> None:
    damage = Damage(lost=True, words=Counter({"verger": 1, "clairiere": 12, "clairiene": 1, "lisiere": 4}))
    assert repair("L'étude de CLAIRIENE et de LISIENE", damage) == "L'étude de CLAIRIERE et de LISIENE"


def test_a_word_cut_at_a_line_end_is_joined_and_a_compound_keeps_its_hyphen() -> None:
    assert join_lines(["des trans-", "formations socio-", "économiques"]) == "des transformations socio-économiques"
    assert join_lines(["nos modèles so-", "cio-économiques"]) == "nos modèles socio-économiques"
    assert join_lines(["une nou\u00ad", "velle alliance"]) == "une nouvelle alliance"
