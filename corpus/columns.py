"""find_columns: a drawing whose columns OCR read one after the other, a line of heads and then as many lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from corpus.pieces import BULLET, Piece, ended, starts_low

FEWEST = 3  # heads on a line: two are rather a name of two words
HEAD_WORDS, HEAD_CHARACTERS = 4, 32  # of the longest head
FARTHEST = 24  # pieces from the heads to the last list's end
TITLE_CHARACTERS = 80  # of a line between two lists that may be a title
_APART = re.compile(r"\s+(?=[A-ZÀ-Ý])")
_HEAD = re.compile(r"[A-ZÀ-Ý][a-zà-ÿœ]+(?:[ '’-][^\W\d_A-ZÀ-Ý]+)*")  # in capitals, it is a title
_DETERMINER = re.compile(r"(?:L[ea]s?|Une?|Des?|Du|Nos|Notre|Vos|Votre|Leurs?|Mon|Ma|Mes|Ce|Cet|Cette|Ces)\b")


@dataclass(frozen=True)
class Columns:
    """By the rank of the piece: the head of the list that begins there, and the pieces whose last line is nothing but heads."""

    heads: Mapping[int, str]
    lines: frozenset[int]


def find_columns(pieces: Sequence[Piece]) -> Columns:
    """Each list's head, where a line names as many heads as lists follow it: « Bureau Conseil Assemblée », then three lists, two at
    least without a text between them, as columns are read."""
    heads: dict[int, str] = {}
    lines = set[int]()
    for index, piece in enumerate(pieces):
        named = _heads(piece)
        firsts = list(_lists(pieces, index + 1)) if named else []
        beside = any(pieces[first - 1].bullet for first in firsts[1:])
        if named and len(firsts) == len(named) and beside:
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
    return parts if len(parts) >= FEWEST and short and not _DETERMINER.match(parts[0]) else []


def _lists(pieces: Sequence[Piece], start: int) -> Iterator[int]:
    """The rank of each list's first item, up to the next drawing or title, or to a list that a text announces: a list ends where
    text stands between, or where a blank and another sign begin the next."""
    sign: str | None = None
    for index in range(start, min(len(pieces), start + FARTHEST)):
        piece = pieces[index]
        if piece.grid or (index > start and _heads(piece)):
            return
        if not piece.bullet:
            if index == start or piece.text.endswith(":") or _may_be_title(piece):
                return
            sign = None
            continue
        own = _sign(piece)
        if sign is None or (piece.brk != "same" and own != sign):
            yield index
            sign = own


def _may_be_title(piece: Piece) -> bool:
    return len(piece.text) <= TITLE_CHARACTERS and not ended(piece.text) and not starts_low(piece.text)


def _sign(piece: Piece) -> str:
    found = BULLET.match(piece.texts[0])
    return found.group().strip() if found else ""
