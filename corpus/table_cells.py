"""Rows from cells that were read one after the other, without their places (what OCR leaves of tables and diagrams).

Only shapes that are consistent are rebuilt: columns of equal length after their heads, a full matrix of values, items around
labels that stand in the middle of their group. Everything else stays as it was read, with a lower quality.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

VALUE = re.compile(r"^[<>~≈+±-]?\s?\d[\d\s.,/]*\s?(?:%|€|k€|M€|Md€|ans?|mois|jours?|h)?$")
SHARE = re.compile(r"\d\s?(?:%|€)")
COUNTED = re.compile(r"\b(\d{1,2})\s+[a-zà-ÿ]")
HEAD = re.compile(
    r"^(?:types?|objectifs?|axes?|taux|r[ée]sultats?|montants?|ann[ée]es?|actions?|acteurs?|indicateurs?|domaines?|niveaux?|"
    r"crit[èeé]res?|moyens|exemples?|cibles?|enjeux|leviers?|[ée]tapes?|phases?|nombre|part|dates?|noms?|codes?|structures?|"
    r"intitul[ée]s?|descriptions?|th[èeé]mes?|publics?|profils?|modalit[ée]s?|b[ée]n[ée]ficiaires?|temporalit[ée]s?|"
    r"situations?|sources?|tarifs?|projets?|effets?|impacts?|r[ôo]les?|missions?|outils?|comp[ée]tences?|mesures?)\b",
    re.IGNORECASE,
)
INFINITIVE = re.compile(
    r"^[A-ZÉÈÊ]?[a-zà-ÿé'’]*(?:er|ir|[dt]re|ttre|[eê]tre|a[iî]tre|ivre|oire(?<!toire)|ire(?<!aire))$"
)
NOT_VERBS = re.compile(r"(?:aire|oire|ure|ère|tre(?<!ttre)(?<![eêEÊ]tre)(?<!aitre)(?<!aître))$")
FEWEST_VALUES = 3
LONG_WORD = 6  # letters: a word that fills a cell by itself
UNFINISHED = re.compile(r"\b(?:DES?|DU|LA|LES?|AUX?|ET|À|A|D|L|UNE?)$")


@dataclass(frozen=True)
class Table:
    rows: tuple[str, ...]
    quality: float


def rebuild(cells: Sequence[str], title: str = "") -> Table | None:
    """The rows that `cells` make, each saying its column heads; None where no consistent shape is found."""
    return _matrix(cells) or _columns(cells) or _groups(cells, title) or _words(cells)


def counted(title: str) -> int | None:
    """The number of things that a title announces (« Les 7 étapes… »)."""
    match = COUNTED.search(title)
    return int(match[1]) if match else None


def _is_value(cell: str) -> bool:
    return bool(VALUE.match(cell))


def _columns(cells: Sequence[str]) -> Table | None:
    """Columns read one after the other: labels, then a head and as many values as there are labels, and so on."""
    start = next((i for i in range(1, len(cells)) if _run(cells, i) >= FEWEST_VALUES), None)
    if start is None:
        return None
    k = _run(cells, start)
    first_head = start - 1
    columns = [(cells[first_head], list(cells[start : start + k]))]
    rest = list(cells[start + k :])
    while len(rest) >= k + 1:
        columns.append((rest[0], rest[1 : k + 1]))
        rest = rest[k + 1 :]
    leading = _leading_columns(cells[:first_head], k)
    if leading is None or not leading[1]:
        return None
    loose, before = leading
    (label_head, labels), *others = before
    rows = [f"{label_head} : " + " ; ".join(head for head, _ in others + columns)] if label_head else []
    for index, label in enumerate(labels):
        facts = " ; ".join(f"{head} {spaced(values[index])}" for head, values in others + columns)
        rows.append(f"{label} : {facts}")
    return Table((*loose, *rows, *rest), 0.9 if not loose and not rest else 0.8)


def _run(cells: Sequence[str], start: int) -> int:
    length = 0
    while start + length < len(cells) and _is_value(cells[start + length]):
        length += 1
    return length


def _leading_columns(cells: Sequence[str], k: int) -> tuple[Sequence[str], list[tuple[str, list[str]]]] | None:
    """The columns of text before the first column of values, with what stands before them: (loose cells, columns)."""
    if len(cells) == k:
        return (), [("", list(cells))]
    for skipped in range(0, min(3, len(cells))):
        body = cells[skipped:]
        count, over = divmod(len(body), k + 1)
        if over or not count:
            continue
        one_by_one = [(body[c * (k + 1)], list(body[c * (k + 1) + 1 : (c + 1) * (k + 1)])) for c in range(count)]
        by_rows = [(body[c], [body[count + r * count + c] for r in range(k)]) for c in range(count)]
        best = max((one_by_one, by_rows), key=lambda columns: sum(bool(HEAD.match(head)) for head, _ in columns))
        return cells[:skipped], best
    return None


def _matrix(cells: Sequence[str]) -> Table | None:
    """r row labels and c column labels around r × c values, the values read row by row."""
    parts = [part for cell in cells for part in _split_values(cell)]
    labels: list[tuple[int, str]] = []
    values: list[tuple[int, str]] = []
    for index, part in enumerate(parts):
        if SHARE.search(part):
            values.append((index, part))
        elif part.startswith("(") and labels and labels[-1][0] == index - 1:
            labels[-1] = (index, f"{labels[-1][1]} {part}")
        else:
            labels.append((index, part))
    dated = [label for label in labels if re.search(r"\d", label[1])]
    plain = [label for label in labels if not re.search(r"\d", label[1])]
    for heads, sides in ((dated, plain), (plain, dated)):
        if len(heads) < 2 or len(sides) < 2 or len(heads) * len(sides) != len(values):
            continue
        wide = len(heads)
        second_row = values[wide][0]
        beside = all(sides[r][0] < values[(r + 1) * wide - 1][0] for r in range(len(sides)))
        if beside and all(index < second_row for index, _ in heads):
            return Table(
                tuple(
                    f"{side} : " + " ; ".join(f"{heads[c][1]} {spaced(values[r * wide + c][1])}" for c in range(wide))
                    for r, (_, side) in enumerate(sides)
                ),
                0.8,
            )
    return None


def _split_values(cell: str) -> list[str]:
    """« EN AVAL (25%) EN AMONT (15%) » holds two values."""
    if len(re.findall(r"\([^)]*\)", cell)) < 2:
        return [cell]
    return [part.strip() for part in re.findall(r"[^()]*\([^)]*\)|[^()]+$", cell) if part.strip()]


def _groups(cells: Sequence[str], title: str) -> Table | None:
    """Items of one shape (infinitives) around labels that stand in the middle of their group's height."""
    if len(cells) < 6:
        return None
    heads = _two_heads(cells[0])
    body = _with_brackets(cells[1:] if heads else cells)
    items = [cell for cell in body if _infinitive(cell)]
    labels = [index for index, cell in enumerate(body) if not _infinitive(cell)]
    if len(items) < 4 or not 2 <= len(labels) <= len(items) // 2 or not _infinitive(body[0]):
        return None
    sizes = _fair_sizes(labels, len(body))
    if sizes is None:
        return None
    rows, taken = [], 0
    label_head, item_head = heads or ("", "")
    for index, size in zip(labels, sizes, strict=True):
        members = items[taken : taken + size]
        taken += size
        rows.append(
            f"{label_head} {body[index]} : ".lstrip() + f"{item_head} ({size}) : ".lstrip() + " ; ".join(members)
        )
    sure = counted(title) == len(items)
    return Table(tuple(rows), 0.85 if sure else 0.65)


def _words(cells: Sequence[str]) -> Table | None:
    """Rows in capitals under heads that are not: a label, then one word for each head (« INNOVATION PERFORMANCE »)."""
    first = next((i for i, cell in enumerate(cells) if cell.isupper()), 0)
    heads, body = cells[:first], cells[first:]
    if not 2 <= len(heads) <= 5 or not all(cell.isupper() for cell in body):
        return None
    rows: list[str] = []
    for cell in body:
        words = cell.split()
        label = rows[-1] if rows else ""
        whole = len(words) == len(heads) and min(map(len, words)) >= LONG_WORD
        if whole and label and ":" not in label and not UNFINISHED.search(label):
            rows[-1] = f"{label} : " + " ; ".join(f"{head} {word}" for head, word in zip(heads, words, strict=True))
        else:
            rows.append(cell)
    return Table((*heads, *rows), 0.6) if any(":" in row for row in rows) else None


def _infinitive(cell: str) -> bool:
    word = cell.split()[0] if cell.split() else ""
    return bool(INFINITIVE.match(word)) and not NOT_VERBS.search(word)


def _two_heads(cell: str) -> tuple[str, str] | None:
    match = re.match(r"^([A-ZÀ-Ý][a-zà-ÿ’']+(?: d[eu’'][a-zà-ÿ’' ]*)?) ([A-ZÀ-Ý][a-zà-ÿ’' ]{3,})$", cell)
    return (match[1], match[2]) if match and HEAD.match(match[1]) else None


def _with_brackets(cells: Sequence[str]) -> list[str]:
    """Give brackets back to the item they explain, and the pieces of a label back to each other.

    « LIS (de la négociation…) »: a scrap of the label beside the second line of an item.
    """
    joined: list[str] = []
    for cell in cells:
        scrap = re.match(r"^(\S{1,4}) (\([a-zà-ÿ].*\))$", cell)
        if joined and cell.startswith("("):
            joined[-1] += f" {cell}"
        elif joined and scrap and "(" not in joined[-1]:
            joined[-1] += f" {scrap[2]}"
            joined.append(scrap[1])
        elif joined and cell[:1].islower():
            joined[-1] += f" {cell}"
        else:
            joined.append(cell)
    return joined


def _fair_sizes(labels: Sequence[int], length: int) -> list[int] | None:
    """Sizes of the groups, each label being in the middle of its own (after the middle item of an odd one): the evenest."""
    between = [labels[0], *(b - a - 1 for a, b in itertools.pairwise(labels)), length - labels[-1] - 1]
    best: list[int] | None = None
    stack: list[tuple[int, list[int]]] = [(between[0], [])]
    while stack:
        above, sizes = stack.pop()
        rank = len(sizes)
        for below in (above, above - 1):
            left = between[rank + 1] - below
            if below < 0 or left < 0 or above + below == 0:
                continue
            done = [*sizes, above + below]
            if rank + 1 < len(labels):
                stack.append((left, done))
            elif left == 0 and (best is None or max(done) - min(done) < max(best) - min(best)):
                best = done
    return best


def spaced(value: str) -> str:
    """« 25% » as French sets it: « 25 % »."""
    return re.sub(r"(?<=\d)([%€])", r" \1", value)
