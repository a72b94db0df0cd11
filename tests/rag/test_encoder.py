"""The encoder's own forward pass against sentence-transformers, and texts encoded together against alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from corpus.errors import ConfigurationError
from rag.bert import Bert, is_plain_bert
from rag.e5 import MAX_TOKENS, ensure_model
from rag.embedding import Encoder, Transformer, llama_index_embedding, load_encoder
from rag.settings import Settings, load_settings

pytestmark = pytest.mark.slow
PROMPTS = ("query: ", "passage: ")
TEXTS = [
    "Le pouvoir des liens.",
    "L’ODD 17 — « Partenariats pour la réalisation des objectifs » — compte 19 cibles ; 10+1 % des projets, 4 tiers.",
    "Œuvre commune, ﬁn d’année, e\u0301te\u0301 : 7 €.",
    "Une phrase qui revient. " * 40,
    "Un texte plus long que la fenêtre du modèle. " * 120,
    "?",
]


@pytest.fixture(scope="module")
def folder() -> Path:
    return ensure_model(Settings().cache)


@pytest.fixture(scope="module")
def reference(folder: Path) -> Transformer:
    return Transformer(llama_index_embedding(str(folder)))


def test_same_tokens_and_states_as_transformers(folder: Path, reference: Transformer):
    assert is_plain_bert(folder)
    own = Bert(folder, MAX_TOKENS)
    ours, theirs = own.tokenize(TEXTS), reference.tokenize(TEXTS)
    for (ids, spans), (their_ids, their_spans) in zip(ours, theirs, strict=True):
        assert ids == their_ids
        assert np.array_equal(spans, their_spans)
    assert max(len(ids) for ids, _ in ours) == MAX_TOKENS
    assert [own.count(text) for text in TEXTS] == [reference.count(text) for text in TEXTS]
    packed, padded = own.states([ids for ids, _ in ours]), reference.states([ids for ids, _ in ours])
    for one, other in zip(packed, padded, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_bfloat16_gives_the_vectors_of_float32(folder: Path):
    """Of the text and of each word, so that an index made with one is searched with the other."""
    exact = Encoder(Bert(folder, MAX_TOKENS), "float32", prompts=PROMPTS)
    quick = Encoder(Bert(folder, MAX_TOKENS, "bfloat16"), "bfloat16", prompts=PROMPTS)
    contexts = ["Un document › Une partie"] * len(TEXTS)
    for one, other in zip(exact.passages(contexts, TEXTS), quick.passages(contexts, TEXTS), strict=True):
        assert np.array_equal(one.spans, other.spans)
        assert other.vector.dtype == other.words.dtype == np.float32
        assert one.vector @ other.vector > 0.9999
        assert ((one.words * other.words).sum(axis=1) > 0.999).all()
    assert exact.query(TEXTS[1]).vector @ quick.query(TEXTS[1]).vector > 0.9999


def test_the_precision_is_the_setting_s_and_an_unknown_one_is_refused(monkeypatch: pytest.MonkeyPatch):
    for precision in ("float32", "bfloat16"):
        bert = load_encoder(Settings(precision=precision))._model
        assert isinstance(bert, Bert)
        assert {layer["up"][0].dtype for layer in bert._layers} == {getattr(torch, precision)}
    monkeypatch.setenv("BOUSSOLE_PRECISION", "int3")
    with pytest.raises(ConfigurationError, match="BOUSSOLE_PRECISION"):
        load_settings()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_text_encoded_among_others_has_the_vector_that_it_has_alone(folder: Path, precision: str):
    encoder = Encoder(Bert(folder, MAX_TOKENS, precision), precision, prompts=PROMPTS)
    atol = {"float32": 1e-5, "bfloat16": 2e-3}[precision]  # a sum's order may change a last bit
    contexts = [f"Document {i}" for i in range(40)]
    texts = [f"{TEXTS[i % len(TEXTS)]} Passage {i}." for i in range(40)]
    told: list[int] = []
    together = encoder.passages(contexts, texts, told.append)
    assert sum(told) == 40
    for i in (0, 3, 4, 17, 39):
        alone = encoder.passages([contexts[i]], [texts[i]])[0]
        np.testing.assert_allclose(together[i].vector, alone.vector, atol=atol)
        np.testing.assert_allclose(together[i].words, alone.words, atol=atol)
        assert np.array_equal(together[i].spans, alone.spans)


def test_a_model_of_another_kind_is_left_to_sentence_transformers(tmp_path: Path):
    assert not is_plain_bert(tmp_path)
    for name in ("model.safetensors", "tokenizer.json"):
        (tmp_path / name).touch()
    (tmp_path / "config.json").write_text('{"model_type": "bert", "hidden_act": "relu"}')
    assert not is_plain_bert(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "xlm-roberta", "hidden_act": "gelu"}')
    assert not is_plain_bert(tmp_path)
