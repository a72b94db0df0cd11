"""The embedding model, which gives a vector for a text and one for each of its words.

One pass of the encoder gives the text's vector and its words' vectors (late interaction: Khattab & Zaharia, "ColBERT",
SIGIR 2020), so that a passage and each of its sentences can be compared with a question without another pass.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from corpus.errors import ConfigurationError
from rag.bert import Adapted, Bert, best_precision, is_plain_bert
from rag.e5 import MAX_TOKENS, ensure_model
from rag.settings import DEFAULT_MODEL, Settings

SEEKER = Path(__file__).with_name("seeking.safetensors")  # what `python -m evals.seeking` learned
BATCH = 8  # texts of like length a pass: beyond, nothing is gained on one core
_WORD = re.compile(r"\w+(?:[’'.,]\d+)?|[%€]")


@dataclass(frozen=True)
class Encoded:
    """A text's vector (d,), and for each word its span in the text (w, 2) and its vector (w, d); all L2-normalised. `seeking`:
    of a question, the vector that a sentence which answers it comes near to (d,); None where the model has no such reading."""

    vector: np.ndarray
    spans: np.ndarray
    words: np.ndarray
    seeking: np.ndarray | None = None


class Model(Protocol):
    """What an encoder needs of a model: texts → tokens with their spans → hidden states."""

    dimensions: int

    def count(self, text: str) -> int: ...

    def tokenize(self, texts: Sequence[str]) -> list[tuple[list[int], np.ndarray]]: ...

    def states(self, ids: Sequence[Sequence[int]]) -> list[np.ndarray]: ...


class Encoder:
    """Texts → vectors. `name` identifies the model in an index; `prompts` come before a question and a passage.

    Each pass runs on one core and `threads` passes run side by side: cores that share one pass wait for each other at every
    layer, which on a busy machine takes ten times as long (docs/adr/0060-encoder.md).
    """

    def __init__(
        self,
        model: Model,
        name: str,
        threads: int = 0,
        prompts: tuple[str, str] = ("", ""),
        seeker: Adapted | None = None,
    ) -> None:
        """`seeker`: the model beside itself as trained to read a question by what would answer it (docs/adr/0009-seeking.md)."""
        self.name = name
        self.threads = threads or os.cpu_count() or 1
        self.dimensions = model.dimensions
        self._model = model
        self._seeker = seeker
        self._query_prompt, self._passage_prompt = prompts

    def count_tokens(self, text: str) -> int:
        return self._model.count(text)

    def question_tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of questions, as they are encoded."""
        return [ids for ids, _ in self._model.tokenize([self._query_prompt + text for text in texts])]

    def passages(
        self, contexts: Sequence[str], texts: Sequence[str], done: Callable[[int], None] = lambda _: None
    ) -> list[Encoded]:
        """Encode texts, each with its context before it; words and spans are those of the text alone."""
        order = sorted(range(len(texts)), key=lambda i: len(contexts[i]) + len(texts[i]), reverse=True)
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]

        def encode(batch: Sequence[int]) -> list[Encoded]:
            prefixes = [f"{self._passage_prompt}{contexts[i]}\n" for i in batch]
            return self._encode(prefixes, [texts[i] for i in batch])

        found: dict[int, Encoded] = {}
        with ThreadPoolExecutor(self.threads, "encode") as pool:
            for batch, encoded in zip(batches, pool.map(encode, batches), strict=True):
                found.update(zip(batch, encoded, strict=True))
                done(len(batch))
        return [found[i] for i in range(len(texts))]

    def query(self, text: str) -> Encoded:
        return self.queries([text])[0]

    def queries(self, texts: Sequence[str]) -> list[Encoded]:
        """Several together, in less than the time of each alone."""
        return self._encode([self._query_prompt] * len(texts), texts, self._seeker)

    def _encode(self, prefixes: Sequence[str], texts: Sequence[str], seeker: Adapted | None = None) -> list[Encoded]:
        _use_one_thread()
        tokenized = self._model.tokenize([prefix + text for prefix, text in zip(prefixes, texts, strict=True)])
        ids = [ids for ids, _ in tokenized]
        states, changed = seeker.readings(ids) if seeker else (self._model.states(ids), None)
        sought = [normalise(tokens.mean(axis=0)) for tokens in changed] if changed else [None] * len(ids)
        encoded = []
        for prefix, text, (_, offsets), tokens, seeking in zip(prefixes, texts, tokenized, states, sought, strict=True):
            spans, words = _words(text, len(prefix), offsets, tokens)
            encoded.append(Encoded(normalise(tokens.mean(axis=0)), spans, words, seeking))
        return encoded


class Transformer:
    """Any other model that LlamaIndex's HuggingFaceEmbedding opens, through sentence-transformers."""

    def __init__(self, embedding: Any) -> None:
        self._transformer = embedding._model[0]
        self._tokenizer = self._transformer.tokenizer
        self.dimensions = int(embedding._model.get_embedding_dimension())

    def count(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def tokenize(self, texts: Sequence[str]) -> list[tuple[list[int], np.ndarray]]:
        found = self._tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS, return_offsets_mapping=True)
        pairs = zip(found["input_ids"], found["offset_mapping"], strict=True)
        return [(list(ids), np.array(offsets, np.int64).reshape(-1, 2)) for ids, offsets in pairs]

    def states(self, ids: Sequence[Sequence[int]]) -> list[np.ndarray]:
        import torch

        batch = self._tokenizer.pad({"input_ids": [list(one) for one in ids]}, return_tensors="pt")
        with torch.inference_mode():
            found = self._transformer.auto_model(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
            ).last_hidden_state.numpy()
        return [states[: len(one)] for states, one in zip(found, ids, strict=True)]


def _use_one_thread() -> None:
    import torch

    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)


def _words(text: str, shift: int, offsets: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each word's tokens; words beyond the model's window are left out."""
    spans, vectors = [], []
    starts, ends = offsets[:, 0], offsets[:, 1]
    for match in _WORD.finditer(text):
        a, b = match.start() + shift, match.end() + shift
        covering = np.nonzero((starts < b) & (ends > a) & (ends > starts))[0]
        if len(covering):
            spans.append(match.span())
            vectors.append(tokens[covering].mean(axis=0))
    if not vectors:
        return np.zeros((0, 2), np.int32), np.zeros((0, tokens.shape[1]), np.float32)
    return np.array(spans, np.int32), normalise(np.stack(vectors))


def normalise(vectors: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(norms, 1e-12)).astype(np.float32)


def load_encoder(settings: Settings, say: Callable[[str], None] = lambda _: None) -> Encoder:
    """The configured model, from the cache, a directory or the hub. Raises ConfigurationError where it can't be had."""
    name = settings.embedding_model
    if name == DEFAULT_MODEL:
        source = str(ensure_model(settings.cache, say))
        os.environ.setdefault("HF_HUB_OFFLINE", "1")  # the default model is local: nothing may be asked of a hub
    else:
        source = name
    e5 = "e5" in Path(name).name.lower()
    prompts = ("query: ", "passage: ") if e5 else ("", "")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        if is_plain_bert(Path(source)):
            precision = best_precision() if settings.precision == "auto" else settings.precision
            bert = Bert(Path(source), MAX_TOKENS, precision)
            seeker = Adapted(bert, SEEKER) if name == DEFAULT_MODEL and SEEKER.exists() else None
            return Encoder(bert, name, settings.threads, prompts, seeker)
        return Encoder(Transformer(llama_index_embedding(source)), name, settings.threads, prompts)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigurationError(
            f"Le modèle de langue « {name} » ne s'ouvre pas. Vérifiez BOUSSOLE_EMBEDDING_MODEL et la connexion, "
            "ou retirez ce réglage pour le modèle par défaut."
        ) from error


def llama_index_embedding(source: str) -> Any:
    """The model as LlamaIndex's own embedding, with E5's prompts where it is one: to use it in a pipeline of one's own."""
    import llama_index.core  # noqa: F401 — whole before any part of it: another thread may be importing it
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    if not sys.stderr.isatty():  # progress bars are for terminals
        from transformers.utils import logging

        logging.disable_progress_bar()
    e5 = "e5" in Path(source).name.lower()
    return HuggingFaceEmbedding(
        model_name=source,
        query_instruction="query: " if e5 else None,
        text_instruction="passage: " if e5 else None,
        device="cpu",
        embed_batch_size=BATCH,
    )
