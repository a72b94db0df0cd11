"""What a build did, and why it may have done nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from corpus.errors import ReadError
from rag.generation import Generation
from rag.sources import FileFailure, Plan


@dataclass(frozen=True)
class Replaced:
    """A file left out of answers because a newer version of it is there."""

    path: str
    title: str
    date: str | None
    by: str  # id of the newer document
    by_title: str
    by_date: str | None
    sha256: str
    by_sha256: str


@dataclass(frozen=True)
class IndexReport:
    """What `boussole index` did; `generation` is the published one."""

    generation: str
    published: bool  # False: nothing had changed
    documents: int
    pages: int
    chunks: int
    embedded: int
    reused: int
    failures: tuple[FileFailure, ...] = ()
    page_failures: tuple[FileFailure, ...] = ()
    skipped: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    superseded: tuple[Replaced, ...] = ()
    repaired: bool = False  # the published generation was damaged, and everything was built again
    seconds: float = 0.0


class NothingRead(ReadError):
    """No file could be read, so that nothing is published; `failures` says why of each."""

    code = "no_document"

    def __init__(self, failures: Sequence[FileFailure]) -> None:
        shown = " ; ".join(f.message for f in failures[:3])
        super().__init__(f"Aucun document n'a pu être lu ({len(failures)} refusé(s)). {shown}")
        self.failures = tuple(failures)


def unchanged(previous: Generation, planned: Plan, started: float) -> IndexReport:
    """What is said of a build that had nothing to do: the published generation is already what the sources give."""
    kept = previous.manifest
    return IndexReport(
        generation=previous.name,
        published=False,
        **kept["counts"],
        embedded=0,
        reused=kept["counts"]["chunks"],
        failures=(*planned.failures, *(FileFailure(**f) for f in kept["failures"])),
        page_failures=tuple(FileFailure(**f) for f in kept["page_failures"]),
        skipped=planned.skipped,
        duplicates=planned.duplicates,
        superseded=tuple(Replaced(**r) for r in kept.get("superseded", ())),
        seconds=round(time.perf_counter() - started, 3),
    )
