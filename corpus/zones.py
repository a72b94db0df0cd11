"""zone: a run of short pieces that stand together is a table, a diagram, or a list without signs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpus.drafts import Draft
from corpus.joining import join_lines
from corpus.lines import Line
from corpus.pieces import LEADERS, TITLE_SIZE, Measures, Piece, ended, starts_low
from corpus.table_cells import counted, rebuild
from corpus.table_grid import Grid

CELL_CHARACTERS = 60  # the longest line of a table's cell
SCRAP_CHARACTERS = 32  # of the lines of a drawing's labels, of which many may follow each other
DETERMINERS = re.compile(r"\b(?:des?|du|la|les?|au|aux|pour|en|un|une)\b|\b[dl]['’]", re.IGNORECASE)

NEAR, FEWEST_LINES = 4, 3  # lines with signs inside them, at most so far apart and at least so many, are a drawing
INNER_BULLET = re.compile(r"\S\s[*+•]\s(?=[A-ZÀ-Ý])")
INNER_PART = re.compile(r"\s(?=[*+•]\s[A-ZÀ-Ý])|(?<=\?)\s")


def find_jumbles(lines: Sequence[Line]) -> tuple[Grid, ...]:
    """Drawings whose labels OCR read across: « Innovation * Avec qui ? Une politique publique ». Each label is a row.

    Found by the signs that begin labels inside lines, where at least three lines near each other hold some.
    """
    inside = [index for index, line in enumerate(lines) if INNER_BULLET.search(line.text)]
    runs: list[list[int]] = []
    for index in inside:
        if runs and index - runs[-1][-1] <= NEAR:
            runs[-1].append(index)
        else:
            runs.append([index])
    return tuple(_jumble(lines, run[0], run[-1] + 1) for run in runs if len(run) >= FEWEST_LINES)


def _jumble(lines: Sequence[Line], start: int, end: int) -> Grid:
    parts = (part.strip(" *+•") for line in lines[start:end] for part in INNER_PART.split(line.text))
    return Grid(start, end, tuple(part for part in parts if any(map(str.isalnum, part))), 0.5)


def _is_cell(piece: Piece, usual: Measures) -> bool:
    longest = max((len(text) for text in piece.texts), default=0)
    if piece.grid or len(piece.lines) > (3 if longest > SCRAP_CHARACTERS else 14) or LEADERS.search(piece.text):
        return False
    if piece.size > TITLE_SIZE * usual.size or longest > CELL_CHARACTERS:
        return False
    first = piece.lines[0].line
    if len(piece.lines) > 1 and longest > SCRAP_CHARACTERS:
        # The column of a run of cells is measured on cells: the page's own width says whether a line is full.
        if first.x1 - first.x0 > 0.93 * max(piece.lines[0].column, 0.95 * usual.width) or (
            starts_low(piece.text) and len(piece.text) > 60
        ):
            return False
    return not re.search(r"[.;!?,]$|[^\W\d_].{20,}:$", piece.text) or bool(re.search(r"\b(?:etc|n|ex)\.$", piece.text))


def noisy(piece: Piece) -> bool:
    """Whether a piece is rather what OCR saw in a drawing than a list's item."""
    return len(re.findall(r"(?:^|\s)[<>={}|~+£¥_](?=\s|$)", piece.text)) >= 2


def zone_end(pieces: Sequence[Piece], start: int, usual: Measures) -> int:
    end = start
    while end < len(pieces) and _is_cell(pieces[end], usual):
        around = pieces[max(0, end - 1) : end + 2]
        if pieces[end].bullet and not any(noisy(piece) for piece in around):
            break
        end += 1
    return end


def zone(pieces: Sequence[Piece]) -> list[Draft]:
    """A run of short pieces: a table, a diagram or a list without signs, with its title where it has one."""
    drafts: list[Draft] = []
    first = pieces[0]
    cells = list(pieces)
    title = ""
    if len(first.text.split()) >= 4 and DETERMINERS.search(first.text) and not starts_low(first.text):
        title = first.text
        drafts.append(Draft("title", (first.texts,), size=first.size, bold=first.bold))
        cells = cells[1:]
    return [*drafts, _cells([cell.texts for cell in cells], title)]


def _whole(cells: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Cells that start in lower case go on with the one above."""
    whole: list[tuple[str, ...]] = []
    for cell in cells:
        scrap = bool(whole) and len(whole[-1][-1].split()[0]) > 4
        if whole and scrap and cell[0][:1].islower() and not ended(whole[-1][-1]):
            whole[-1] = (*whole[-1], *cell)
        else:
            whole.append(cell)
    return whole


def _cells(cells: Sequence[tuple[str, ...]], title: str) -> Draft:
    table = rebuild([join_lines(cell) for cell in cells], title)
    if table is not None:
        return Draft("table", tuple((row,) for row in table.rows), quality=table.quality)
    cells = _whole(cells)
    if title and counted(title) is not None:
        return Draft("list", tuple(cells), quality=0.8 if counted(title) == len(cells) else 0.6)
    return Draft("table", tuple(_paired(cells)), quality=0.5)


FIGURES = re.compile(
    r"^[<>~≈+±]?\s?\d[\d\s.,/]*\s?(?:%|€|k€|M€|Md€|ETP|euros|ans?|mois|jours?|h|personnes?|agents?|habitants?)?$"
)


def _paired(cells: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Each label with the figures that stand alone under it, as cards set them: « Budget 2024 » over « 1,75 M€ »."""
    paired: list[tuple[str, ...]] = []
    for cell in cells:
        label = paired[-1] if paired else ()
        figures = len(cell) == 1 and FIGURES.match(cell[0])
        if (
            figures
            and label
            and " : " not in label[-1]
            and not FIGURES.match(label[-1])
            and label[-1][-1:] not in ".:;"
        ):
            paired[-1] = (*label[:-1], f"{label[-1]} : {cell[0]}")
        else:
            paired.append(cell)
    return paired
