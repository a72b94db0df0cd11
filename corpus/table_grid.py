"""Rows from lines whose cells stand in columns: tables whose places on the page are known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from corpus.joining import join_lines
from corpus.lines import Cell, Line, squeeze

SNAP = 9.0  # points: cells that start this near each other are of one column
AT = 1.0  # point: a run that begins this near a column's edge begins a cell
SHARED = 2  # lines that have a cell there make it a column's edge
FEWEST_ROWS = 3
MARK = re.compile(r"[-–—•▪*>]|(?:\d{1,2}\.){1,5}\d{0,2}|\d{1,2}\)|[a-z]\)")  # that stands before an item
HEADING = 1.13  # of the table's size: what is larger heads another part of the page


@dataclass(frozen=True)
class Grid:
    """Lines [start, end) of the page's lines are a table."""

    start: int
    end: int
    rows: tuple[str, ...]
    quality: float = 0.9


def find_grids(lines: Sequence[Line], pitch: float) -> tuple[Grid, ...]:
    """Runs of lines in which several hold aligned cells."""
    lines = [_with_its_mark(line) for line in lines]
    grids: list[Grid] = []
    index = 0
    while index < len(lines):
        end = _extent(lines, index, pitch)
        rows = _rows(lines[index:end]) if end - index >= FEWEST_ROWS else None
        if rows is None:
            index += 1
        else:
            grids.append(Grid(index, end, rows))
            index = end
    return tuple(grids)


def _with_its_mark(line: Line) -> Line:
    """A bullet or a number set apart from what it stands before is no cell of a table."""
    if len(line.cells) < 2 or not MARK.fullmatch(line.cells[0].text):
        return line
    mark, first, *others = line.cells
    runs = (*mark.runs, (first.x0, f" {first.runs[0][1]}"), *first.runs[1:]) if first.runs else ()
    return replace(line, cells=(Cell(f"{mark.text} {first.text}", mark.x0, first.x1, runs), *others))


def _extent(lines: Sequence[Line], start: int, pitch: float) -> int:
    """Where the table that starts at `start` ends: lines near each other, made of cells or of one short cell in a column."""
    if len(lines[start].cells) < 2:
        return start
    columns = [cell.x0 for cell in lines[start].cells]
    end, last_many = start, start
    for index in range(start, len(lines)):
        line = lines[index]
        if index > start and abs(lines[index - 1].y - line.y) > 6 * pitch:
            break
        aligned = any(abs(line.x0 - x) <= SNAP for x in columns)
        parted = _parted(line, columns) if index > start and aligned else line
        if len(parted.cells) >= 2:
            columns += [cell.x0 for cell in parted.cells]
            last_many = index
        elif not aligned or len(line.text) > 60 or index - last_many > 6 or line.size > HEADING * lines[start].size:
            break
        end = index + 1
    return end if end - last_many <= 4 else last_many + 1


def _rows(lines: Sequence[Line]) -> tuple[str, ...] | None:
    many = [line for line in lines if len(line.cells) >= 2]
    if len(many) < FEWEST_ROWS - 1:
        return None
    columns = _columns(lines)
    if len(columns) < 2 or len(columns) > 14:
        return None
    table = _by_rows([_parted(line, _shared(lines)) for line in lines], columns)
    if len(table) < 2:
        return None
    head = table[0] if _is_head(table) else None
    return tuple(filter(None, (_say(row, head if number else None) for number, row in enumerate(table))))


def _columns(lines: Sequence[Line]) -> list[float]:
    starts = sorted(cell.x0 for line in lines for cell in line.cells)
    columns: list[list[float]] = []
    for x in starts:
        if columns and x - columns[-1][-1] <= SNAP:
            columns[-1].append(x)
        else:
            columns.append([x])
    return [group[0] for group in columns]


def _shared(lines: Sequence[Line]) -> list[float]:
    """Where cells of several lines begin."""
    starts = Counter(round(cell.x0) for line in lines for cell in line.cells)
    return [x for x, count in starts.items() if count >= SHARED]


def _parted(line: Line, starts: Sequence[float]) -> Line:
    """The line with its cells parted where one of their runs begins a column: two cells may stand closer than two words."""
    cells: list[Cell] = []
    for cell in line.cells:
        whole = squeeze("".join(text for _, text in cell.runs)) == cell.text
        parts: list[list[tuple[float, str]]] = []
        for x, text in cell.runs if whole else ():
            if not parts or (x > cell.x0 + SNAP and any(abs(x - start) <= AT for start in starts)):
                parts.append([])
            parts[-1].append((x, text))
        if len(parts) < 2:
            cells.append(cell)
            continue
        for i, part in enumerate(parts):
            end = parts[i + 1][0][0] if i + 1 < len(parts) else cell.x1
            cells.append(Cell(squeeze("".join(text for _, text in part)), part[0][0], end, tuple(part)))
    return replace(line, cells=tuple(cell for cell in cells if cell.text))


def _column(cell: Cell, columns: Sequence[float]) -> int:
    return max((i for i, x in enumerate(columns) if x <= cell.x0 + 0.5), default=0)


def _by_rows(lines: Sequence[Line], columns: Sequence[float]) -> list[list[str]]:
    """Cells in the order of the file: a row ends where the column goes back; a line that fills in is of the row above."""
    rows: list[list[str]] = []
    last, last_y = -1, 0.0
    for line in lines:
        for cell in line.cells:
            at = _column(cell, columns)
            fills = bool(rows) and (at > last or (at == last and 0 < last_y - line.y < 2.2 * line.size))
            opening_low = cell.text[:1].islower() or cell.text[:1] in "(&"
            if rows and not fills and opening_low and rows[-1][at] and 0 <= last_y - line.y < 2.2 * line.size:
                fills = True
            if not fills:
                rows.append([""] * len(columns))
            rows[-1][at] = join_lines([rows[-1][at], cell.text])
            last, last_y = at, line.y
    return rows


def _is_head(table: Sequence[Sequence[str]]) -> bool:
    first = [cell for cell in table[0] if cell]
    return len(first) >= 2 and not any(map(_is_figure, first)) and all(len(c) < 60 for c in first)


def _is_figure(cell: str) -> bool:
    """Whether a cell rather holds a value than a head; « Exemple donné par l'ODD 17 » may be a head."""
    figures = sum(map(str.isdigit, cell))
    return bool(re.search(r"\d{2}", cell)) and figures > 0.1 * len(cell)


def _say(row: Sequence[str], head: Sequence[str] | None) -> str:
    filled = [(index, text) for index, text in enumerate(row) if text]
    if not filled:
        return ""
    if head is None:
        return " ; ".join(text for _, text in filled)
    (first, label), *others = filled
    facts = [f"{head[index]} {text}" if head[index] else text for index, text in others]
    lead = label if first == 0 or not head[first] else f"{head[first]} {label}"
    return f"{lead} : {' ; '.join(facts)}" if facts else lead
