"""find_columns: a drawing whose columns OCR read one after the other, a line of heads and then as many lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from corpus.pieces import BULLET, Piece

FEWEST = 3  # heads on a line: two are rather a name of two words
HEAD_WORDS, HEAD_CHARACTERS = 4, 32  # of the longest head
FARTHEST = 24  # pieces from the heads to the last list's end
_APART = re.compile(r"\s+(?=[A-ZÀ-Ý])")
_HEAD = re.compile(r"[A-ZÀ-Ý][^\W\d_]+(?:[ '’-][^\W\d_A-ZÀ-Ý]+)*")


@dataclass(frozen=True)
class Columns:
    """By the rank of the piece: the head of the list that begins there, and the pieces whose last line is nothing but heads."""

    heads: Mapping[int, str] = field(default_factory=dict)
    lines: frozenset[int] = frozenset()


def find_columns(pieces: Sequence[Piece]) -> Columns:
    """Each list's head, where a line names as many heads as lists follow it: « Bureau Conseil Assemblée », then three lists."""
    heads: dict[int, str] = {}
    lines = set[int]()
    for index, piece in enumerate(pieces):
        named = _heads(piece)
        firsts = list(_lists(pieces, index + 1)) if named else []
        if named and len(firsts) == len(named):
            heads |= zip(firsts, named, strict=True)
            lines.add(index)
    return Columns(heads, frozenset(lines))


def _heads(piece: Piece) -> list[str]:
    if piece.bullet or piece.grid or not piece.lines:
        return []
    parts = _APART.split(piece.texts[-1].strip())
    short = all(
        _HEAD.fullmatch(part) and len(part) <= HEAD_CHARACTERS and len(part.split()) <= HEAD_WORDS for part in parts
    )
    return parts if len(parts) >= FEWEST and short else []


def _lists(pieces: Sequence[Piece], start: int) -> Iterator[int]:
    """The rank of each list's first item, up to the next drawing: a list ends where text stands between, or where a blank and
    another sign begin the next."""
    sign: str | None = None
    for index in range(start, min(len(pieces), start + FARTHEST)):
        piece = pieces[index]
        if piece.grid or (index > start and _heads(piece)):
            return
        if not piece.bullet:
            if index == start:
                return
            sign = None
            continue
        own = _sign(piece)
        if sign is None or (piece.brk != "same" and own != sign):
            yield index
            sign = own


def _sign(piece: Piece) -> str:
    found = BULLET.match(piece.texts[0])
    return found.group().strip() if found else ""
