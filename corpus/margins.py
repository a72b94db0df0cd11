"""Running heads, feet and page numbers: found because they come back from page to page, and set aside."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from corpus.lines import Line
from corpus.raw import RawPage

MARGIN_SHARE = 0.11  # of the page's height, at the top and at the bottom
FEWEST_PAGES = 3
REPEATED_SHARE = 0.3  # of the pages: left and right heads alternate, first pages of chapters have none
NUMBER = re.compile(r"^\W*(?:page\s*)?(\d{1,4})\s*(?:(?:/|sur)\s*\d{1,4})?\W*$", re.IGNORECASE)


def without_margins(pages: Sequence[RawPage]) -> tuple[RawPage, ...]:
    """Return the pages without the lines that repeat in their margins, with the printed number as label where it is seen."""
    repeated = _repeated(pages)
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
    return tuple(cleaned)


def _repeated(pages: Sequence[RawPage]) -> frozenset[str]:
    if len(pages) < FEWEST_PAGES:
        return frozenset()
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_key(line) for line in page.lines if _in_margin(page, line)})
    least = max(FEWEST_PAGES, REPEATED_SHARE * len(pages))
    return frozenset(key for key, count in seen.items() if count >= least and len(key) > 1)


def _in_margin(page: RawPage, line: Line) -> bool:
    band = MARGIN_SHARE * page.height
    ys = [other.y for other in page.lines]
    low, high = min(ys), max(ys)
    # Coordinates of turned pages don't start at 0: measure from the outermost lines, within the page's own band.
    return line.y >= high - band * 0.6 or line.y <= low + band * 0.6


def _key(line: Line) -> str:
    return re.sub(r"\d+", "#", re.sub(r"\s+", "", line.text.lower()))


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
    return shift if count >= max(FEWEST_PAGES, 0.4 * len(pages)) else None
