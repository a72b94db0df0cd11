"""Where a quote stands among the letters of a page.

The quote is repaired text and the page may hold what OCR left (« I'alliance », « cceur », cut words), with columns and
notes in between. So only folded letters and digits are compared, and the page's letters that carry the quote are found
as they stand, else by the best fitting stretch, else by the longest stretches in common.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ß": "ss"})
ALIKE = 88.0  # percent of like letters of one stretch: below, the quote is in several places (columns, table cells)
FEWEST = 6  # letters in common that count as a part of the quote: shorter ones stand anywhere on a page
ISLAND = 3  # letters alone among unlike ones, at a stretch's end, that belong to something else


@dataclass(frozen=True)
class Squashed:
    """Folded letters and digits of a text, and the index in it that each comes from."""

    letters: str
    places: tuple[int, ...]


@dataclass(frozen=True)
class Match:
    """Indices in the page's text of the letters that carry the quote, and the share of the quote they cover (0 to 1)."""

    places: tuple[int, ...]
    coverage: float


def squash(text: str | Iterable[str]) -> Squashed:
    """What is left of a text, or of a page's characters, without accents, case, spaces and signs."""
    letters: list[str] = []
    places: list[int] = []
    for index, character in enumerate(text):
        folded = unicodedata.normalize("NFKD", character.casefold().translate(LIGATURES))
        for letter in folded:
            if letter.isalnum():
                letters.append(letter)
                places.append(index)
    return Squashed("".join(letters), tuple(places))


def locate(page: Squashed, quote: str) -> Match:
    """The letters of `page` that carry `quote`. No letter where nothing like it stands there."""
    wanted = squash(quote).letters
    if not wanted or not page.letters:
        return Match((), 0.0)
    start = page.letters.find(wanted)
    if start >= 0:
        return _match(page, range(start, start + len(wanted)), len(wanted))
    window = _window(page.letters, wanted)
    if window is not None:
        return _match(page, range(*window), len(wanted))
    return _match(page, _parts(page, wanted), len(wanted))


def _match(page: Squashed, letters: Iterable[int], wanted: int) -> Match:
    chosen = list(letters)
    places = tuple(dict.fromkeys(page.places[i] for i in chosen))
    return Match(places, min(1.0, len(chosen) / wanted))


def _window(page: str, wanted: str) -> tuple[int, int] | None:
    """Bounds of the one stretch that the quote fits with few edits; None where there is no such stretch."""
    if len(wanted) > len(page):
        return None
    found = fuzz.partial_ratio_alignment(wanted, page, score_cutoff=ALIKE)
    if found is None:
        return None
    start, end = found.dest_start, found.dest_end
    alike = [
        (block.b + start, block.b + start + block.size)
        for block in Levenshtein.editops(wanted, page[start:end]).as_matching_blocks()
        if block.size
    ]
    while len(alike) > 1 and alike[0][1] - alike[0][0] < ISLAND and alike[1][0] - alike[0][1] >= ISLAND:
        alike.pop(0)
    while len(alike) > 1 and alike[-1][1] - alike[-1][0] < ISLAND and alike[-1][0] - alike[-2][1] >= ISLAND:
        alike.pop()
    return alike[0][0], alike[-1][1]


def _parts(page: Squashed, wanted: str) -> list[int]:
    """Letters of the stretches in common: those in the quote's order, then, for what is missing, the longest elsewhere."""
    matcher = SequenceMatcher(None, page.letters, wanted, autojunk=False)
    blocks = [block for block in matcher.get_matching_blocks() if block.size >= FEWEST]
    for start, end in _missing(len(wanted), [(block.b, block.b + block.size) for block in blocks]):
        elsewhere = matcher.find_longest_match(blo=start, bhi=end)  # another column or cell
        if elsewhere.size >= FEWEST:
            blocks.append(elsewhere)
    return sorted({i for block in blocks for i in _without_crumbs(page, block.a, block.a + block.size)})


def _without_crumbs(page: Squashed, start: int, end: int) -> range:
    """A stretch without the one or two letters that it takes, by chance, from the word before it and the word after."""
    follows = [
        i < len(page.places) and i > 0 and page.places[i] == page.places[i - 1] + 1 for i in range(start, end + 1)
    ]
    head = next((i for i in range(start + 1, min(start + ISLAND, end)) if not follows[i - start]), start)
    tail = next((i for i in range(end - 1, max(end - ISLAND, head), -1) if not follows[i - start]), end)
    return range(head if follows[0] else start, tail if follows[-1] else end)


def _missing(length: int, covered: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The gaps between covered spans of 0…length."""
    ends = [0, *(end for _, end in covered)]
    starts = [*(start for start, _ in covered), length]
    return [(end, start) for end, start in zip(ends, starts, strict=True) if start > end]
