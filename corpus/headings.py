"""under: the headings that a text stands under, from the size of their type and their numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

LARGER = 1.12  # times the type size of the headings under it
DEEPEST = 2  # headings of a section
_NUMBER = re.compile(r"(?:(?:article|chapitre|partie|titre|annexe)\s+)?(\d{1,2}(?:\.\d{1,2})*)[.)]?\s", re.IGNORECASE)
_CONTENTS = re.compile(
    r"(?:sommaire|table des mati[èe]res|contenu)\b", re.IGNORECASE
)  # it names headings and has none under it


@dataclass(frozen=True)
class Heading:
    """A heading, its type size in points (0: unknown), its number (« 4.2 ») where it has one."""

    text: str
    size: float
    number: str


def under(text: str, size: float, headings: list[Heading], body: float) -> tuple[str, ...]:
    """The section that a heading opens, outermost first: under those of clearly larger type, or whose number begins its own.
    `headings`: those that are open, which it changes; `body`: the document's usual type size, which a heading over others exceeds."""
    number = _NUMBER.match(text)
    own = number.group(1) if number else ""
    while headings and not _holds(headings[-1], size, own, body):
        headings.pop()
    headings.append(Heading(text, size, own))
    del headings[:-DEEPEST]
    return tuple(heading.text for heading in headings)


def _holds(above: Heading, size: float, number: str, body: float) -> bool:
    if number and above.number:
        return number.startswith(f"{above.number}.")
    return above.size >= LARGER * max(size, body) > 0 and not _CONTENTS.match(above.text)
