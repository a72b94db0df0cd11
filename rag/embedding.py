"""The embedding model: LlamaIndex's HuggingFaceEmbedding, which also gives a vector for each word of a text.

One pass of the encoder gives the text's vector and its words' vectors (late interaction: Khattab & Zaharia, "ColBERT",
SIGIR 2020), so that a passage and each of its sentences can be compared with a question without another pass.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import ConfigurationError
from rag.e5 import MAX_TOKENS, ensure_model
from rag.settings import DEFAULT_MODEL, Settings

BATCH = 4  # on 2 cores, small batches of texts of like length lose the least to padding (see ../shared/MODELS.md)
_WORD = re.compile(r"\w+(?:[’'.,]\d+)?|[%€]")


@dataclass(frozen=True)
class Encoded:
    """A text's vector (d,), and for each word its span in the text (w, 2) and its vector (w, d); all L2-normalised."""

    vector: np.ndarray
    spans: np.ndarray
    words: np.ndarray


class Encoder:
    """Texts → vectors. `embedding` is the LlamaIndex object; `name` identifies the model in an index."""

    def __init__(self, embedding: Any, name: str) -> None:
        self.embedding = embedding
        self.name = name
        self._transformer = embedding._model[0]
        self._tokenizer = self._transformer.tokenizer
        self.dimensions = int(embedding._model.get_embedding_dimension())

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def passages(
        self, contexts: Sequence[str], texts: Sequence[str], done: Callable[[int], None] = lambda _: None
    ) -> list[Encoded]:
        """Encode texts, each with its context before it; words and spans are those of the text alone."""
        order = sorted(range(len(texts)), key=lambda i: len(contexts[i]) + len(texts[i]))
        found: dict[int, Encoded] = {}
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            prefixes = [f"{self._prompt('text')}{contexts[i]}\n" for i in batch]
            for i, encoded in zip(batch, self._encode(prefixes, [texts[i] for i in batch]), strict=True):
                found[i] = encoded
            done(len(batch))
        return [found[i] for i in range(len(texts))]

    def query(self, text: str) -> Encoded:
        return self._encode([self._prompt("query")], [text])[0]

    def _prompt(self, kind: str) -> str:
        return str(getattr(self.embedding, f"{kind}_instruction", "") or "")

    def _encode(self, prefixes: Sequence[str], texts: Sequence[str]) -> list[Encoded]:
        import torch

        whole = [prefix + text for prefix, text in zip(prefixes, texts, strict=True)]
        batch = self._tokenizer(
            whole,
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        offsets = batch.pop("offset_mapping").numpy()
        mask = batch["attention_mask"].numpy()
        with torch.inference_mode():
            states = self._transformer.auto_model(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
            ).last_hidden_state.numpy()
        encoded = []
        for row, (prefix, text) in enumerate(zip(prefixes, texts, strict=True)):
            length = int(mask[row].sum())
            tokens = states[row, :length]
            vector = normalise(tokens.mean(axis=0))
            spans, words = _words(text, len(prefix), offsets[row, :length], tokens)
            encoded.append(Encoded(vector, spans, words))
        return encoded


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
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    if not sys.stderr.isatty():  # progress bars are for terminals
        from transformers.utils import logging

        logging.disable_progress_bar()
    torch.set_num_threads(settings.threads or os.cpu_count() or 1)
    e5 = "e5" in Path(name).name.lower()
    try:
        embedding = HuggingFaceEmbedding(
            model_name=source,
            query_instruction="query: " if e5 else None,
            text_instruction="passage: " if e5 else None,
            device="cpu",
            embed_batch_size=BATCH,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigurationError(
            f"Le modèle de langue « {name} » ne s'ouvre pas. Vérifiez BOUSSOLE_EMBEDDING_MODEL et la connexion, "
            "ou retirez ce réglage pour le modèle par défaut."
        ) from error
    return Encoder(embedding, name)
