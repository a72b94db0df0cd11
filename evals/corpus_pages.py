"""The pages of an index opened without the model: enough to check references and to draft questions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evals.anchors import PageBook
from rag.answer import DocumentInfo, PageText
from rag.generation import Generation


class Opened:
    """A generation in the form that PageBook reads."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation

    @property
    def documents(self) -> list[DocumentInfo]:
        return list(self._generation.documents.values())

    def page(self, document_id: str, number: int) -> PageText | None:
        return self._generation.page(document_id, number)


@contextmanager
def opened(index: Path) -> Iterator[tuple[Generation, PageBook]]:
    """The published generation and its page texts. Raises IndexMissing, IndexMismatch, IndexDamaged."""
    generation = Generation.open_published(index)
    try:
        yield generation, PageBook.of(Opened(generation))
    finally:
        generation.close()
