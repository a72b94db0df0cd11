"""Things that a document names by its headings: « Premier levier : … », « Étape 2 – … ».

« Quels sont les trois leviers ? » is answered by three headings, each over its own passage, which no sentence sums up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from rag.draft import DraftSentence, quote, tidy
from rag.expect import Expectation
from rag.focus import focus, uncounted
from rag.generation import Generation
from rag.lexical import fold, stem, words
from rag.retrieve import Found, Hit
from rag.spans import span

DOCUMENTS = 2  # best found, whose headings are read
LONGEST_DOCUMENT = 1_000  # chunks; reading as many headings takes 20 ms
MOST = 12  # things named
_ORDINALS = {
    word: number
    for number, spelled in enumerate(
        (
            "premier premiere", "deuxieme second seconde", "troisieme", "quatrieme", "cinquieme", "sixieme", "septieme", "huitieme",
            "neuvieme", "dixieme", "onzieme", "douzieme",
        ),
        1,
    )
    for word in spelled.split()
}  # fmt: skip
_DIGITS = re.compile(r"(\d{1,2})(?:er|re|e|eme|nd|nde)?")


@span
def headings_of(found: Found, expectation: Expectation, generation: Generation) -> tuple[DraftSentence, ...]:
    """As many headings as the question counts, in their order, each of which numbers the thing asked for; none where the
    best documents have no such series."""
    count = expectation.count or 0
    thing = uncounted(focus(found.query.text, generation.lexical))
    one_of_them = " : " in found.query.text  # « Quels sont les trois leviers : la Vision partagée »
    if "list" not in expectation.wants or not 2 <= count <= MOST or not thing or one_of_them:
        return ()
    for document_id in list(dict.fromkeys(hit.chunk.document_id for hit in found.hits))[:DOCUMENTS]:
        rows = np.flatnonzero(generation.rows_of((document_id,)))
        if len(rows) > LONGEST_DOCUMENT:
            continue
        series: dict[int, DraftSentence] = {}
        for number, heading in _numbered(rows.tolist(), thing[0], generation):
            series.setdefault(number, heading)
        if sorted(series) == list(range(1, count + 1)):
            return tuple(series[number] for number in sorted(series))
    return ()


def _numbered(rows: Sequence[int], thing: str, generation: Generation) -> Iterator[tuple[int, DraftSentence]]:
    for row in rows:
        chunk = generation.chunk(row)
        sentences = tuple(generation.sentences(row))
        for sentence in sentences:
            text = chunk.text[sentence.start : sentence.end]
            number = _number(text, thing) if sentence.kind == "title" else None
            if number is not None:
                hit = Hit(row, chunk, 0.0, 0.0, 0.0, 0.0, sentences)
                quotes = quote(hit, sentence.start, sentence.end, generation, 0.0)
                yield number, DraftSentence(tidy(text), quotes, item=True)


def _number(heading: str, thing: str) -> int | None:
    """Which one a heading is about: « Deuxième levier : … », « Levier 2 – … »; None where it doesn't say or isn't about them."""
    opening = words(fold(heading))[:2]
    if len(opening) < 2 or thing not in map(stem, opening):
        return None
    other = opening[1] if stem(opening[0]) == thing else opening[0]
    digits = _DIGITS.fullmatch(other)
    return int(digits.group(1)) if digits else _ORDINALS.get(other)
