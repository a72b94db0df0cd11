"""Typing errors of a question are repaired from the corpus's words; a French word that the corpus lacks is left as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.guard import spelled_out
from rag.lexical import LexicalIndex, build_lexical, open_lexical, tokenize, words
from rag.query import parse

TEXTS = (
    "Voir https://territoires-inovation.fr et l'innovation du territoire.",
    *["L'innovation du territoire est celle de tous."] * 6,
    "Un catalyseur et des catalyseurs territoriaux aident une alliance à mettre en pratique son projet.",
    "La situation est bien située.",
    "L'AFM-Téléthon a pris une autre suite : il est urgent de suivre cette ligne et ces interactions.",
)


@pytest.fixture(scope="module")
def lexical(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    folder: Path = tmp_path_factory.mktemp("bm25")
    build_lexical(TEXTS, folder)
    return open_lexical(folder)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("catalizeur", "catalyseur"),
        ("lalliance", "alliance"),
        ("teritoriaux", "territoriaux"),
        ("inovatio", "innovation"),  # nearer to the misprint of the address
        ("proje", "projet"),
        ("catalizeurs", "catalyseur"),
        ("situassions", "situation"),  # though « située » has its stem
    ],
)
def test_a_typing_error_is_repaired(lexical: LexicalIndex, typed: str, meant: str) -> None:
    assert lexical.correct(typed) == meant


@pytest.mark.parametrize("word", ["argent", "telephone", "fuite", "vigne", "outre", "instructions", "ligue"])
def test_a_french_word_never_becomes_another(lexical: LexicalIndex, word: str) -> None:
    assert lexical.correct(word) == word


def test_a_french_word_may_become_another_form_of_itself(lexical: LexicalIndex) -> None:
    assert lexical.correct("pratiquee") == "pratique"


def test_the_question_that_is_searched_keeps_its_own_words(lexical: LexicalIndex) -> None:
    assert parse("Quel téléphone acheter ?", lexical).repaired == "Quel téléphone acheter ?"
    assert "alliance" in parse("Qui aide lalliance ?", lexical).repaired


def test_how_it_is_to_be_said_is_not_looked_for(lexical: LexicalIndex) -> None:
    plain, told = parse("Une alliance ?", lexical), parse("En une phrase, une alliance, laquelle exactement ?", lexical)
    assert {t.token for t in told.terms} == {t.token for t in plain.terms}
    assert "phrase" not in told.repaired


def test_a_name_and_its_acronym_are_searched_whichever_is_asked(lexical: LexicalIndex) -> None:
    assert "rse" in {t.token for t in parse("La responsabilité sociétale des entreprises ?", lexical).terms}
    assert "epci" in {t.token for t in parse("Que peut une communauté de communes ?", lexical).terms}
    assert "epci" not in {t.token for t in parse("Que peut une commune ?", lexical).terms}
    assert {"econom", "solidair"} <= {t.token for t in parse("L'ESS ?", lexical).terms}


def test_a_misprint_of_the_corpus_stands_for_the_word_that_it_means(lexical: LexicalIndex) -> None:
    assert "inovation" in lexical.vocabulary
    assert lexical.correct("inovation") == "innovation"


def test_a_common_word_that_the_corpus_lacks_tells_less_than_a_rare_one(lexical: LexicalIndex) -> None:
    assert lexical.telling("argent") < lexical.telling("faillite") <= lexical.telling("ornithorynque")
    assert lexical.telling("territoire") == lexical.idf("territoir")


def test_what_only_asks_is_not_looked_for(lexical: LexicalIndex) -> None:
    asked = parse("Pourriez-vous, chez vous, nous dire quel genre de structure est une alliance ?", lexical)
    assert {term.token for term in asked.terms} == {"allianc"}


def test_an_acronym_is_one_word_with_or_without_its_stops() -> None:
    assert words("M.E.D.O.C. et MEDOC, 1.5 M€") == ["medoc", "et", "medoc", "1.5", "m", "€"]


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("c koi une alliance", "c'est quoi une alliance"),
        ("La France est combientième sur les ODD ?", "La France est à quel rang sur les ODD ?"),
        ("pk faire alliance ?", "pourquoi faire alliance ?"),
        ("kels leviers ?", "quels leviers ?"),
        ("an quel anée a commensé le fonds", "en quel année a commencé le fonds"),
        ("conbien danées depui le cayer ?", "combien d'années depuis le cahier ?"),
        ("Anne commence dans 3 ans", "Anne commence dans 3 ans"),
        ("Depuis un an quels projets ?", "Depuis un an quels projets ?"),
        ("quest ce qu’un catalyseur ?", "qu'est-ce qu’un catalyseur ?"),
        ("cmb de projets", "combien de projets"),
        ("La pause café du CB", "La pause café du CB"),
        ("c est quoi l eit", "c'est quoi l'eit"),
        ("qu est ce que l odd 17", "qu'est ce que l'odd 17"),
        ("les 4 c et le reste", "les 4 c et le reste"),
        ("le plan d action de l asso", "le plan d'action de l'association"),
        ("il y en a 3 à lire", "il y en a 3 à lire"),
        ("le bouquin des boîtes du bled, cé quoi", "le livre des entreprises du village, c'est quoi"),
        ("une boîte à outils dan le guide", "une boîte à outils dans le guide"),
    ],
)
def test_a_text_message_is_read_in_plain_words(typed: str, plain: str) -> None:
    assert spelled_out(typed) == plain


def test_an_ordinal_is_its_number() -> None:
    assert words("au 6e rang, le 1er audit, la 2nde fois, le 17e Objectif") == words(
        "au 6 rang, le 1 audit, la 2 fois, le 17 Objectif"
    )


def test_a_unit_and_a_thing_done_together_are_the_same_however_they_are_written() -> None:
    assert tokenize("Un euro rapporte sept euros") == [*tokenize("Un €"), *tokenize("rapporte sept €")]
    assert tokenize("copilotée par") == tokenize("co-pilotée par")
    assert tokenize("la coordination des cotisations") == ["coordin", "cotis"]
