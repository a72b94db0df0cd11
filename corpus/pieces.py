"""Pieces: consecutive lines of a page that belong together, before it is known what they are."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from corpus.lines import Line, squeeze, text_width

Break = Literal["same", "gap", "jump"]  # next line below; after a blank; in another column or place
GAP = 1.38  # of the page's usual line pitch
BULLET = re.compile(
    r"^(?:[>»•▪‣○–—*+·~]|[-=](?=\s)|[oèØü§Þ](?=\s)|[a-h]\)|\(?\d{1,2}[.)](?!\d)|[.](?=\s\w)|«(?=[^»]{0,60}$))\s*(?=\S)"
)
SECTION = re.compile(r"^(?:\d{1,2}\.){2,5}\d{0,2}\s+[A-ZÀ-Ý]")  # « 1.2.3 Former en interne »
NUMBERED = re.compile(r"^\(?(\d{1,2})[.)]\s")
ENDED = re.compile(r"[.!?…:;][\s»\"”)\]]*(?:\W?\d{1,3})?$")
BORDER = re.compile(r"^(?:[|]|[IL](?=\s+[A-Z|*]))\s+|\s*[|]$")
LEADERS = re.compile(r"\s*(?:[.·…_]\s?){4,}\s*")
TITLE_SIZE = 1.15  # of the body's size
RULE = re.compile(r"^(?:\S?\s?[-—–_/=.]\s?){6,}")


@dataclass(frozen=True)
class Placed:
    """A line with how it follows the one before."""

    line: Line
    brk: Break
    column: float  # width of the column it stands in, points

    @property
    def width(self) -> float:
        return self.line.x1 - self.line.x0

    @property
    def text(self) -> str:
        return self.line.text


@dataclass(frozen=True)
class Piece:
    """Lines that belong together; `grid`: the rows of a table that was found by its places instead."""

    lines: tuple[Placed, ...]
    bullet: bool = False
    grid: tuple[str, ...] = ()
    quality: float = 1.0  # of the grid

    @property
    def text(self) -> str:
        return squeeze(" ".join(line.text for line in self.lines))

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(line.text for line in self.lines)

    @property
    def brk(self) -> str:
        return self.lines[0].brk if self.lines else "gap"

    @property
    def size(self) -> float:
        return max((line.line.size for line in self.lines), default=0.0)

    @property
    def bold(self) -> bool:
        return all(line.line.bold for line in self.lines)


@dataclass(frozen=True)
class Measures:
    """What is usual on a page."""

    pitch: float
    size: float
    width: float  # of a column of text, points
    left: float


def measure(lines: Sequence[Line]) -> Measures:
    long = [line for line in lines if len(line.text) > 30] or list(lines)
    size = _usual([line.size for line in long for _ in range(1 + len(line.text) // 10)], default=10.0)
    steps = [a.y - b.y for a, b in itertools.pairwise(lines) if 0.3 * size < a.y - b.y < 3.0 * size]
    pitch = _usual([round(step, 1) for step in steps], default=1.2 * size)
    if _fitted(long):
        size = max(line.size for line in long)
    widths = sorted(text_width(line.text, line.size) for line in long)
    return Measures(
        pitch, size, widths[int(0.75 * (len(widths) - 1))] if widths else 200.0, min((x.x0 for x in long), default=0)
    )


def _fitted(long: Sequence[Line]) -> bool:
    """Whether each line was set in the size that fills its column (text laid over a scan): sizes then say nothing."""
    sizes = [round(line.size, 1) for line in long]
    return len(sizes) >= 8 and max(map(sizes.count, sizes)) < 0.4 * len(sizes) and len(set(sizes)) >= 5


def _usual(values: Sequence[float], default: float) -> float:
    """The lower of mode and median: blanks between short lines must not pass for the pitch of the text."""
    if not values:
        return default
    mode = max(set(values), key=lambda value: (values.count(value), value))
    return min(mode, median(values)) if mode > 0 else default


def place(lines: Sequence[Line], usual: Measures) -> tuple[Placed, ...]:
    placed: list[Placed] = []
    previous: Line | None = None
    skipped = False
    for index, line in enumerate(lines):
        if not any(map(str.isalnum, line.text)) or RULE.match(line.text):
            skipped = True
            continue
        brk = _break(previous, line, usual)
        column = _column(lines, index, usual)
        placed.append(Placed(line, "gap" if skipped and brk == "same" else brk, column))
        previous, skipped = line, False
    return tuple(placed)


def _column(lines: Sequence[Line], index: int, usual: Measures) -> float:
    """The usual width of the long lines around that start at the same place."""
    here = lines[index]
    near = (line for line in lines[max(0, index - 9) : index + 10] if abs(line.x0 - here.x0) < 0.4 * usual.size)
    widths = sorted(line.x1 - line.x0 for line in near if len(line.text) > 30)
    return widths[int(0.75 * (len(widths) - 1))] if len(widths) >= 3 else min(usual.width, *(widths or [usual.width]))


def _break(previous: Line | None, line: Line, usual: Measures) -> Break:
    if previous is None:
        return "jump"
    step = previous.y - line.y
    if step <= 0.3 * min(previous.size, line.size) or step > 12 * usual.pitch:
        return "jump"
    if line.x0 > previous.x1 + 2 * usual.size or previous.x0 > line.x1 + 2 * usual.size:
        return "jump"
    pitch = max(usual.pitch, min(1.2 * max(previous.size, line.size), 2 * usual.pitch))
    return "gap" if step > GAP * pitch else "same"


def ended(text: str) -> bool:
    """Whether `text` ends as a sentence does."""
    return bool(ENDED.search(text))


def starts_low(text: str) -> bool:
    """Whether `text` starts as the rest of a sentence: lower case, or an elision that OCR turned into capitals."""
    stripped = text.lstrip("«\"“(' ’‘")
    return bool(stripped) and (stripped[0].islower() or bool(re.match(r"[I1l]['’]\s?\w", stripped)))
