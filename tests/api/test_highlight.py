"""A quote is found on its page although it was repaired, cut by columns or spread over a table's cells."""

from __future__ import annotations

import pytest

from api.highlight import locate, squash

PAGE = (
    "L'envie d'engagement. Con-\nfirmée par la derniére étude au cceur de I'alliance, elle compte 25 %. 9 Voir la note\n"
    "Bénévoles\nMécénat\nPositionnement"
)


def carried(quote: str) -> str:
    match = locate(squash(PAGE), quote)
    return "".join(PAGE[i] for i in match.places)


@pytest.mark.parametrize(
    ("quote", "letters"),
    [
        ("Confirmée par la dernière étude", "Confirméeparladerniéreétude"),
        ("au cœur de l'alliance, elle compte 25 %", "aucceurdeI'allianceellecompte25".replace("'", "")),
        ("MÉCÉNAT : Positionnement", "MécénatPositionnement"),
        ("Mécénat : Objectifs Positionnement ; Bénévoles", "BénévolesMécénatPositionnement"),
    ],
    ids=["line-end hyphen and accent", "OCR letters", "case and signs", "cells out of order"],
)
def test_the_letters_of_the_page_that_carry_the_quote(quote: str, letters: str) -> None:
    assert carried(quote) == letters


@pytest.mark.parametrize("quote", ["", "…", "La photosynthèse des algues boréales"])
def test_nothing_is_found_where_nothing_stands(quote: str) -> None:
    match = locate(squash(PAGE), quote)
    assert match.places == ()
    assert match.coverage == 0.0


def test_a_quote_that_stands_whole_is_covered_whole() -> None:
    assert locate(squash(PAGE), "elle compte 25 %").coverage == 1.0


def test_no_crumb_of_a_neighbouring_word_is_taken() -> None:
    page = "des individus\njeunes de 18 à 25 ans\nautre chose sans rapport avec la suite des mots\nConfirmée par cette étude auprès de"
    match = locate(squash(page), "Confirmée par cette étude auprès des jeunes de 18 à 25 ans")
    assert page.index("individus") + len("individu") not in match.places
    assert page.index("jeunes") in match.places
