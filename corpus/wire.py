"""A Document as JSON and back: how the reading child hands it over.

JSON and not pickle: the child has handled a file that anyone may have made, and loading a pickle can run code.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from corpus.document import Block, Document, DocumentMetadata, Page, PageFailure


def to_wire(document: Document) -> dict[str, Any]:
    """What `json.dumps` can write; a file name that isn't UTF-8 keeps its bytes as lone surrogates."""
    return {**asdict(document), "path": str(document.path)}


def from_wire(data: dict[str, Any]) -> Document:
    """The Document of `to_wire`. Raises KeyError or TypeError where `data` has another shape."""
    return Document(
        id=data["id"],
        path=Path(data["path"]),
        sha256=data["sha256"],
        metadata=DocumentMetadata(**{**data["metadata"], "authors": tuple(data["metadata"]["authors"])}),
        pages=tuple(_page(page) for page in data["pages"]),
        failures=tuple(PageFailure(**failure) for failure in data["failures"]),
    )


def _page(data: dict[str, Any]) -> Page:
    blocks = tuple(Block(**{**block, "section": tuple(block["section"])}) for block in data["blocks"])
    return Page(**{**data, "blocks": blocks, "links": tuple(data["links"])})
