"""Sentences of French text, as character spans. Never cuts a number, an abbreviation, an address or a quotation's end."""

from __future__ import annotations

import re

# Words after which a full stop doesn't end a sentence, without their stop and lower-cased.
ABBREVIATIONS = frozenset(
    """
    m mm mme mmes mlle dr pr me st ste cf art al fig p pp n vol éd ed réf ref env min max approx av apr chap coll
    dir hab tél tel ex i.e e.g c.-à-d janv févr avr juil sept oct nov déc bd
    """.split()
)
_END = re.compile(r"[.!?…]+(?:\s?[\"»”’)\]][.!?…]*)*(?=\s|$)")  # « Et ailleurs ? ». too
_OPENERS = "«“\"(['’‘–-•>"


def split_sentences(text: str, rows: bool = False) -> list[tuple[int, int]]:
    """Spans (start, end) of the sentences of `text`, stripped of surrounding spaces; a line break ends a sentence too. In `rows`
    of a table a number goes with what it numbers (« Étape 1. Choisir »)."""
    spans = []
    position = 0
    for line in text.split("\n"):
        spans += [(position + a, position + b) for a, b in _split_line(line, rows)]
        position += len(line) + 1
    return spans


def _split_line(line: str, rows: bool) -> list[tuple[int, int]]:
    spans, start = [], 0
    for match in _END.finditer(line):
        if _ends_sentence(line, match.start(), match.end(), rows):
            spans.append((start, match.end()))
            start = match.end()
    spans.append((start, len(line)))
    stripped = []
    for a, b in spans:
        piece = line[a:b]
        a += len(piece) - len(piece.lstrip())
        b -= len(piece) - len(piece.rstrip())
        if a < b:
            stripped.append((a, b))
    return stripped


def _ends_sentence(line: str, stop: int, end: int, rows: bool) -> bool:
    rest = line[end:].lstrip()
    if not rest:
        return True
    first = rest.lstrip(_OPENERS + " \u00a0\u202f")[:1]
    if line[stop] in ".…":
        word = re.search(r"[\w.\-]*$", line[:stop])
        before = (word.group() if word else "").lower()
        if before in ABBREVIATIONS or (len(before) == 1 and before.isalpha() and line[stop - 1].isupper()):
            return False
        if before.isdigit() and len(before) <= 2 and (rows or stop - len(before) == 0):
            return False  # « 1. Pourquoi… »: a list's number opens the line
    return not first.islower() if first else True
