"""A follow-up stands by itself once it took from the conversation what it leaves unsaid."""

from __future__ import annotations

import pytest

from rag.answer import Turn
from rag.condense import answered_before, condense, settled

PHASES = ("Quelles sont les phases ?", "Trois phases : la recherche, la qualification, puis le déploiement. [1]")
LEVERS = ("Quels sont les leviers ?", "Ils sont deux.\n- La gestion commune [1]\n- L'action collective [2]")

LABEL = ("Comment obtenir le label Ville ouverte ?", "Par un dossier. [1]")


def said(*texts: str) -> list[Turn]:
    return [Turn(role="assistant" if n % 2 else "user", content=text) for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("history", "question", "standalone"),
    [
        (PHASES, "et la troisième ?", "Quelles sont les phases : le déploiement"),
        (PHASES, "La première des trois, qui la mène ?", "Quelles sont les phases : la recherche, qui la mène ?"),
        (LEVERS, "Le premier, qui s'en charge ?", "Quels sont les leviers : La gestion commune, qui s'en charge ?"),
        (
            (*LEVERS, "Le premier, c'est quoi ?", "C'est une règle."),
            "et le deuxième ?",
            "Quels sont les leviers : L'action collective",
        ),
        (LEVERS, "et le septième ?", "Quels sont les leviers : le septième ?"),
        (
            ("Qu'est-ce que la tactique dans la matrice ?", "Le temps court."),
            "et la stratégie ?",
            "Qu'est-ce que la stratégie dans la matrice ?",
        ),
        (
            ("Que sont les richesses humaines ?", "Des personnes."),
            "et les ressources financières ?",
            "Que sont les ressources financières ?",
        ),
        (("Qui est Jeanne Martin ?", "Une élue."), "Et Paul Durand ?", "Qui est Paul Durand ?"),
        (
            ("Que fait l'élue référente dans la démarche ?", "Elle signe."),
            "et le chef de projet ?",
            "Que fait le chef de projet dans la démarche ?",
        ),
        (
            ("Quand le programme PHARE a-t-il été lancé ?", "En 2013."),
            "et le programme IMPACT ?",
            "Quand le programme IMPACT a-t-il été lancé ?",
        ),
        (("Que fait le Fonds ?", "Il finance."), "et ensuite ?", "Que fait le Fonds : ensuite ?"),
        (("C'est quoi la visite ?", "Un bilan."), "et si on la saute ?", "C'est quoi la visite : si on la saute ?"),
        (LABEL, "quels sont les délais ?", "Comment obtenir le label Ville ouverte : quels sont les délais ?"),
        (LABEL, "on peut le perdre ?", "Comment obtenir le label Ville ouverte : on peut le perdre ?"),
        (
            (*LABEL, "combien de points il faut ?", "Cinquante."),
            "qui nous aide à monter le dossier ?",
            "Comment obtenir le label Ville ouverte : qui nous aide à monter le dossier ?",
        ),
        (
            LABEL,
            "avec les écoles de la ville, c'est possible ?",
            "Comment obtenir le label Ville ouverte : avec les écoles de la ville, c'est possible ?",
        ),
        (
            ("Quel est l'objectif du Fonds ?", "Faire alliance."),
            "et le budget ?",
            "Quel est l'objectif du Fonds : le budget ?",
        ),
    ],
)
def test_a_follow_up_takes_what_it_leaves_unsaid(history: tuple[str, ...], question: str, standalone: str) -> None:
    assert condense(question, said(*history)) == standalone


@pytest.mark.parametrize(
    "question",
    [
        "Quel est le budget du Fonds ODD 17 ?",
        "Qui siège à la Commission ?",
        "c'est quoi le mécénat de compétences ?",
        "Comment les associations trouvent-elles des bénévoles en ville ?",
    ],
)
def test_a_question_that_stands_by_itself_takes_nothing(question: str) -> None:
    assert condense(question, said(*PHASES)) == question


def test_another_subject_that_is_announced_takes_nothing() -> None:
    question = "comment les associations trouvent-elles des bénévoles en ville ?"
    assert condense(f"et sinon, {question}", said(*PHASES)) == question


def test_another_number_is_asked_for_in_the_same_words() -> None:
    history = said("C'est quoi le label ?", "Une distinction.", "et pour avoir 4 étoiles ?", "65 % des points.")
    assert condense("et 5 ?", history) == "C'est quoi le label : pour avoir 5 étoiles ?"


def test_what_was_asked_and_answered_is_set_apart_from_its_thing() -> None:
    assert settled("Quel est le taux de pratique du mécénat : qu'en retire-t-on ?") == {"taux", "pratique"}
    assert settled("Quel est le taux de pratique du mécénat ?") == set()
    assert settled("Sur combien d'années porte le livre « Commun : une méthode » ?") == set()


def test_what_was_answered_is_known_to_a_follow_up_only() -> None:
    history = said("Quelle part va aux actions ?", "67 % du budget [1].")
    assert answered_before("Et le reste ?", history) == {"67", "%", "budget"}
    assert answered_before("Qu'est-ce que le Fonds ODD 17 ?", history) == set()
