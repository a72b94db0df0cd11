"""Running heads, feet and page numbers: found because they come back from page to page, and set aside."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from corpus.lines import Line
from corpus.raw import RawPage

MARGIN_SHARE = 0.11  # of the page's height, at the top and at the bottom
FEWEST_PAGES = 3
LARGE = 1.3  # of the usual type size: what is larger is a title (« Diapositive 3 »), wherever it comes back
SHORTEST_TITLE = 8  # characters, to know a running head by it
REPEATED_SHARE = 0.3  # of the pages: left and right heads alternate, first pages of chapters have none
NUMBER = re.compile(r"^\W*(?:page\s*)?(\d{1,4})\s*(?:(?:/|sur)\s*\d{1,4})?\W*$", re.IGNORECASE)


def without_margins(pages: Sequence[RawPage], title: str | None = None) -> tuple[RawPage, ...]:
    """Return the pages without the lines that repeat in their margins, with the printed number as label where it is seen.

    `title`: the document's, as its file says it: a short document's running heads are known by it.
    """
    repeated = _repeated(pages) if len(pages) >= FEWEST_PAGES else _heads(pages, title)
    numbers = [_printed_number(page) for page in pages]
    shift = _shift(pages, numbers)
    cleaned = []
    for page, number in zip(pages, numbers, strict=True):
        kept = tuple(line for line in page.lines if not (_in_margin(page, line) and _key(line) in repeated))
        if shift is not None:
            kept = tuple(
                line for line in kept if not (_in_margin(page, line) and _is_number(line, page.number + shift))
            )
        label = page.label or (str(number) if shift is not None and number == page.number + shift else None)
        cleaned.append(replace(page, lines=kept, label=label))
    emptied = sum(bool(page.lines) and not clean.lines for page, clean in zip(pages, cleaned, strict=True))
    return tuple(pages) if emptied > len(pages) / 2 else tuple(cleaned)  # pages that are all alike are no running heads


def _heads(pages: Sequence[RawPage], title: str | None) -> frozenset[str]:
    """Running heads of a document too short for repetition to tell: small, at the top of a page after the first, with the
    document's title."""
    said = _key_of(title or "")
    if len(said) < SHORTEST_TITLE:
        return frozenset()
    usual = _usual_size(pages)
    return frozenset(
        _key(line)
        for page in pages[1:]
        for line in page.lines
        if line.y >= max(other.y for other in page.lines) - 1 and line.size < usual and said in _key(line)
    )


def _usual_size(pages: Sequence[RawPage]) -> float:
    sizes = [line.size for page in pages for line in page.lines for _ in range(len(line.text))]
    return median(sizes) if sizes else 0.0


def _repeated(pages: Sequence[RawPage]) -> frozenset[str]:
    seen: Counter[str] = Counter()
    largest = LARGE * _usual_size(pages)
    for page in pages:
        seen.update({_key(line) for line in page.lines if line.size <= largest and _in_margin(page, line)})
    least = max(FEWEST_PAGES, REPEATED_SHARE * len(pages))
    return frozenset(key for key, count in seen.items() if count >= least and len(key) > 1)


def _in_margin(page: RawPage, line: Line) -> bool:
    band = MARGIN_SHARE * page.height
    ys = [other.y for other in page.lines]
    low, high = min(ys), max(ys)
    # Coordinates of turned pages don't start at 0: measure from the outermost lines, within the page's own band.
    return line.y >= high - band * 0.6 or line.y <= low + band * 0.6


def _key(line: Line) -> str:
    return _key_of(line.text)


def _key_of(text: str) -> str:
    return re.sub(r"\d+", "#", re.sub(r"\s+", "", text.lower()))


def _printed_number(page: RawPage) -> int | None:
    for line in page.lines:
        if _in_margin(page, line) and (match := NUMBER.match(line.text)):
            return int(match.group(1))
    return None


def _is_number(line: Line, number: int) -> bool:
    match = NUMBER.match(line.text)
    return match is not None and int(match.group(1)) == number


def _shift(pages: Sequence[RawPage], numbers: Sequence[int | None]) -> int | None:
    """Printed number less place in the file, where most pages agree on it."""
    shifts = Counter(number - page.number for page, number in zip(pages, numbers, strict=True) if number is not None)
    if not shifts:
        return None
    shift, count = shifts.most_common(1)[0]
    if len(pages) < FEWEST_PAGES:  # then only figures at the very foot of every page, that count from 1
        return 0 if shift == 0 and count == len(pages) and all(map(_ends_on_number, pages)) else None
    return shift if count >= max(FEWEST_PAGES, 0.4 * len(pages)) else None


def _ends_on_number(page: RawPage) -> bool:
    return _is_number(min(page.lines, key=lambda line: line.y), page.number)
