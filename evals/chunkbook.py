"""The chunks of an index, to see whether the chunker kept each reference's evidence, and in which passages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from evals.anchors import Anchor, PageBook
from evals.matching import squash
from evals.ranking import passage_key
from rag.answer import Passage
from rag.generation import Generation

CUT = 20  # letters and digits: a sentence that notes or a table interrupt keeps at least this much on either side


@dataclass(frozen=True)
class Cut:
    """One chunk: its key, its pages, its text squashed."""

    key: str
    page: int
    page_end: int
    text: str


@dataclass(frozen=True)
class ChunkBook:
    """For each document, its chunks in reading order."""

    chunks: dict[str, list[Cut]]

    @classmethod
    def of(cls, generation: Generation) -> ChunkBook:
        chunks: dict[str, list[Cut]] = {}
        for row in range(len(generation)):
            chunk = generation.chunk(row)
            cut = Cut(passage_key(chunk.document_id, chunk.text), chunk.page, chunk.page_end, squash(chunk.text))
            chunks.setdefault(chunk.document_id, []).append(cut)
        return cls(chunks)

    @cached_property
    def joined(self) -> dict[str, str]:
        return {d: "".join(cut.text for cut in cuts) for d, cuts in self.chunks.items()}

    def relevant(self, anchors: Iterable[Anchor]) -> frozenset[str]:
        """Keys of the chunks that hold a whole piece of evidence."""
        found = set()
        for anchor in anchors:
            wanted = squash(anchor.evidence)
            for document_id in {spot[0] for spot in anchor.spots}:
                found |= {cut.key for cut in self.chunks.get(document_id, []) if wanted in cut.text}
        return frozenset(found)

    def unfolded(self, passages: Sequence[Passage]) -> list[str]:
        """Keys of the chunks that passages show, best first, each once: neighbours may have been joined in one passage."""
        return list(dict.fromkeys(key for passage in passages for key in self._shown(passage)))

    def _shown(self, passage: Passage) -> Iterator[str]:
        key, text = passage_key(passage.document_id, passage.text), squash(passage.text)
        near = [
            cut
            for cut in self.chunks.get(passage.document_id, [])
            if cut.page <= passage.page_end and cut.page_end >= passage.page
        ]
        found = [cut.key for cut in near if cut.key == key] or [
            cut.key for cut in near if cut.text and cut.text in text
        ]
        yield from found or [key]

    def keeps(self, anchors: Iterable[Anchor]) -> float | None:
        """Share of the evidence that stands on a page and is in the chunks too; None where none stands on a page."""
        kept = []
        for anchor in anchors:
            if anchor.state in ("here", "moved"):
                wanted = squash(anchor.evidence)
                kept.append(any(_holds(self.joined.get(d, ""), wanted) for d in {spot[0] for spot in anchor.spots}))
        return sum(kept) / len(kept) if kept else None

    def indexed(self, document_id: str, book: PageBook) -> float:
        """Letters and digits of a document's chunks over those of its pages: 1 where nothing was lost on the way."""
        on_pages = sum(len(book.squashed[spot]) for spot in book.by_document.get(document_id, []))
        return len(self.joined.get(document_id, "")) / on_pages if on_pages else 1.0


def _holds(joined: str, wanted: str) -> bool:
    if wanted in joined:
        return True
    # a sentence that notes or a table interrupt: each part must still be there
    cuts = range(CUT, len(wanted) - CUT + 1)
    return any(wanted[:cut] in joined and wanted[cut:] in joined for cut in cuts)
