"""What is stored of an encoded chunk: its vector, its content words' in int8, its sentences'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from corpus.chunk import Chunk, sentences
from rag.arrays import to_int8
from rag.generation_writer import ChunkVectors
from rag.lexical import STOP_WORDS, fold

if TYPE_CHECKING:
    from rag.embedding import Encoded


def chunk_vectors(item: Chunk, encoded: Encoded) -> ChunkVectors:
    keep = np.array([_is_content(item.text[a:b]) for a, b in encoded.spans], bool)
    words, scales = to_int8(encoded.words[keep])
    return ChunkVectors(
        encoded.vector,
        encoded.spans[keep],
        words,
        scales,
        sentence_vectors([(s.start, s.end) for s in sentences(item)], encoded),
    )


def sentence_vectors(places: Sequence[tuple[int, int]], encoded: Encoded) -> np.ndarray:
    """Mean of the word vectors of each sentence of an encoded text, which stands from one character to another (late chunking:
    Günther et al., 2024), L2-normalised, shape (s, d)."""
    rows = []
    for start, end in places:
        inside = (encoded.spans[:, 0] >= start) & (encoded.spans[:, 1] <= end)
        rows.append(encoded.words[inside].mean(axis=0) if inside.any() else encoded.vector)
    if not rows:
        return np.zeros((0, len(encoded.vector)), np.float32)
    stacked = np.stack(rows)
    return (stacked / np.maximum(np.linalg.norm(stacked, axis=-1, keepdims=True), 1e-12)).astype(np.float32)


def _is_content(word: str) -> bool:
    return fold(word) not in STOP_WORDS
