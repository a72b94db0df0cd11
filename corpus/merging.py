"""merged: one sentence or one list that columns, notes and boxes cut into several drafts is one again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from corpus.drafts import Draft
from corpus.table_cells import counted
from corpus.text_layer import is_word

REBUILT = 0.6  # quality above which a table's cells have found their rows


@dataclass(frozen=True)
class Waiting:
    """A sentence that isn't finished: the last of a paragraph, or of a list's item."""

    draft: int
    row: int


def merged(drafts: Sequence[Draft]) -> list[Draft]:
    """Join what one sentence or one list was cut into; the innermost open sentence takes the rest that comes first."""
    found: list[Draft] = []
    waiting: list[Waiting] = []
    for draft in drafts:
        place = next((w for w in reversed(waiting) if _takes(found, w, draft)), None) if draft.kind == "body" else None
        if place is not None:
            waiting.remove(place)
            found[place.draft] = _joined(found[place.draft], place.row, draft)
            if draft.open:
                waiting.append(place)
            continue
        if draft.kind == "list" and found and found[-1].kind == "list" and draft.quality == found[-1].quality:
            found[-1] = replace(found[-1], rows=found[-1].rows + draft.rows, open=draft.open)
        else:
            found.append(draft)
        if draft.open and draft.kind in ("body", "list"):
            waiting.append(Waiting(len(found) - 1, len(found[-1].rows) - 1))
    return _led(_counted_lists(_adopted(found, waiting)))


def _takes(merged: Sequence[Draft], place: Waiting, draft: Draft) -> bool:
    before = merged[place.draft]
    end = before.rows[place.row][-1]
    if end.endswith("-"):
        return draft.low and completes(end, draft.text)
    if draft.low:
        return not (before.kind == "list" and end.endswith(","))
    adjacent = place.draft == len(merged) - 1
    return adjacent and before.kind == "body" and len(before.text) > 60 and len(draft.text) > 60


def completes(end: str, rest: str) -> bool:
    """Whether a word cut at a line's end and the start of `rest` make a word, or a compound of words."""
    head = re.findall(r"[^\W\d_]+(?=-$)", end)
    tail = re.match(r"[^\W\d_]+", rest)
    if not head or tail is None:
        return True
    return is_word((head[0] + tail[0]).lower()) or (is_word(head[0].lower()) and is_word(tail[0].lower()))


def _adopted(drafts: list[Draft], waiting: Sequence[Waiting]) -> list[Draft]:
    """Give the rest of a cut word back to it where the columns put it before or far after.

    What follows that word then stands on a line of its own: each line is found as it is on the page.
    """
    gone: set[int] = set()
    for place in waiting:
        before = drafts[place.draft]
        end = before.rows[place.row][-1]
        if not end.endswith("-"):
            continue
        for index, rest in enumerate(drafts):
            lone = rest.kind == "body" and rest.low and index not in gone and len(rest.rows) == 1 and not rest.open
            if not lone or index == place.draft or not completes(end, rest.text):
                continue
            if before.kind == "list" and (cut := re.match(r"([^\W\d_]+[,;]?)\s+(\S.*)", rest.text)):
                rows = before.rows
                row = (*rows[place.row], cut[1])
                drafts[place.draft] = replace(
                    before, rows=(*rows[: place.row], row, (cut[2],), *rows[place.row + 1 :]), open=False
                )
            else:
                drafts[place.draft] = _joined(before, place.row, rest)
            gone.add(index)
            break
    return [draft for index, draft in enumerate(drafts) if index not in gone]


def _joined(before: Draft, row: int, rest: Draft) -> Draft:
    rows = (*before.rows[:row], (*before.rows[row], *rest.rows[0]), *rest.rows[1:], *before.rows[row + 1 :])
    last = row == len(before.rows) - 1
    return replace(before, rows=rows, open=rest.open if last else before.open)


def _counted_lists(drafts: Sequence[Draft]) -> list[Draft]:
    """A diagram that the columns cut in two: its title announces as many things as both runs of cells hold."""
    found = list(drafts)
    for index, draft in enumerate(found):
        if draft.kind != "title" or index + 1 >= len(found):
            continue
        number, first = counted(draft.text), found[index + 1]
        rebuilt = first.kind == "table" and first.quality > REBUILT
        if number is None or first.kind not in ("list", "table") or rebuilt or len(first.rows) >= number:
            continue
        for other in range(index + 2, len(found)):
            rest = found[other]
            if rest.kind in ("list", "table") and len(first.rows) + len(rest.rows) == number:
                found[index + 1] = replace(first, kind="list", rows=first.rows + rest.rows, quality=0.7)
                del found[other]
                return _counted_lists(found)
    return found


def _led(drafts: Sequence[Draft]) -> list[Draft]:
    """Give each list the sentence that introduces it as its first line."""
    found = list(drafts)
    for index in range(1, len(found)):
        before, draft = found[index - 1], found[index]
        if draft.kind != "list" or before.kind != "body" or not before.text.endswith(":"):
            continue
        text = " ".join(before.rows[-1])
        cut = max((match.end() for match in re.finditer(r"[.!?]\s+(?=[A-ZÀ-Ý«\d])", text)), default=0)
        if cut == 0:
            found[index] = replace(draft, rows=(before.rows[-1], *draft.rows))
            found[index - 1] = replace(before, rows=before.rows[:-1])
            continue
        kept, lead = _cut_lines(before.rows[-1], cut)
        found[index] = replace(draft, rows=(lead, *draft.rows))
        found[index - 1] = replace(before, rows=(*before.rows[:-1], kept), open=False)
    return [draft for draft in found if draft.rows]


def _cut_lines(lines: Sequence[str], at: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Cut the lines of a paragraph at character `at` of their join by single spaces."""
    before: list[str] = []
    after: list[str] = []
    position = 0
    for line in lines:
        split = min(max(at - position, 0), len(line))
        if line[:split].strip():
            before.append(line[:split].strip())
        if line[split:].strip():
            after.append(line[split:].strip())
        position += len(line) + 1
    return tuple(before), tuple(after)
