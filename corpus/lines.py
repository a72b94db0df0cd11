"""Span and Line: text with its place on the page, between the file reader and the layout.

Coordinates are points in the page's own upright frame: x to the right, y upwards. Widths are estimated from the text, since
pypdf tells where a run of glyphs starts and not where it ends; they are good to some 10 %.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

NARROW = frozenset("iljtfrI.,;:'’!|()[]/ -")
WIDE = frozenset("mwMWQOGœŒ@%—…")
SAME_BASELINE = 0.35  # of the type size: what sub- and superscripts move by
CALL = re.compile(r"^\d{1,3}(?:[ ,]+\d{1,3})*$")
CALL_SIZE = 0.8  # of the line's type size: the largest that a raised call is set in
SUPERIOR_ADVANCE = 0.4  # of the type size: a superior figure advances by about 0.3, a plain one by 0.45 to 0.6
CELL_GAP = 1.6  # of the type size: wider than any space between words of justified text


@dataclass(frozen=True)
class Span:
    """A run of glyphs as the file sets it."""

    text: str
    x: float
    y: float
    size: float
    bold: bool = False
    rank: int = 0  # place in the content stream

    @property
    def x1(self) -> float:
        return self.x + text_width(self.text, self.size)


@dataclass(frozen=True)
class Cell:
    """A part of a line set apart from the rest by a wide gap."""

    text: str
    x0: float
    x1: float
    runs: tuple[tuple[float, str], ...] = ()  # what it was joined from: where each begins, and its text


@dataclass(frozen=True)
class Line:
    cells: tuple[Cell, ...]
    y: float
    size: float
    bold: bool = False
    raised: bool = False  # it opens with a raised call, as notes do

    @property
    def text(self) -> str:
        return " ".join(cell.text for cell in self.cells)

    @property
    def x0(self) -> float:
        return self.cells[0].x0

    @property
    def x1(self) -> float:
        return max(cell.x1 for cell in self.cells)


def text_width(text: str, size: float) -> float:
    """Estimated width in points of `text` set in a proportional face of `size`."""
    units = sum(
        0.3 if char in NARROW else 0.85 if char in WIDE else 0.66 if char.isupper() else 0.52 for char in text.rstrip()
    )
    return units * size


def lines(spans: Iterable[Span]) -> tuple[Line, ...]:
    """Join spans that stand on one baseline and follow each other; the order of the content stream is kept."""
    groups: list[list[Span]] = []
    for span in spans:
        if not span.text.strip():
            if groups and span.text:
                last = groups[-1][-1]
                if same_baseline(last, span) and not last.text.endswith(" ") and abs(span.x - last.x1) < span.size:
                    groups[-1][-1] = Span(last.text + " ", last.x, last.y, last.size, last.bold, last.rank)
            continue
        if groups and _follows(groups[-1][-1], span):
            groups[-1].append(span)
        else:
            groups.append([span])
    notes = frozenset(group[0].text.strip() for group in groups if _opens_note(group))
    return tuple(line for group in groups if (line := _line(group, notes)) is not None)


def same_baseline(a: Span, b: Span) -> bool:
    return abs(a.y - b.y) <= SAME_BASELINE * max(a.size, b.size)


def _follows(previous: Span, span: Span) -> bool:
    broken = previous.text.endswith("\n") and abs(previous.y - span.y) > 0.5
    return not broken and same_baseline(previous, span) and span.x >= previous.x - 0.1 * span.size


def _line(spans: Sequence[Span], notes: Collection[str]) -> Line | None:
    """The line of `spans`; `notes`: the calls of the page's notes, as far as they are raised."""
    cells: list[Cell] = []
    main = _main_size(spans)
    raised = _opens_note(spans)
    for i, span in enumerate(spans):
        following = spans[i + 1] if i + 1 < len(spans) else None
        if i and is_call(spans[i - 1], span, following, main, notes):
            continue
        text = span.text.replace("\n", " ")
        if i == 0 and raised:
            text = f"{text} "
        if cells and span.x - cells[-1].x1 < CELL_GAP * span.size:
            last = cells.pop()
            cells.append(Cell(last.text + text, last.x0, max(last.x1, span.x1), (*last.runs, (span.x, text))))
        else:
            cells.append(Cell(text, span.x, span.x1, ((span.x, text),)))
    clean = tuple(Cell(tidy, cell.x0, cell.x1, cell.runs) for cell in cells if (tidy := squeeze(cell.text)))
    if not clean:
        return None
    weight = sum(len(span.text) for span in spans if span.bold)
    return Line(clean, median(s.y for s in spans), main, weight * 2 > sum(len(s.text) for s in spans), raised)


def is_call(
    previous: Span, span: Span, following: Span | None, main: float, notes: Collection[str] = frozenset()
) -> bool:
    """Whether a span is a note's call: figures right after a word, small and raised, or set with narrow raised glyphs of
    the same size (OpenType superiors). Powers (m², km²) follow one or two letters and stay.

    At a line's end nothing shows how far such a glyph advances: it is a call if one of the page's `notes` has its number."""
    if not CALL.match(span.text.strip()):
        return False
    after_word = re.search(r"[^\W\d_]{3,}[»).,]*$", previous.text) is not None
    after_year = re.search(r"\b(?:19|20)\d\d[»).,]*$", previous.text) is not None
    if span.size <= CALL_SIZE * main and span.y >= previous.y + 0.05 * main:
        return after_word or previous.text.rstrip().endswith(("»", ")", ".", "%"))
    if not (after_word or after_year):
        return False
    return span.text.strip() in notes if following is None else _is_superior(span, following)


def _opens_note(spans: Sequence[Span]) -> bool:
    """Whether a line starts with a raised call, which stands right before the note's first word."""
    if len(spans) < 2:
        return False
    span, following, main = spans[0], spans[1], _main_size(spans)
    if not re.fullmatch(r"\d{1,3}", span.text.strip()) or span.text.endswith(" ") or not following.text[:1].isalpha():
        return False
    return span.size <= CALL_SIZE * main or _is_superior(span, following)


def _is_superior(span: Span, following: Span) -> bool:
    advance = (following.x - span.x) / (len(span.text.rstrip()) * span.size)
    return 0 < advance < SUPERIOR_ADVANCE


def _main_size(spans: Sequence[Span]) -> float:
    return max(spans, key=lambda span: len(span.text.strip())).size


def squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
