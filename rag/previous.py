"""What a build may take from the published generation."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path

from corpus import ocr
from corpus.chunk import ChunkSettings
from corpus.errors import IndexDamaged, IndexMismatch, IndexMissing
from rag.generation import Generation


def open_previous(index: Path, stack: ExitStack) -> tuple[Generation | None, bool]:
    """The published generation, to take from (None where there is none that this program can read), and whether it is
    damaged."""
    try:
        generation = Generation.open_published(index)
    except IndexDamaged:
        return None, True
    except (IndexMissing, IndexMismatch):
        return None, False
    stack.enter_context(closing(generation))
    return generation, False


def has_failures(previous: Generation) -> bool:
    return bool(previous.manifest["failures"] or previous.manifest["page_failures"])


def to_read_again(previous: Generation, retry: bool) -> set[str]:
    """Documents with failed pages that may be read today: all with `retry`, the scanned ones where OCR is new."""
    new_ocr = ocr.available() and not previous.manifest.get("ocr", False)
    codes = {f["message"]: f["code"] for f in previous.manifest["page_failures"]}
    found = set()
    for identifier in previous.documents:
        failed = [codes.get(message, "corrupt") for message in previous.document_failures(identifier)]
        if failed and (retry or (new_ocr and "no_text" in failed)):
            found.add(identifier)
    return found


def made_alike(previous: Generation, chunking: ChunkSettings, reader: int) -> bool:
    """Whether its files were read and cut as they would be today."""
    made: tuple[object, object] = (previous.manifest["reader"], previous.manifest["chunking"])
    return made == (reader, asdict(chunking))
