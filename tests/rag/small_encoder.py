"""An encoder of a few lines that speaks the real one's protocol, for tests of the index's life: loading and running the real
model would take nearly all of the time, and a process killed at random would hardly ever be killed while it writes.

`python tests/rag/small_encoder.py SOURCE INDEX` builds an index with it, in a process that can be killed.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np

from rag.embedding import Encoded, Encoder
from rag.index import IndexReport, build

MODEL = "small"
DIMENSIONS = 32


@cache
def vector(text: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(text.lower().encode()).digest()[:4], "big")
    found = np.random.default_rng(seed).standard_normal(DIMENSIONS)
    return (found / np.linalg.norm(found)).astype(np.float32)


class SmallEncoder:
    """Each word has a vector made from its hash; a text has their mean."""

    name = MODEL
    dimensions = DIMENSIONS

    def __init__(self) -> None:
        self.encoded = 0

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def passages(
        self, contexts: Sequence[str], texts: Sequence[str], done: Callable[[int], None] = lambda _: None
    ) -> list[Encoded]:
        found = [self.query(text) for text in texts]
        self.encoded += len(texts)
        done(len(texts))
        return found

    def queries(self, texts: Sequence[str]) -> list[Encoded]:
        return [self.query(text) for text in texts]

    def query(self, text: str) -> Encoded:
        spans = [m.span() for m in re.finditer(r"\w+", text)] or [(0, len(text))]
        words = np.stack([vector(text[a:b]) for a, b in spans])
        mean = words.mean(axis=0)
        return Encoded((mean / np.linalg.norm(mean)).astype(np.float32), np.array(spans, np.int32), words)


def small_build(
    sources: Sequence[Path], index: Path, encoder: SmallEncoder | None = None, **options: Any
) -> IndexReport:
    encoder = encoder or SmallEncoder()
    options.setdefault("model", MODEL)
    return build(sources, index, lambda: cast(Encoder, encoder), **options)


if __name__ == "__main__":
    print("ready", flush=True)
    report = small_build([Path(sys.argv[1])], Path(sys.argv[2]))
    print(report.generation)
