"""What a model wrote, tied to the quotes that prove it: of the right source, of the right thing, and with nothing left out."""

from __future__ import annotations

import pytest

from rag.attribution import Source, tie
from rag.draft import DraftSentence, Quote
from rag.expect import expect
from rag.verify import unsupported
from rag.written import stutters, unsaid


def said(text: str, score: float = 1.0, *, item: bool = False) -> DraftSentence:
    return DraftSentence(text, (Quote("doc", 1, 0, len(text), text, (), score),), item=item)


def source(*texts: str) -> Source:
    return Source(tuple(said(text) for text in texts))


STUDY = source("Après cinq ans de travaux, l'étude d'impact a couvert 13 régions métropolitaines de France.")
BOOKS = source("Deux cahiers de recherche ont suivi ce cheminement.")
SOCIAL = source("L'innovation sociale répond à un besoin qui n'est pas pourvu.")
SOCIETAL = source("À cette forme, l'innovation sociétale ajoute une seconde dimension, territoriale.")


def test_a_sentence_is_tied_to_the_source_that_it_calls() -> None:
    tied = tie("L'étude d'impact a couvert 13 régions.", [STUDY], [BOOKS, STUDY])
    assert tied.quotes == STUDY.parts[0].quotes
    assert unsupported(tied) == []


def test_a_right_sentence_that_calls_the_wrong_source_is_tied_to_the_right_one() -> None:
    tied = tie("L'étude d'impact a couvert 13 régions métropolitaines.", [BOOKS], [BOOKS, STUDY])
    assert tied.quotes == STUDY.parts[0].quotes


@pytest.mark.parametrize("cited", [[SOCIETAL], [], [SOCIAL]])
def test_what_is_said_of_one_thing_is_not_said_of_its_neighbour(cited: list[Source]) -> None:
    tied = tie("L'innovation sociale ajoute une seconde dimension, territoriale.", cited, [SOCIAL, SOCIETAL])
    assert tied.quotes == () or unsupported(tied)


def test_two_words_are_too_few_for_another_source_than_the_one_called() -> None:
    assert unsupported(tie("Deux cahiers.", [STUDY], [BOOKS, STUDY]))


def test_a_list_in_one_sentence_has_all_its_items_as_quotes() -> None:
    strategies = source(
        "Il y a quatre stratégies :", "l'optimisation", "l'extension", "la transformation", "l'invention"
    )
    tied = tie("Optimisation, extension, transformation et invention.", [strategies], [strategies])
    assert [quote.text for quote in tied.quotes] == [part.text for part in strategies.parts[1:]]


# --- what was left out


def test_the_items_of_a_list_that_is_asked_for_are_added() -> None:
    items = [said("Comprendre la notion de modèle.", item=True), said("Se former par un parcours.", item=True)]
    extractive = [said("La plateforme permet de :"), *items]
    written = [said("La plateforme capitalise quinze ans de recherche.")]
    assert unsaid(extractive, written, expect("Que permet la plateforme ?")) == items


def test_the_best_sentence_is_added_and_a_far_one_is_not() -> None:
    extractive = [said("La prime vaut 7 € pour 1 € investi.", 9.0), said("Le fonds a des fondateurs.", 3.0)]
    written = [said("La prime est une approche.")]
    assert unsaid(extractive, written, expect("Qu'est-ce que la prime ?")) == extractive[:1]


def test_the_figure_that_was_asked_for_is_said_once() -> None:
    proof = said("Après trois ans, la quadruple évaluation du fonds a prouvé un retour de 7 € pour 1 € investi.", 9.0)
    written = [DraftSentence("Le retour est de 7 €.", proof.quotes)]
    assert unsaid([proof], written, expect("Combien rapporte le fonds ?")) == []
    assert unsaid([proof], written, expect("Pourquoi un fonds ?")) == [proof]


def test_both_things_that_are_compared_are_said() -> None:
    both = said("Le modèle est le moteur du projet, la finance en est le carburant.", 9.0)
    written = [said("Le modèle est le moteur du projet.")]
    assert unsaid([both], written, expect("Quelle différence entre le modèle et la finance ?")) == [both]
    assert unsaid([both], written, expect("Qu'est-ce que le modèle ?")) == []
    apart = [*written, said("La finance a un carburant.")]
    assert unsaid([both], apart, expect("Quelle différence entre le modèle et la finance ?")) == [both]
    assert unsaid([both], apart, expect("Qu'est-ce que le modèle ?")) == []


def test_one_thing_of_a_list_is_not_said_by_the_words_of_the_others() -> None:
    items = [
        said("Former : une formation sur le modèle", item=True),
        said("Comprendre : le modèle économique", item=True),
    ]
    written = [
        said("Elle permet de former, par une formation sur le modèle."),
        said("Elle est économique."),
    ]
    assert items[1] in unsaid(items, written, expect("Quelles sont les aides ?"))
    assert items[0] not in unsaid(items, written, expect("Quelles sont les aides ?"))


@pytest.mark.parametrize(
    ("written", "proof", "spoilt"),
    [
        ("La performance joue sur la performance.", "La performance est un levier.", True),
        ("Le taux de pratique des pratiques est de 54 %.", "Pratiques : taux de pratique 54 %.", False),
        ("Le fonds aide.", "Le fonds aide.", False),
    ],
)
def test_a_sentence_that_says_a_word_more_often_than_its_proof_is_spoilt(
    written: str, proof: str, spoilt: bool
) -> None:
    quote = Quote("doc", 1, 0, len(proof), proof, (), 1.0)
    assert stutters(DraftSentence(written, (quote,))) is spoilt


def test_what_leans_on_an_unsaid_sentence_is_not_added_alone() -> None:
    extractive = [
        said("Le Fonds soutient des projets de territoire.", 3.0),
        said("Il les finance pendant trois ans.", 9.0),
    ]
    assert unsaid(extractive, [said("Bonne question.")], expect("Qu'est-ce que le Fonds ?")) == []
