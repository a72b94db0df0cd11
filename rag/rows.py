"""The sentences of a passage, its lists and its tables, as they match a question, before they are scored (rag/select.py)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from corpus.chunk import ChunkSentence
from rag.asked import Asked
from rag.expect import NUMBER_WORDS
from rag.generation import Generation
from rag.lexical import fold, stem, token_set
from rag.retrieve import Found, Hit

LONGEST_LEAD = 45  # words of a sentence that announces a list
LABEL_WORDS = 8  # of an item that only names something, with its sign
HEAD_WORDS = 5  # of a list's head, with its colon: it parts two lists
COUNTED = re.compile(rf"\b([2-9]|1\d|{'|'.join(NUMBER_WORDS)})\s+([a-z]{{4,}})")  # « trois effets »


@dataclass(frozen=True)
class Row:
    """A sentence or a list before its score: its match with the question's words, and what stands around it."""

    hit: Hit
    members: tuple[int, ...]
    sentence: ChunkSentence
    text: str
    tokens: frozenset[str]
    late: float
    dense: float
    sought: float  # likeness to what would answer the question
    coverage: float
    heading: float
    lead: float
    announces: bool  # a list follows
    opens_with_item: bool = False  # of a list: nothing announces it
    labelled: float = 0.0  # share of the question in the item that it goes on with and that only names it (« - L'innovation de solution. »)
    under_head: bool = False  # of a list: what announces it is a head (« Alliances : »)


def rows_of(
    hit: Hit,
    asked: Asked,
    query_weights: np.ndarray,
    query_vectors: np.ndarray,
    found: Found,
    generation: Generation,
) -> list[Row]:
    """Each sentence of a hit, with its match."""
    spans, vectors = generation.word_vectors(hit.row)
    sentence_vectors, seeking = generation.sentence_vectors(hit.row), found.encoded.seeking
    heading = token_set(" ".join(hit.chunk.section))
    head = next((s for s in hit.sentences if s.kind == "table"), None)
    lead: frozenset[str] = frozenset()  # the sentence before, or the one that announces the list
    rows = []
    for index, sentence in enumerate(hit.sentences):
        text = hit.chunk.text[sentence.start : sentence.end]
        inside = (spans[:, 0] >= sentence.start) & (spans[:, 1] <= sentence.end)
        tokens = token_set(text)
        said = tokens
        if head is not None and sentence.kind == "table":  # a row says its table's head too
            inside |= (spans[:, 0] >= head.start) & (spans[:, 1] <= head.end)
            said = tokens | token_set(hit.chunk.text[head.start : head.end])
        late = float((query_vectors @ vectors[inside].T).max(axis=1) @ query_weights) if inside.any() else 0.0
        dense = float(sentence_vectors[index] @ found.encoded.vector) if index < len(sentence_vectors) else 0.0
        sought = (
            float(sentence_vectors[index] @ seeking) if seeking is not None and index < len(sentence_vectors) else 0.0
        )
        after = hit.sentences[index + 1] if index + 1 < len(hit.sentences) else None
        announces = after is not None and after.kind == "list" and not text.startswith("- ")
        label = _label(hit, index)
        rows.append(
            Row(
                hit,
                (index,),
                sentence,
                text,
                tokens,
                late,
                dense,
                sought,
                _in_one_cell(text, said, asked) if sentence.kind == "table" else asked.coverage(said),
                asked.coverage(heading, said),
                asked.coverage(label or lead, said | heading),
                announces,
                labelled=asked.coverage(label) if label else 0.0,
            )
        )
        if sentence.kind != "list" or announces:
            lead = tokens
    return rows


def _label(hit: Hit, index: int) -> frozenset[str]:
    """Tokens of the item that a sentence goes on with, where that item only names what the sentence explains."""
    if not index or hit.sentences[index].kind != "list" or hit.sentences[index - 1].kind != "list":
        return frozenset()
    before, own = (hit.chunk.text[s.start : s.end] for s in hit.sentences[index - 1 : index + 1])
    named = before.startswith("- ") and before.endswith(".") and len(before.split()) <= LABEL_WORDS
    return token_set(before) if named and not own.startswith("- ") else frozenset()


def _in_one_cell(row: str, said: frozenset[str], asked: Asked) -> float:
    """What a table's row, which says `said` with its head, says of the question in its label and one cell: « 7 ans » in one and
    « au cœur » in another don't make « au cœur, à 7 ans »."""
    label, _, rest = row.partition(" : ")
    cells = [token_set(cell) for cell in rest.split(" ; ")]
    if len(cells) < 2:
        return asked.coverage(said)
    shared = said - frozenset().union(*cells) | token_set(label)
    return max(asked.coverage(shared | cell) for cell in cells)


def lists(rows: Sequence[Row], asked: Asked) -> list[Row]:
    """Each list of a chunk as one candidate: its items, with the sentence that announces them."""
    found = []
    start = 0
    while start < len(rows):
        end = start
        while end < len(rows) and rows[end].sentence.kind == "list" and not (end > start and _opens_list(rows[end])):
            end += 1
        if end - start >= 2:
            first = start - 1 if start and _announces(rows[start - 1]) and not _opens_list(rows[start]) else start
            found.append(_joined(rows[first:end], asked))
        start = max(end, start + 1)
    return found


def announced(rows: Sequence[Row], asked: Asked) -> int | None:
    """How many of the things asked for there are, as the sentence that speaks most of them says it (« trois effets »); None
    where none does."""
    best = max((row.coverage, -i, n) for i, row in enumerate(rows) for n in (*_numbers_of(row, asked), 0))
    return best[2] or None


def _numbers_of(row: Row, asked: Asked) -> list[int]:
    """The numbers of things asked for that a sentence tells."""
    if row.sentence.kind != "body" or not row.coverage:
        return []
    counted = ((m.group(1), stem(m.group(2))) for m in COUNTED.finditer(fold(row.text)))
    return [NUMBER_WORDS.get(n) or int(n) for n, thing in counted if thing in (asked.thing or asked.terms)]


def tables(rows: Sequence[Row], asked: Asked, count: int | None) -> list[Row]:
    """Each table that has as many rows as things are asked for, as one candidate, without its head."""
    found: dict[int, list[Row]] = {}
    for row in rows:
        if len(row.members) == 1 and row.sentence.kind == "table" and not is_head(row):
            found.setdefault(row.hit.row, []).append(row)
    return [_joined(table, asked) for table in found.values() if len(table) == count and len(table) > 1]


def _opens_list(row: Row) -> bool:
    """Whether a line of a list announces those after it (« Alliances : »)."""
    return row.announces and row.text.rstrip().endswith(":") and len(row.text.split()) <= HEAD_WORDS


def _announces(row: Row) -> bool:
    if len(row.text.split()) > LONGEST_LEAD:
        return False
    return row.sentence.kind == "title" or (row.sentence.kind == "body" and row.text.rstrip().endswith(":"))


def _joined(members: Sequence[Row], asked: Asked) -> Row:
    tokens = frozenset().union(*(row.tokens for row in members))
    said = asked.coverage(tokens)
    under_head = _opens_list(members[0])
    return replace(
        members[0],
        members=tuple(row.members[0] for row in members),
        sentence=next((row.sentence for row in members if row.sentence.kind == "list"), members[0].sentence),
        text="\n".join(row.text for row in members),
        tokens=tokens,
        late=max(row.late for row in members),
        dense=max(row.dense for row in members),
        sought=max(row.sought for row in members),
        coverage=said,
        heading=min(members[0].heading, 1 - said),
        lead=min(members[0].lead, 1 - said),
        announces=False,
        opens_with_item=members[0].sentence.kind in ("list", "table") and not under_head,
        under_head=under_head,
    )


def is_head(row: Row) -> bool:
    """Whether a table's row only names its columns: the cells of the row below begin with its own."""
    table = [s for s in row.hit.sentences if s.kind == "table"]
    if row.sentence is not table[0] or len(table) < 2:
        return False
    if ":" not in row.text:
        return ";" in row.text  # « Durée ; Tarif », over rows such as « 2 heures ; 1,20 € »
    label, *heads = fold(row.text).split(" ; ")
    if " : " in label:
        heads = [label.partition(" : ")[2], *heads]
    below = fold(row.hit.chunk.text[table[1].start : table[1].end]).partition(" : ")[2].split(" ; ")
    return all(any(cell.startswith(head) and cell != head for cell in below) for head in heads)
