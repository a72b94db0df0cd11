"""What is said whole (a table of as many rows as things asked for) and what is said alone (one person, one acronym)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

from corpus.chunk import ChunkSentence
from rag.assistant import Assistant
from rag.compose import _close, can_be_said
from rag.expect import expect, holds
from rag.retrieve import _stands_out
from rag.select import _BARE, TRAITS, Candidate, _enumerates, is_dangling

SEVEN = ("publique", "personnes", "productive", "financière", "connaissance", "services publics", "engagement")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "things"),
    [
        ("Quels sont les sept modèles d'un écosystème ?", SEVEN),
        ("Quels effets ont les alliances d'après l'étude d'impact ?", ("Performance", "Innovation", "Confiance")),
    ],
)
def test_a_table_with_as_many_rows_as_things_is_said_whole(
    assistant: Assistant, question: str, things: tuple[str, ...]
) -> None:
    answer = assistant.ask(question).answer
    assert [thing for thing in things if thing not in answer] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "said", "neighbour"),
    [
        ("Qui est Anne Robin ?", "direction scientifique", "députée"),
        ("Qu'est-ce qu'un CPIE ?", "centre permanent", "DJEPVA"),
    ],
)
def test_one_of_a_list_is_said_without_its_neighbours(
    assistant: Assistant, question: str, said: str, neighbour: str
) -> None:
    answer = assistant.ask(question).answer
    assert said in answer
    assert neighbour not in answer


@pytest.mark.slow
def test_how_many_is_answered_by_the_number_that_counts_the_thing(assistant: Assistant) -> None:
    answer = assistant.ask("Combien de partenariats entre associations et entreprises ?")
    assert "1,2 million" in answer.sentences[0].text


@pytest.mark.slow
@pytest.mark.parametrize(
    "question", ["Combien gagne un catalyseur territorial par mois ?", "L'aide d'un catalyseur est-elle payante ?"]
)
def test_what_something_costs_is_not_answered_by_something_else(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    assert answer.status == "abstained" or "€" in answer.answer or "pay" in answer.answer


@pytest.mark.slow
def test_what_something_is_for_is_said_early(assistant: Assistant) -> None:
    answer = assistant.ask("À quoi sert un catalyseur territorial ?")
    assert "missions" in answer.sentences[0].text + answer.sentences[1].text
    assert "expérimentations" in answer.answer


@pytest.mark.parametrize(
    ("text", "count", "thing", "found"),
    [
        ("Il mesure les effets sur la performance, l'innovation et la confiance.", 3, "effet", True),
        ("Il mesure les effets sur la performance, l'innovation et la confiance.", 4, "effet", False),
        ("Il mesure les apports sur la performance, l'innovation et la confiance.", 3, "effet", False),
        ("Les effets sont la performance et la confiance.", 2, "effet", True),
        ("Cinq effets : deux effets directs (la performance et la confiance) et trois autres.", 2, "effet", True),
    ],
)
def test_things_are_counted_after_the_verb_or_at_the_end(text: str, count: int, thing: str, found: bool) -> None:
    assert _enumerates(text, count, frozenset({thing})) is found


@pytest.mark.parametrize(
    ("text", "leans"),
    [
        ("C'est à partir des territoires que tout commence.", False),
        ("C'est à partir de cette dernière que tout commence.", True),
        ("C'est un fonds.", True),
        ("La raison en est simple : il est jeune.", True),
        ("La raison d'être du fonds est connue.", False),
        ("Le « Commun(s) » est le regard inverse.", True),
        ("L'inverse est vrai aussi pour les communes.", False),
    ],
)
def test_a_sentence_that_puts_its_subject_first_leans_on_nothing(text: str, leans: bool) -> None:
    assert is_dangling(text) is leans


@pytest.mark.parametrize(
    ("question", "wants"),
    [
        ("Est-ce que toutes les innovations se valent ?", frozenset()),
        ("Cite toutes les innovations", frozenset({"list"})),
        ("Quel est le maximum de points ?", frozenset({"number"})),
        ("Les 4 C et MEDOC, est-ce la même chose ?", frozenset({"list", "compare"})),
        ("Combien gagne un conseiller ?", frozenset({"number", "money"})),
    ],
)
def test_what_a_question_wants(question: str, wants: frozenset[str]) -> None:
    assert expect(question).wants == wants


@pytest.mark.parametrize(
    ("want", "text", "held"),
    [
        ("number", "2.1.2.2 Élargir la composition", False),
        ("number", "2.1.2.1 Organiser 1 réunion", True),
        ("duration", "Le programme ARPEA (2008-2012)", True),
        ("duration", "Le programme de 2008", False),
    ],
)
def test_what_a_sentence_holds(want: str, text: str, held: bool) -> None:
    assert holds(want, text) is held  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scores", "found"), [([7.5, 5.7, 5.6], True), ([6.0, 5.7, 0.0], False), ([0.0, 0.0], False), ([3.0], False)]
)
def test_a_passage_stands_out_by_a_fifth(scores: list[float], found: bool) -> None:
    assert _stands_out(np.array(scores, np.float32)) is found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "opening"),
    [
        ("Comment commencer une alliance quand on est une mairie ?", "Projet de territoire"),
        ("Qui finance l'ingénierie des alliances ?", "Fonds ODD 17"),
    ],
)
def test_who_asks_how_or_who_is_told_it_first(assistant: Assistant, question: str, opening: str) -> None:
    assert any(opening in sentence.text for sentence in assistant.ask(question).sentences[:2])


@pytest.mark.slow
@pytest.mark.parametrize(
    "question",
    ["Qui préside la Fondation des Territoires ?", "Quel formulaire remplir pour demander une aide au Fonds ODD 17 ?"],
)
def test_what_no_page_says_is_not_answered_by_what_stands_near(assistant: Assistant, question: str) -> None:
    assert assistant.ask(question).status == "abstained"


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("table", "PROPOSITION + I + S PRENE i YD TR", False),
        ("table", "Projets de rénovation et de dévelop-", False),
        ("table", "Un grand DÉFI commun pour la COHÉSION DE", False),
        ("table", "associations, Agence du Service Civique", True),
        ("body", "Le tableau suivant traduit les convergences.", False),
        ("body", "Les convergences sont nombreuses.", True),
    ],
)
def test_what_a_drawing_left_and_what_points_to_it_are_not_said(
    kind: Literal["table", "body"], text: str, said: bool
) -> None:
    assert can_be_said(candidate(text, kind)) is said


def candidate(text: str, kind: Literal["table", "body"] = "body", score: float = 0.0, **traits: float) -> Candidate:
    nothing: Any = None  # its passage isn't looked at
    vector = np.array([traits.get(name, 0.0) for name in TRAITS])
    sentence = ChunkSentence(0, len(text), kind)
    return Candidate(nothing, 0, sentence, (0,), text, frozenset(), score, 0.0, 0.0, 0.0, vector)


@pytest.mark.parametrize(("second", "holds_it", "close"), [(4.5, 0.0, True), (1.0, 0.0, False), (4.5, 1.0, False)])
def test_more_is_said_where_two_sentences_answer_nearly_as_well_and_none_holds_the_figure(
    second: float, holds_it: float, close: bool
) -> None:
    best = candidate("Le fonds soutient douze projets de coopération.", score=5.0, sharp=holds_it)
    other = candidate("Les alliances sont soutenues par le fonds depuis 2020.", score=second)
    assert _close([best, other], expect("Combien de projets le fonds soutient-il ?")) is close


@pytest.mark.parametrize(
    ("text", "bare"), [("1 M€", True), ("2,80 M€.", True), ("800 000 €", True), ("12 projets", False)]
)
def test_a_figure_alone_is_known_as_such(text: str, bare: bool) -> None:
    assert bool(_BARE.fullmatch(text)) is bare
