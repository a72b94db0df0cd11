"""reading_order: the lines of a page as a person reads them.

Most files set their text in reading order, column after column, so the order of the content stream is kept unless it runs up
and down within one column; only then are bands and columns looked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from corpus.lines import Cell, Line

DISORDER = 0.25  # share of lines set above the one before in their own column
CROSSING = 0.2  # share of lines that may cross a gutter (titles, full-width notes)


def reading_order(lines: Sequence[Line], width: float) -> tuple[Line, ...]:
    if len(lines) < 4 or _disorder(lines) <= DISORDER:
        return tuple(lines)
    gutter = _gutter(lines, width)
    if gutter is None:
        return _top_down(lines)
    bands: list[tuple[list[Line], list[Line]]] = [([], [])]
    ordered: list[Line] = []
    for line in sorted(lines, key=lambda line: (-line.y, line.x0)):
        if line.x0 < gutter - 5 and line.x1 > gutter + 5 and len(line.cells) == 1:
            left, right = bands[-1]
            ordered += [*left, *right, line]
            bands.append(([], []))
        else:
            bands[-1][line.x0 >= gutter - 5].append(line)
    left, right = bands[-1]
    return (*ordered, *left, *right)


def _disorder(lines: Sequence[Line]) -> float:
    ups = sum(
        1
        for a, b in itertools.pairwise(lines)
        if b.y > a.y + 1.5 * b.size and min(a.x1, b.x1) - max(a.x0, b.x0) > 0.3 * min(a.x1 - a.x0, b.x1 - b.x0)
    )
    return ups / len(lines)


def _gutter(lines: Sequence[Line], width: float) -> float | None:
    left = min(line.x0 for line in lines)
    best: tuple[float, float] | None = None
    for step in range(35, 66, 5):
        x = left + (width - 2 * left) * step / 100
        beside = sum(1 for line in lines if line.x0 >= x)
        crossing = sum(1 for line in lines if line.x0 < x - 5 and line.x1 > x + 5) / len(lines)
        if crossing <= CROSSING and beside >= 0.25 * len(lines) and (best is None or crossing < best[0]):
            best = (crossing, x)
    return best[1] if best else None


def _top_down(lines: Sequence[Line]) -> tuple[Line, ...]:
    """By height, lines of one height being joined as the cells of one line."""
    ordered: list[Line] = []
    for line in sorted(lines, key=lambda line: (-line.y, line.x0)):
        last = ordered[-1] if ordered else None
        if last is not None and abs(last.y - line.y) < 0.35 * line.size and line.x0 > last.x0:
            cells: tuple[Cell, ...] = tuple(sorted((*last.cells, *line.cells), key=lambda cell: cell.x0))
            ordered[-1] = Line(cells, last.y, max(last.size, line.size), last.bold and line.bold)
        else:
            ordered.append(line)
    return tuple(ordered)
