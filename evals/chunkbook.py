"""The chunks of an index, to see whether the chunker kept each reference's evidence, and in which passages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evals.anchors import Anchor
from evals.matching import squash
from evals.ranking import passage_key
from rag.generation import Generation


@dataclass(frozen=True)
class ChunkBook:
    """For each document, its chunks in reading order: (passage key, squashed text)."""

    chunks: dict[str, list[tuple[str, str]]]
    joined: dict[str, str]

    @classmethod
    def of(cls, generation: Generation) -> ChunkBook:
        chunks: dict[str, list[tuple[str, str]]] = {}
        for row in range(len(generation)):
            chunk = generation.chunk(row)
            key = passage_key(chunk.document_id, chunk.text)
            chunks.setdefault(chunk.document_id, []).append((key, squash(chunk.text)))
        return cls(chunks, {d: "".join(text for _, text in parts) for d, parts in chunks.items()})

    def relevant(self, anchors: Iterable[Anchor]) -> frozenset[str]:
        """Keys of the passages that hold a whole piece of evidence."""
        found = set()
        for anchor in anchors:
            wanted = squash(anchor.evidence)
            for document_id in {spot[0] for spot in anchor.spots}:
                found |= {key for key, text in self.chunks.get(document_id, []) if wanted in text}
        return frozenset(found)

    def keeps(self, anchors: Iterable[Anchor]) -> float | None:
        """Share of the evidence that stands on a page and is in the chunks too; None where none stands on a page."""
        kept = []
        for anchor in anchors:
            if anchor.state in ("here", "moved"):
                wanted = squash(anchor.evidence)
                documents = {spot[0] for spot in anchor.spots}
                kept.append(any(self._holds(wanted, d) for d in documents))
        return sum(kept) / len(kept) if kept else None

    def _holds(self, wanted: str, document_id: str) -> bool:
        joined = self.joined.get(document_id, "")
        if wanted in joined:
            return True
        # a sentence that notes or a table interrupt: each half must still be there
        middle = len(wanted) // 2
        return (
            len(wanted) > 40
            and any(wanted[:cut] in joined and wanted[cut:] in joined for cut in range(20, len(wanted) - 19))
            if middle
            else False
        )
