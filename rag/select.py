"""Score the sentences of the found passages against the question, and choose those that answer it.

Each sentence has a vector of features (TRAITS); its score is their weighted sum. The weights are fitted by `evals tune`
on tuning questions only (docs/adr/0006-composition.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np

from corpus.chunk import ChunkSentence
from rag.asked import Asked, pairs_of
from rag.define import defines, expands
from rag.expect import NUMBER_WORDS, SHARP, Expectation, holds
from rag.focus import counts
from rag.generation import Generation
from rag.legible import legibility
from rag.lexical import fold, stem, token_set, words
from rag.retrieve import Found, Hit, query_words, standardise

PASSAGES = 8  # hits whose sentences are candidates
NOVEL = 2  # content words that a sentence must add to the question's
SHORTEST = 2  # content words of a sentence that can stand alone
LONGEST_LEAD = 45  # words of a sentence that announces a list
OTHER_NUMBER = 0.5  # credit of a number that doesn't count what « combien de » asks for
SHORT_THING = 5  # words of one among several things that a sentence ends with
LONG = 45  # words beyond which a sentence is long
_DANGLING = re.compile(
    r"^(?:[>»•–-]\s*)?(?:elles?|ils?|celles?-ci|ceux-ci|celui-ci|celle-ci|"
    r"cela|cette|cet|ces|ce|c['’]est|ceci|ainsi|en effet|autrement dit|de meme|a cette|pour y parvenir|a cet|son|sa|ses|leurs?|"
    r"la raison en est)\b",
)
# « C'est à partir des territoires que… »: what is put first is named, unless it is told by « cette dernière ».
_CLEFT = re.compile(
    r"^c['’]est (?:bien |notamment |aussi |d'abord )?(?:a|au|aux|sur|dans|par|avec|pour|en|le|la|les|l['’]|un|une|grace)\b"
    r"(?!.{0,25}\b(?:cet?|cette|ces|derniere?s?|celles?|celui|ceux)\b).{4,}\bqu(?:e|i|['’])"
)
_NAMES = re.compile(r"\s:\s|\b(?:sont|distingue|comprend|regroupe|réunit|repose sur|s['’]appuie sur)\b|\(")
_HOW_MANY = re.compile(r"\bcombien d(?:e |')")
_ONE_PERSON = re.compile(r"\bqui (?:est|etait|c'est)\b|\bc'est qui\b")
_NEGATED = re.compile(r"\bn(?:e\b|['’]).{0,25}\b(?:pas|jamais|aucune?)\b", re.IGNORECASE)
_COUNTS = re.compile(rf"\b([2-9]|1\d|{'|'.join(NUMBER_WORDS)})\s+([a-z]{{4,}})")
_COORDINATED = re.compile(r"\s*(?:[,;]\s*(?:et\s+|ou\s+)?|\bet\b\s*)")
_ADDRESSES = re.compile(r"[\W\d]*(?:\S*(?:://|www\.)\S+\W*)+")
_ASKS_SOURCE = re.compile(r"\b(?:sources?|references?|renvoi\w*|notes?|en ligne|internet|plateforme)\b")

# What a sentence's score is made of, with the weight of each.
TRAITS: Mapping[str, float] = {
    "late": 0.35,  # late interaction with the question's words, standardised over the candidates
    "dense": 0.54,  # cosine of the sentence's vector, standardised
    "coverage": 6.31,  # share of the question's weight whose words stand in the sentence
    "heading": 4.91,  # what only the heading says of the question
    "lead": 3.58,  # what only the sentence before says, or the one that announces the list
    "leaning": 6.40,  # the same, for a sentence that leans on it
    "phrase": -0.21,  # share of the question's pairs of neighbouring words that stand in the sentence
    "hit": 0.3,  # the passage's score, below the best
    "sharp": 2.24,  # holds the number, date, share, amount or address that is asked for
    "soft": 0.36,  # holds a name, a definition, a reason…
    "defines": 1.92,  # opens with the thing to define
    "title": -1.46,
    "note": -0.49,
    "short": -0.95,
    "fragment": -0.89,  # of running text, without an end: a label or a heading
    "dangling": -0.15,
    "reference": -0.52,  # a line of a bibliography answers only who asks for a document
    "group": -0.26,  # a whole list, with what announces it
    "listed": -0.33,  # the same, where a list is asked for
    "counted": 1.65,  # the same, with as many items as the question says; or names as many, or stands under a heading that says as many
    "item": -1.99,  # one item alone
    "expands": 0.88,  # says what an acronym of the question stands for
    "label": 1.09,  # « Mécénat : … » for who asks of mécénat
    "repeats": -0.72,  # says nothing that the question didn't
    "head": -1.41,  # a table's head names its columns and says nothing
    "illegible": 1.20,  # from 0, every word is French, to 1
    "long": 0.28,
}

_PLACES = {name: place for place, name in enumerate(TRAITS)}


@dataclass(frozen=True, eq=False)
class Candidate:
    """A sentence of a hit, or a whole list of it, with its score; `index` is the first one's rank in the chunk."""

    hit: Hit
    index: int
    sentence: ChunkSentence
    members: tuple[int, ...]  # ranks of the sentences that it is made of
    text: str
    tokens: frozenset[str]
    score: float
    late: float
    coverage: float  # share of the question's weight whose words stand in the sentence
    traits: np.ndarray  # in the order of TRAITS

    @property
    def key(self) -> tuple[int, int]:
        return self.hit.row, self.index

    @property
    def length(self) -> int:
        return len(self.text.split())

    @property
    def whole_list(self) -> bool:
        return len(self.members) > 1

    def trait(self, name: str) -> float:
        return float(self.traits[_PLACES[name]])


def candidates(
    found: Found,
    expectation: Expectation,
    generation: Generation,
    weights: Mapping[str, float] | None = None,
    passages: int = PASSAGES,
) -> list[Candidate]:
    """All sentences of the first hits, best first."""
    query_weights, query_vectors = query_words(found.query, found.encoded, generation)
    asked = Asked.of(found.query, generation)
    rows: list[_Row] = []
    addresses = "url" in expectation.wants or bool(_ASKS_SOURCE.search(fold(found.query.text)))
    one_thing = "list" not in expectation.wants and bool(
        expectation.wants & SHARP or _ONE_PERSON.search(fold(found.query.text))
    )
    for hit in found.hits[:passages]:
        if hit.row not in found.read:  # read once to order the hits, again to choose among them
            found.read[hit.row] = _rows(hit, asked, query_weights, query_vectors, found, generation)
        own = [replace(row, hit=hit) for row in found.read[hit.row]]
        rows += own if one_thing else own + _lists(own, asked)
    if not rows:
        return []
    if "list" in expectation.wants and not one_thing:
        expectation = replace(expectation, count=expectation.count or _announced(rows, asked))
        rows += _tables(rows, asked, expectation.count)
    best_hit = found.hits[0].score
    alone = [row for row in rows if len(row.members) == 1]
    late = standardise(np.array([row.late for row in rows]), np.array([row.late for row in alone]))
    dense = standardise(np.array([row.dense for row in rows]), np.array([row.dense for row in alone]))
    given = np.array(list((weights or TRAITS).values()))
    scored = []
    for i, row in enumerate(rows):
        if not addresses and _ADDRESSES.fullmatch(row.text):
            continue  # it says nothing to who asks for none
        traits = _traits(row, expectation, asked) | {
            "late": float(late[i]),
            "dense": float(dense[i]),
            "hit": row.hit.score - best_hit,
        }
        vector = np.array([traits.get(name, 0.0) for name in TRAITS])
        score = float(vector @ given)
        scored.append(
            Candidate(
                row.hit,
                row.members[0],
                row.sentence,
                row.members,
                row.text,
                row.tokens,
                score,
                row.late,
                row.coverage,
                vector,
            )
        )
    return sorted(scored, key=lambda c: -c.score)


@dataclass(frozen=True)
class _Row:
    """A sentence or a list before its score: its match with the question's words, and what stands around it."""

    hit: Hit
    members: tuple[int, ...]
    sentence: ChunkSentence
    text: str
    tokens: frozenset[str]
    late: float
    dense: float
    coverage: float
    heading: float
    lead: float
    announces: bool  # a list follows
    opens_with_item: bool = False  # of a list: nothing announces it


def _rows(
    hit: Hit,
    asked: Asked,
    query_weights: np.ndarray,
    query_vectors: np.ndarray,
    found: Found,
    generation: Generation,
) -> list[_Row]:
    spans, vectors = generation.word_vectors(hit.row)
    sentence_vectors = generation.sentence_vectors(hit.row)
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
        after = hit.sentences[index + 1] if index + 1 < len(hit.sentences) else None
        announces = after is not None and after.kind == "list" and not text.startswith("- ")
        rows.append(
            _Row(
                hit,
                (index,),
                sentence,
                text,
                tokens,
                late,
                dense,
                _in_one_cell(text, said, asked) if sentence.kind == "table" else asked.coverage(said),
                asked.coverage(heading - said),
                asked.coverage(lead - said - heading),
                announces,
            )
        )
        if sentence.kind != "list" or announces:
            lead = tokens
    return rows


def _in_one_cell(row: str, said: frozenset[str], asked: Asked) -> float:
    """What a table's row, which says `said` with its head, says of the question in its label and one cell: « 7 ans » in one and
    « au cœur » in another don't make « au cœur, à 7 ans »."""
    label, _, rest = row.partition(" : ")
    cells = [token_set(cell) for cell in rest.split(" ; ")]
    if len(cells) < 2:
        return asked.coverage(said)
    shared = said - frozenset().union(*cells) | token_set(label)
    return max(asked.coverage(shared | cell) for cell in cells)


def _lists(rows: Sequence[_Row], asked: Asked) -> list[_Row]:
    """Each list of a chunk as one candidate: its items, with the sentence that announces them."""
    found = []
    start = 0
    while start < len(rows):
        end = start
        while end < len(rows) and rows[end].sentence.kind == "list":
            end += 1
        if end - start >= 2:
            first = start - 1 if start and _announces(rows[start - 1]) else start
            found.append(_joined(rows[first:end], asked))
        start = max(end, start + 1)
    return found


def _announced(rows: Sequence[_Row], asked: Asked) -> int | None:
    """How many of the things asked for there are, as the sentence that speaks most of them says it (« trois effets »); None
    where none does."""
    best = max((row.coverage, -i, n) for i, row in enumerate(rows) for n in (*_numbers_of(row, asked), 0))
    return best[2] or None


def _numbers_of(row: _Row, asked: Asked) -> list[int]:
    """The numbers of things asked for that a sentence tells."""
    if row.sentence.kind != "body" or not row.coverage:
        return []
    counted = ((m.group(1), stem(m.group(2))) for m in _COUNTS.finditer(fold(row.text)))
    return [NUMBER_WORDS.get(n) or int(n) for n, thing in counted if thing in (asked.thing or asked.terms)]


def _tables(rows: Sequence[_Row], asked: Asked, count: int | None) -> list[_Row]:
    """Each table that has as many rows as things are asked for, as one candidate, without its head."""
    found: dict[int, list[_Row]] = {}
    for row in rows:
        if len(row.members) == 1 and row.sentence.kind == "table" and not _is_head(row):
            found.setdefault(row.hit.row, []).append(row)
    return [_joined(table, asked) for table in found.values() if len(table) == count and len(table) > 1]


def _announces(row: _Row) -> bool:
    if len(row.text.split()) > LONGEST_LEAD:
        return False
    return row.sentence.kind == "title" or (row.sentence.kind == "body" and row.text.rstrip().endswith(":"))


def _joined(members: Sequence[_Row], asked: Asked) -> _Row:
    tokens = frozenset().union(*(row.tokens for row in members))
    said = asked.coverage(tokens)
    return replace(
        members[0],
        members=tuple(row.members[0] for row in members),
        sentence=next((row.sentence for row in members if row.sentence.kind == "list"), members[0].sentence),
        text="\n".join(row.text for row in members),
        tokens=tokens,
        late=max(row.late for row in members),
        dense=max(row.dense for row in members),
        coverage=said,
        heading=min(members[0].heading, 1 - said),
        lead=min(members[0].lead, 1 - said),
        announces=False,
        opens_with_item=members[0].sentence.kind in ("list", "table"),
    )


def _traits(row: _Row, expectation: Expectation, asked: Asked) -> dict[str, float]:
    """What a sentence is worth: its match, the kind of thing asked for, its form, its novelty; absent ones are 0."""
    text, kind, wants = row.text, row.sentence.kind, expectation.wants
    dangling = is_dangling(text)
    traits = {
        "coverage": row.coverage,
        "heading": row.heading,
        "leaning" if dangling else "lead": row.lead,
        "illegible": 1 - legibility(text),
        "dangling": float(dangling),
        "title": float(kind == "title"),
        "long": float(len(text.split()) > LONG),
    }
    if asked.pairs:
        traits["phrase"] = len(asked.pairs & pairs_of(text)) / len(asked.pairs)
    traits["sharp"] = float(any(holds(want, text, asked.text) for want in wants & SHARP))
    if traits["sharp"] and "number" in wants and asked.thing and _HOW_MANY.search(fold(asked.text)):
        traits["sharp"] = 1.0 if counts(text, tuple(asked.thing)) else OTHER_NUMBER
    traits["soft"] = float(any(holds(want, text, asked.text) for want in wants - SHARP - {"list"}))
    if "definition" in wants:
        traits["defines"] = defines(text, asked)
    if len(row.members) > 1:
        bullets = sum(line.startswith("- ") for line in text.split("\n"))
        items = bullets or len(row.members) - int(not row.opens_with_item)
        traits |= {"group": 1.0, "listed": float("list" in wants), "counted": float(expectation.count == items)}
    elif kind == "table" and expectation.count and _counts(row.hit.chunk.section[-1:], expectation.count):
        traits["counted"] = 1.0  # a row under « Les 8 situations professionnelles »
    elif kind == "body" and expectation.count and _enumerates(text, expectation.count, asked.thing):
        traits["counted"] = 1.0  # « Les 4 C sont la Connaissance, les Compétences, la Capitalisation et… »
    elif kind == "list" and ("list" in wants or not (wants & SHARP or _ONE_PERSON.search(fold(asked.text)))):
        traits["item"] = 1.0  # its whole list is a better answer, unless one thing is asked for
    if asked.acronyms:
        traits["expands"] = float(any(expands(text, acronym) for acronym in asked.acronyms))
    if kind == "note" and not wants & {"url", "date", "person"}:
        traits["note"] = 1.0
    if len(row.tokens) < SHORTEST or _is_byline(text):
        traits["short"] = 1.0
    if kind == "body" and text[-1:] not in ".!?…:;»":
        traits["fragment"] = 1.0
    if _is_reference(row.hit, text) and not wants & {"url", "date", "person"}:
        traits["reference"] = 1.0
    if kind == "table" and _is_head(row):
        traits["head"] = 1.0
    if (
        len(row.tokens - asked.terms) < NOVEL
        and not row.announces
        and not traits["sharp"]
        and not _NEGATED.search(text)
    ):
        traits["repeats"] = 1.0
    label, colon, _ = text.partition(" : ")
    named = token_set(label) if colon else frozenset()
    share = len(named & asked.terms) / len(named) if 0 < len(named) <= 6 else 0.0
    if share >= 0.5 or "definition" not in wants:  # « Les catalyseurs viennent d'horizons variés : » defines nothing
        traits["label"] = share
    return traits


def _is_head(row: _Row) -> bool:
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


def _enumerates(text: str, count: int, thing: frozenset[str]) -> bool:
    """Whether a sentence names that many things: after its colon or its verb, or at its end (« sur la performance, l'innovation et la
    confiance »)."""
    named = _NAMES.split(text, maxsplit=1)
    if len(named) > 1 and len(_COORDINATED.split(named[1])) == count:
        return True
    parts = [len(part.split()) for part in _COORDINATED.split(text)]
    short = sum(1 for _ in takewhile(lambda length: 0 < length <= SHORT_THING, reversed(parts)))
    ends = count > 2 and count - 1 <= short < len(parts) and (short == count - 1 or len(parts) == count)
    return ends and thing <= token_set(_COORDINATED.split(text)[-count])


def _counts(heading: Sequence[str], count: int) -> bool:
    """Whether a heading says how many things it is about, and that many."""
    return any(word == str(count) or NUMBER_WORDS.get(word) == count for word in words(" ".join(heading)))


def _is_reference(hit: Hit, text: str) -> bool:
    return "http" in text or any(fold(part).startswith("sources") for part in hit.chunk.section[-1:])


def _is_byline(text: str) -> bool:
    """« Fiche · Éditeur · 24 novembre 2026 »: a line of furniture."""
    return text.count(" · ") >= 2 and len(text.split()) < 14


def is_dangling(text: str) -> bool:
    """Whether a sentence leans on the one before it (« Elle permet… », « Cette dernière… »)."""
    folded = fold(text)
    return bool(_DANGLING.match(folded)) and not _CLEFT.match(folded)
