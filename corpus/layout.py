"""layout: the lines of a page become drafts of blocks: titles, body, notes, lists, tables.

Nothing is thrown away that holds a letter or a digit: what isn't understood stays where it was read, as body or as a table
of lower quality.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from corpus.columns import find_columns
from corpus.drafts import Draft
from corpus.lines import Cell, Line, squeeze
from corpus.merging import merged
from corpus.notes import TINY, goes_on, is_link, note_call, note_ended
from corpus.order import reading_order
from corpus.pieces import (
    BORDER,
    BULLET,
    LEADERS,
    NUMBERED,
    SECTION,
    TITLE_SIZE,
    Measures,
    Piece,
    Placed,
    ended,
    measure,
    place,
    starts_low,
)
from corpus.raw import RawPage
from corpus.table_grid import find_grids
from corpus.zones import find_jumbles, noisy, zone, zone_end

FEWEST_CELLS = 3
OUTDENT = 0.25  # of the type size: a line set so far left of an item is no more of it
SMALL_WORDS = frozenset("le la les un une des de du et en à a l d au aux ce ces son sa ses".split())
FROM_TO = re.compile(r"^(?:De|Des|Du|D['’])\b.{3,60}\b(?:à|a|au|aux)\b")


def layout(page: RawPage, body_size: float | None = None) -> list[Draft]:
    """The drafts of a page's blocks, in reading order; notes stand after the text that they interrupted."""
    lines = _unboxed(reading_order(page.lines, page.width))
    if not lines:
        return []
    usual = measure(lines)
    if body_size is not None and sum(len(line.text) for line in lines) < 600:
        usual = replace(usual, size=body_size)
    pieces, notes = _split(lines, usual)
    return _drafts(pieces, usual) + notes


def _unboxed(lines: Sequence[Line]) -> list[Line]:
    """Without the drawn borders that OCR took for letters, where several lines of the page have one."""
    bordered = [line for line in lines if re.match(r"^\|\s|.*\s\|$", line.text)]
    if len(bordered) < 3:
        return list(lines)
    low, high = min(line.y for line in bordered), max(line.y for line in bordered)
    cleaned = []
    for line in lines:
        text = BORDER.sub("", BORDER.sub("", line.text)) if low <= line.y <= high else line.text
        cleaned.append(line if text == line.text else replace(line, cells=(Cell(text, line.x0, line.x1),)))
    return [line for line in cleaned if line.text]


def _split(lines: Sequence[Line], usual: Measures) -> tuple[list[Piece], list[Draft]]:
    grids = {grid.start: grid for grid in (*find_jumbles(lines), *find_grids(lines, usual.pitch))}
    pieces: list[Piece] = []
    notes: list[Draft] = []
    index = 0
    run: list[Line] = []
    while index <= len(lines):
        grid = grids.get(index)
        if grid is not None or index == len(lines):
            found, under = _flow(run, usual)
            pieces += found
            notes += under
            run = []
            if grid is None:
                break
            pieces.append(Piece((), grid=grid.rows, quality=grid.quality))
            index = grid.end
            continue
        run.append(lines[index])
        index += 1
    return pieces, notes


def _flow(lines: Sequence[Line], usual: Measures) -> tuple[list[Piece], list[Draft]]:
    """Running text and the notes found in it."""
    placed = place(lines, usual)
    foot = min((line.y for line in lines), default=0.0) + 0.45 * (
        max((line.y for line in lines), default=0.0) - min((line.y for line in lines), default=0.0)
    )
    pieces: list[Piece] = []
    notes: list[Draft] = []
    current: list[Placed] = []
    note: list[Placed] = []
    call: str | None = None

    def close_note() -> None:
        if note:
            notes.append(Draft("note", (tuple(line.text for line in note),), call=call, size=note[0].line.size))
            note.clear()

    def close_piece() -> None:
        if current:
            pieces.append(Piece(tuple(current), bullet=opens_item(current[0], pieces)))
            current.clear()

    interrupted = False
    for index, line in enumerate(placed):
        found = note_call(line, usual, foot, after_note=bool(note))
        if found is not None and current and line.brk == "same" and re.search(r"(?:://|:|[-/_])$", current[-1].text):
            found = None if is_link(line.text) else found  # the address that the line above announces
        after = placed[index + 1].brk if index + 1 < len(placed) else "jump"
        if found is not None:
            close_piece()
            close_note()
            call = found
            note.append(line)
            interrupted = True
            continue
        if note and goes_on(note, line, after != "same", usual):
            note.append(line)
            continue
        close_note()
        if line.brk != "same" and notes and line.line.size <= TINY * usual.size and not note_ended(notes[-1].text):
            notes[-1] = replace(notes[-1], rows=((*notes[-1].rows[0], line.text),))
            interrupted = True
            continue
        if line.brk != "same" and after != "same" and notes and _resumes_note(notes[-1].text, line.text):
            notes[-1] = replace(notes[-1], rows=((*notes[-1].rows[0], line.text),))
            interrupted = True
            continue
        if interrupted:
            line = replace(line, brk="jump")
            interrupted = False
        if current and _parts(current, line, usual):
            close_piece()
        current.append(line)
    close_piece()
    close_note()
    return pieces, notes


def _resumes_note(note: str, text: str) -> bool:
    """Whether a lone line is the rest of a note that a drawing interrupted: the note ends on a small word."""
    waits = re.search(r"\b(?:de|des|du|la|le|les|et|à|a|par|pour|dans|sur|en|au|aux|avec|depuis|entre|un|une)$", note)
    return bool(waits) and len(text) > 20 and bool(re.match(r"[a-zà-ÿ]|(?:19|20)\d\d\b", text))


def _parts(current: Sequence[Placed], line: Placed, usual: Measures) -> bool:
    """Whether `line` starts a new piece."""
    last = current[-1]
    if line.brk != "same":
        return True
    if SECTION.match(line.text) or (len(current) == 1 and SECTION.match(last.text) and not starts_low(line.text)):
        return True
    if BULLET.match(line.text) and (
        (_upper_item(line.text) and not _counts_on(last, line)) or ended(last.text) or BULLET.match(current[0].text)
    ):
        return True
    if len(current) == 1 and (
        _heads(last, line, usual) or (_in_capitals(last.text) and re.match(r"[A-ZÀ-Ý][a-zà-ÿ]*\s[a-zà-ÿ]", line.text))
    ):
        return True
    if (
        abs(line.line.size - last.line.size) > 0.13 * usual.size
        and max(line.line.size, last.line.size) > usual.size * 1.12
    ):
        return True
    if line.line.bold != last.line.bold and ended_or_short(last, usual) and not starts_low(line.text):
        return True
    if LEADERS.search(last.text) or (re.search(r"\s\d{1,3}$", last.text) and LEADERS.search(line.text)):
        return True
    outdented = line.line.x0 < current[0].line.x0 - OUTDENT * usual.size
    if outdented and ended(last.text) and BULLET.match(current[0].text) and not starts_low(line.text):
        return True
    short = last.width < 0.8 * last.column
    return short and ended(last.text) and not starts_low(line.text) and not BULLET.match(current[0].text)


def _counts_on(last: Placed, line: Placed) -> bool:
    """Whether a number that begins a line ends the sentence of the one before: « …le Fonds ODD » « 17. Il finance… »."""
    number = NUMBERED.match(line.text)
    return (
        number is not None
        and int(number[1]) > 1
        and not ended(last.text)
        and last.text[-1:].isalpha()
        and last.width > 0.8 * last.column
    )


def opens_item(line: Placed, before: Sequence[Piece]) -> bool:
    """Whether `line` starts with a bullet; « - préalablement cité - met en valeur » goes on with a sentence instead."""
    if not BULLET.match(line.text):
        return False
    if _upper_item(line.text) or not before or before[-1].bullet or ended(before[-1].text):
        return True
    return line.brk != "same"


def _upper_item(text: str) -> bool:
    rest = BULLET.sub("", text, count=1)
    return bool(rest) and not rest[0].islower()


def _heads(first: Placed, line: Placed, usual: Measures) -> bool:
    """Whether a lone short line heads the full line below it, without a blank between."""
    width = line.width
    short = first.width < 0.45 * width
    return short and width > 0.8 * line.column and not ended(first.text) and not starts_low(line.text)


def _in_capitals(text: str) -> bool:
    """Whether a line is a heading by its capitals: three words or more, all of them so."""
    return len(re.findall(r"[A-ZÀ-Ý]{2,}", text)) >= 3 and not re.search(r"[a-zà-ÿ]", text)


def ended_or_short(line: Placed, usual: Measures) -> bool:
    return ended(line.text) or line.width < 0.85 * line.column


def _drafts(pieces: Sequence[Piece], usual: Measures) -> list[Draft]:
    drafts: list[Draft] = []
    columns = find_columns(pieces)
    index = 0
    while index < len(pieces):
        piece = pieces[index]
        if index in columns.lines:
            if len(piece.lines) > 1:  # what stands over the heads names the drawing's box
                drafts.append(Draft("body", (piece.texts[:-1],), size=piece.size))
            index += 1
            continue
        if index in columns.heads:
            drafts.append(Draft("body", ((f"{columns.heads[index]} :",),)))
        end = zone_end(pieces, index, usual)
        if piece.grid:
            drafts.append(Draft("table", tuple((row,) for row in piece.grid), quality=piece.quality))
            index += 1
        elif end - index >= FEWEST_CELLS:
            drafts += zone(pieces[index:end])
            index = end
        elif _is_title(piece, pieces[index + 1] if index + 1 < len(pieces) else None, usual):
            drafts.append(Draft("title", (_unbulleted(piece.texts, numbers=False),), size=piece.size, bold=piece.bold))
            index += 1
        elif LEADERS.search(piece.text):
            rows = tuple((squeeze(LEADERS.sub(" … ", text)),) for text in piece.texts)
            drafts.append(Draft("list", rows, quality=0.5))
            index += 1
        elif piece.bullet:
            drafts.append(Draft("list", (_item(piece.texts),), open=_open_item(piece, usual)))
            index += 1
        else:
            drafts.append(
                Draft(
                    "body",
                    (piece.texts,),
                    size=piece.size,
                    open=not ended(piece.text) and _full(piece, usual),
                    low=starts_low(piece.text),
                )
            )
            index += 1
    return merged(drafts)


def _item(texts: Sequence[str]) -> tuple[str, ...]:
    first, *rest = _unbulleted(texts)
    return (first if NUMBERED.match(first) else f"- {first}", *rest)


def _open_item(piece: Piece, usual: Measures) -> bool:
    closed = piece.text.endswith(")") and piece.text.count("(") == piece.text.count(")")
    return not ended(piece.text) and not closed and _full(piece, usual)


def _full(piece: Piece, usual: Measures) -> bool:
    """Whether the last line is as long as lines of running text are: only then may a sentence go on elsewhere."""
    widths = [line.width for line in piece.lines]
    if piece.text.endswith(("-", ",")):
        return True
    last = piece.text.split()[-1]
    if noisy(piece) or (last.isupper() and last.lower() not in SMALL_WORDS):
        return False
    return len(piece.text) >= 30 and widths[-1] >= (
        0.7 * max(widths) if len(widths) > 1 else 0.7 * piece.lines[0].column
    )


def _unbulleted(texts: Sequence[str], numbers: bool = True) -> tuple[str, ...]:
    first = texts[0]
    if NUMBERED.match(first) or (not numbers and re.match(r"^[\dA-Z]", first)):
        return tuple(texts)
    return (BULLET.sub("", first, count=1) or first, *texts[1:])


FIGURE = re.compile(  # « 134 personnes », « 4 ETP »: what a card counts, not a heading
    r"^[~≈<>+]?\s?\d[\d\s.,]*\s?(?:%|€|k€|M€|Md€|ETP|[a-zà-ÿ]{3,}(?:\s[a-zà-ÿ]+)?)?$"
)

# --- titles -----------------------------------------------------------------------------------------------------------


def _is_title(piece: Piece, following: Piece | None, usual: Measures) -> bool:
    text = piece.text
    if (
        piece.grid
        or len(piece.lines) > 4
        or len(text) > 180
        or LEADERS.search(text)
        or not re.search(r"[^\W\d_]{2}", text)
    ):
        return False
    if FIGURE.match(text):
        return False
    numbered = bool(
        re.match(r"^(?:\d{1,2}(?:\.\d{1,2})*[.)]?|[IVX]{1,4}[.)]|[A-Z][.)]|Article|Chapitre|Titre|Annexe)\s", text)
    )
    if piece.bullet and not numbered:
        return False
    if len(piece.lines) == 1 and piece.brk != "same" and _in_capitals(text) and not re.search(r"[.,;:]$", text):
        return True
    if re.search(r"[,;]$", text) or starts_low(text) or not re.match(r"[\w«\"“‘’'\[(]", text):
        return False
    sentence = bool(re.search(r"[.:]$", text))
    if piece.size >= TITLE_SIZE * usual.size and (not sentence or numbered):
        return True
    if piece.bold and len(piece.lines) <= 3 and not sentence and piece.size >= 0.98 * usual.size:
        return True
    if piece.bullet or len(piece.lines) > 3 or len(text) > 130 or following is None:
        return False
    if sentence and not (FROM_TO.match(text) and len(text.split()) <= 13):
        return False
    alone = len(piece.lines) == 1 and piece.lines[0].width < 0.5 * piece.lines[0].column
    if piece.brk == "same" or (following.brk == "same" and not alone) or len(text) < 4:
        return False
    shorter = max(line.width for line in piece.lines) <= 1.02 * piece.lines[0].column or len(piece.lines) == 1
    return shorter and not starts_low(following.text) and (ended(text) or not _goes_over(piece, usual))


def _goes_over(piece: Piece, usual: Measures) -> bool:
    """Whether the piece is rather a sentence that was cut: its last line is full and ends on a small word or a hyphen."""
    last = piece.lines[-1]
    full = last.line.x1 - last.line.x0 > 0.88 * usual.width
    if len(piece.lines) > 1 and len(piece.text) > 65:
        first = piece.lines[0].line
        full = full or first.x1 - first.x0 > 0.97 * last.column
    return bool(
        re.search(
            r"(?:-|,|\b(?:de|des|du|la|le|les|et|à|a|au|aux|en|un|une|que|qui|pour|par|dans|sur|avec))$", last.text
        )
    ) or (full and len(piece.lines) > 1 and len(piece.text) > 65)
