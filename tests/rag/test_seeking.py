"""The model reads a question by what would answer it: everyday words come near to the sentence that answers them, and what the
passage doesn't say stays away from it."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from rag.assistant import Assistant
from rag.bert import Adapted, Bert, open_weights
from rag.e5 import MAX_TOKENS, ensure_model
from rag.embedding import SEEKER, Encoded, Encoder
from rag.settings import Settings

pytestmark = pytest.mark.slow

SENTENCES = (
    "Le dispositif territorial d'appui mobilise onze intercommunalités volontaires du littoral.",
    "La pérennité de l'animation suppose un cofinancement pluriannuel des collectivités et des fondations partenaires.",
    "Un référentiel commun facilite l'essaimage des expérimentations concluantes vers d'autres bassins de vie.",
)
ANSWERED = (  # in everyday words, with the sentence that answers
    ("Ce qui a bien marché ailleurs, comment on le recopie chez nous ?", 2),
    ("Qui doit mettre la main à la poche pour que ça tienne plusieurs années ?", 1),
)
UNANSWERED = ("Combien gagne la personne qui fait tourner tout ça ?", "Dans quelle ville se trouve le bureau ?")


@pytest.fixture(scope="module")
def sentences(encoder: Encoder) -> np.ndarray:
    return np.stack([one.vector for one in encoder.passages(["Appui"] * len(SENTENCES), SENTENCES)])


def seeking(encoder: Encoder, question: str) -> np.ndarray:
    vector = encoder.query(question).seeking
    assert vector is not None
    return vector


def test_an_everyday_question_comes_nearest_to_its_answer(encoder: Encoder, sentences: np.ndarray) -> None:
    for question, answer in ANSWERED:
        assert int(np.argmax(sentences @ seeking(encoder, question))) == answer


def test_what_is_not_said_stays_away(encoder: Encoder, sentences: np.ndarray) -> None:
    nearest = [float((sentences @ seeking(encoder, question)).max()) for question, _ in ANSWERED]
    farthest = [float((sentences @ seeking(encoder, question)).max()) for question in UNANSWERED]
    assert min(nearest) > max(farthest)


def test_passages_and_the_questions_own_vectors_are_those_of_the_plain_model(encoder: Encoder) -> None:
    plain = copy.copy(encoder)
    plain._seeker = None
    one, other = encoder.query(SENTENCES[0]), plain.query(SENTENCES[0])
    assert other.seeking is None
    assert np.array_equal(one.vector, other.vector)
    assert np.array_equal(one.words, other.words)


def test_the_changes_are_added_to_the_layers_that_they_name(encoder: Encoder) -> None:
    bert = Bert(ensure_model(Settings().cache), MAX_TOKENS)
    adapted, changes, (weights, _) = Adapted(bert, SEEKER), load_file(SEEKER), open_weights(bert.file)
    name = "encoder.layer.11.output.dense"
    expected = weights[f"{name}.weight"] + changes[f"{name}.b"].float() @ changes[f"{name}.a"].float()
    assert torch.allclose(adapted._changed[-1]["down"][0], expected)
    ids = [ids for ids, _ in bert.tokenize(SENTENCES)]
    plain, changed = adapted.readings(ids)
    for one, two, other in zip(bert.states(ids), plain, changed, strict=True):
        assert np.array_equal(one, two)
        assert not np.allclose(one, other)


def test_a_text_s_vectors_need_no_seeking() -> None:
    assert Encoded(np.zeros(2), np.zeros((0, 2)), np.zeros((0, 2))).seeking is None


@pytest.mark.parametrize("typed", ["test", "asdf", "qwerty", "Quel âge as-tu ?", "lol"])
def test_a_word_that_says_nothing_is_not_answered(assistant: Assistant, typed: str) -> None:
    assert assistant.ask(typed).status == "abstained"
