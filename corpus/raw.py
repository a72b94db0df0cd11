"""RawDocument and RawPage: what a file reader hands to the layout, whatever the format."""

from __future__ import annotations

from dataclasses import dataclass

from corpus.document import PageFailure
from corpus.lines import Line


@dataclass(frozen=True)
class RawPage:
    number: int
    label: str | None  # printed number, where the file says it
    width: float
    height: float
    raw_text: str
    lines: tuple[Line, ...]
    links: tuple[str, ...] = ()
    has_images: bool = False


@dataclass(frozen=True)
class RawDocument:
    pages: tuple[RawPage, ...]
    failures: tuple[PageFailure, ...] = ()
    title: str | None = None
    authors: tuple[str, ...] = ()
    date: str | None = None
