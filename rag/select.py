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
from rag.expect import NUMBER_WORDS, SHARP, Expectation, Want, holds
from rag.focus import counts
from rag.generation import Generation
from rag.legible import legibility
from rag.lexical import fold, token_set, words
from rag.retrieve import Found, Hit, query_words, standardise
from rag.rows import Row, announced, is_head, lists, rows_of, tables

PASSAGES = 8  # hits whose sentences are candidates
NOVEL = 2  # content words that a sentence must add to the question's
SHORTEST = 2  # content words of a sentence that can stand alone
OTHER_NUMBER = 0.4  # credit of a number that doesn't count what « combien de » asks for
SHORT_THING = 5  # words of one among several things that a sentence ends with
DONE_OF = 0.5  # share of the question in a sentence that answers who does it
LABELLED = 0.75  # share of the question in the name that a sentence explains
TOLD = 0.75  # share of the last answer that a sentence says again
OWN_TRAIT: frozenset[Want] = frozenset({"purpose", "condition"})  # what a sentence gets a trait of that name for
EXPLAINED: frozenset[Want] = frozenset({"how", "purpose", "reason", "definition"})
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
_CONTRASTED = re.compile(
    r"\b(?:l'inverse|(?:est|sont) (?:le|la|les) \w+ (?:inverses?|contraires?|opposee?s?)|au contraire)\W*$"
)
_CONTRAST = re.compile(
    r"\b(?:tandis que|alors que|contrairement|a la difference|differen(?:ces?|cien?t?|ts? (?:de|du|des)|tes? (?:de|du|des))|ajoute|plutot|inverses?|contraires?|"
    r"en revanche|quant a|se distingu\w+|distincte?s? d\w+|oppos\w+|la ou|n'en est que|ne se limite)\b"
)
_BULLETED = re.compile(r"^(?:[-•]|\d{1,2}[.)])\s*")
_TO_DO = re.compile(r"[A-ZÉÈÊa-zéèê'’]+(?:er|ir|re|ez)\b")
_NAMES = re.compile(r"\s:\s|\b(?:sont|distingue|comprend|regroupe|réunit|repose sur|s['’]appuie sur)\b|\(")
_IN_BRACKETS = re.compile(r"((?:[\w’'-]+ ){1,4})\(([^()]+)\)")
_WITH = re.compile(
    r"\b(?:en partenariat avec|en (?:lien|association|cooperation) avec|avec (?:le soutien|l'appui|le concours|la participation|l'aide) d|aux cotes d|associe a)"
)
_BARE = re.compile(r"[\d\s,.]+(?:[kM]?€|%|euros?|millions?|milliards?)?[\s.;]*")
_FIGURE = re.compile(r"[-•]?\s*(?!\d{1,2}[.)])\d")  # « 1. Choisir » is a step
_NEGATED = re.compile(r"\bn(?:e\b|['’]).{0,25}\b(?:pas|jamais|aucune?)\b", re.IGNORECASE)
_COORDINATED = re.compile(r"\s*(?:[,;]\s*(?:et\s+|ou\s+)?|\bet\b\s*)")
_ADDRESSES = re.compile(r"[\W\d]*(?:\S*(?:://|www\.)\S+\W*)+")
_ASKS_SOURCE = re.compile(r"\b(?:sources?|references?|renvoi\w*|notes?|en ligne|internet|plateforme)\b")

# What a sentence's score is made of, with the weight of each.
TRAITS: Mapping[str, float] = {
    "late": 0.35,  # late interaction with the question's words, standardised over the candidates
    "dense": 0.54,  # cosine of the sentence's vector, standardised
    "sought": 0.6,  # cosine of the sentence's vector with that of what would answer the question, standardised
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
    "announced": 1.5,  # of a list that is asked for: what announces it names the thing (« trois missions : »)
    "drawn": 1.2,  # stands in a table or a drawing, of which the question asks
    "contrast": 1.2,  # tells one of the compared things from another
    "told": -1.5,  # was answered to the question before, which this one follows
    "steps": 1.5,  # a list of things to do, for who asks how to do one
    "purpose": 1.0,  # says what a thing is for, for who asks it
    "condition": 1.0,  # says what a thing takes, for who asks on what condition
    "does": 1.0,  # its verb is the one of who asks who does something, said of somebody
    "bare": -4.0,  # a figure alone, of a passage that doesn't say the name asked about
    "figures": -2.0,  # a list of figures, for who asks how or what for
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
    sought: float  # cosine with what would answer the question
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
    rows: list[Row] = []
    addresses = "url" in expectation.wants or bool(_ASKS_SOURCE.search(fold(found.query.text)))
    one_thing = _one_thing(expectation, asked)
    for hit in found.hits[:passages]:
        if hit.row not in found.read:  # read once to order the hits, again to choose among them
            found.read[hit.row] = rows_of(hit, asked, query_weights, query_vectors, found, generation)
        own = [replace(row, hit=hit) for row in found.read[hit.row]]
        rows += own if one_thing else own + lists(own, asked)
    if not rows:
        return []
    if "list" in expectation.wants and not one_thing:
        expectation = replace(expectation, count=expectation.count or announced(rows, asked))
        rows += tables(rows, asked, expectation.count)
    best_hit = found.hits[0].score
    alone = [row for row in rows if len(row.members) == 1]
    late = standardise(np.array([row.late for row in rows]), np.array([row.late for row in alone]))
    dense = standardise(np.array([row.dense for row in rows]), np.array([row.dense for row in alone]))
    sought = standardise(np.array([row.sought for row in rows]), np.array([row.sought for row in alone]))
    given = np.array(list((weights or TRAITS).values()))
    scored = []
    for i, row in enumerate(rows):
        if not addresses and _ADDRESSES.fullmatch(row.text):
            continue  # it says nothing to who asks for none
        traits = _traits(row, expectation, asked) | {
            "late": float(late[i]),
            "dense": float(dense[i]),
            "sought": float(sought[i]),
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
                row.sought,
                row.coverage,
                vector,
            )
        )
    return sorted(scored, key=lambda c: -c.score)


def _one_thing(expectation: Expectation, asked: Asked) -> bool:
    """Whether a figure, a date… or one person is asked for, and no list."""
    return "list" not in expectation.wants and bool(expectation.wants & SHARP or asked.one_person)


def _traits(row: Row, expectation: Expectation, asked: Asked) -> dict[str, float]:
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
    head = kind == "table" and is_head(row)
    traits["drawn"] = float(expectation.drawn and kind == "table" and not head)
    traits["sharp"] = float(any(holds(want, text, asked.text) for want in wants & SHARP))
    if traits["sharp"] and "number" in wants and asked.thing and asked.how_many:
        traits["sharp"] = 1.0 if counts(text, tuple(asked.thing)) else OTHER_NUMBER
    if len(expectation.told) >= SHORTEST and not traits["sharp"] and len(row.members) == 1:
        traits["told"] = float(len(expectation.told & row.tokens) >= TOLD * len(expectation.told))
    traits["soft"] = float(any(holds(want, text, asked.text) for want in wants - SHARP - OWN_TRAIT - {"list"}))
    traits |= {want: float(holds(want, text)) for want in wants & OWN_TRAIT}
    if "compare" in wants and (row.coverage or row.heading):
        traits["contrast"] = float(bool(_CONTRAST.search(fold(text))))
    if "person" in wants and asked.done:
        does = row.coverage >= DONE_OF and re.search(rf"\w (?:a |ont |est |sont )?{asked.done}(?:nt)?\b", fold(text))
        done_by = re.search(rf"\b(?:co-?)?{asked.done}(?:e|s|es)? (?:\w+ )?par\b", fold(text))
        traits["does"] = float(bool(does or done_by))
    if asked.with_whom and _WITH.search(fold(text)):
        traits["does"] = 1.0
    if "definition" in wants:
        traits["defines"] = defines(text, asked)
    if len(row.members) > 1:
        lines = text.split("\n")
        bullets = sum(line.startswith("- ") for line in lines)
        items = bullets or len(row.members) - int(not row.opens_with_item)
        traits |= {"group": 1.0, "listed": float("list" in wants), "counted": float(expectation.count == items)}
        if wants & EXPLAINED and not wants & SHARP:
            traits["figures"] = float(sum(bool(_FIGURE.match(line)) for line in lines) >= max(2, len(lines) - 1))
        if "how" in wants and asked.steps:
            to_do = sum(bool(_TO_DO.match(_BULLETED.sub("", line))) for line in lines)
            traits["steps"] = float(to_do >= max(2, len(lines) // 2))
        lead = lines[0]
        if "list" in wants and asked.thing and (lead.endswith(":") or not row.opens_with_item):
            traits["announced"] = float(asked.thing <= token_set(lead))
    elif kind == "table" and expectation.count and _counts(row.hit.chunk.section[-1:], expectation.count):
        traits["counted"] = 1.0  # a row under « Les 8 situations professionnelles »
    elif kind == "body" and expectation.count and _enumerates(text, expectation.count, asked.thing):
        traits["counted"] = 1.0  # « Les 4 C sont la Connaissance, les Compétences, la Capitalisation et… »
    elif "definition" in wants and asked.thing and row.labelled >= LABELLED:
        traits["label"] = 1.0
    elif kind == "list" and not _one_thing(expectation, asked):
        traits["item"] = 1.0  # its whole list is a better answer, unless one thing is asked for
    if asked.acronyms:
        traits["expands"] = float(any(expands(text, acronym) for acronym in asked.acronyms))
    if _BARE.fullmatch(text):
        around = token_set(" ".join((*row.hit.chunk.section, row.hit.chunk.text)))
        traits["bare"] = float(not asked.named <= around)
    if kind == "note" and not wants & {"url", "date", "person"}:
        traits["note"] = 1.0
    if len(row.tokens) < SHORTEST or _is_byline(text):
        traits["short"] = 1.0
    if kind == "body" and text[-1:] not in ".!?…:;»":
        traits["fragment"] = 1.0
    if _is_reference(row.hit, text) and not wants & {"url", "date", "person"}:
        traits["reference"] = 1.0
    if head:
        traits["head"] = 1.0
    if (
        len(row.tokens - asked.terms) < NOVEL
        and not row.announces
        and not traits["sharp"]
        and not _NEGATED.search(text)
    ):
        traits["repeats"] = 1.0
    label, colon, _ = text.partition(" : ")
    if row.under_head:
        label, colon = text.split("\n", 1)[0].rstrip(" :"), ":"
    named = token_set(label) if colon else frozenset()
    share = len(named & asked.terms) / len(named) if 0 < len(named) <= 6 else 0.0
    # « Les catalyseurs viennent d'horizons variés : » defines nothing.
    if (share >= 0.5 or not wants & {"definition", "purpose"}) and "label" not in traits:
        traits["label"] = share
    if "compare" in wants and kind == "list" and len(row.members) == 1 and share >= 0.5:
        traits |= {
            "item": 0.0,
            "contrast": 1.0,
        }  # « Projets d'optimisation : … », to be told from « Projets de transformation : … »
    return traits


def _enumerates(text: str, count: int, thing: frozenset[str]) -> bool:
    """Whether a sentence names that many things: after its colon or its verb, or at its end (« sur la performance, l'innovation et la
    confiance »)."""
    inside = (_COORDINATED.split(match[2]) for match in _IN_BRACKETS.finditer(text) if thing & token_set(match[1]))
    if any(len(parts) == count for parts in inside):
        return True  # « trois modèles privés (les personnes, l'économie productive et l'économie financière) »
    named = _NAMES.split(text, maxsplit=1)
    if len(named) > 1 and len(_COORDINATED.split(named[1])) == count:
        return True
    parts = _COORDINATED.split(text)
    short = sum(1 for _ in takewhile(lambda part: 0 < len(part.split()) <= SHORT_THING, reversed(parts)))
    ends = count > 2 and count - 1 <= short < len(parts) and (short == count - 1 or len(parts) == count)
    return ends and thing <= token_set(parts[-count])


def _counts(heading: Sequence[str], count: int) -> bool:
    """Whether a heading says how many things it is about, and that many."""
    return any(word == str(count) or NUMBER_WORDS.get(word) == count for word in words(" ".join(heading)))


def _is_reference(hit: Hit, text: str) -> bool:
    return "http" in text or any(fold(part).startswith("sources") for part in hit.chunk.section[-1:])


def _is_byline(text: str) -> bool:
    """« Fiche · Éditeur · 24 novembre 2026 »: a line of furniture."""
    return text.count(" · ") >= 2 and len(text.split()) < 14


def is_dangling(text: str) -> bool:
    """Whether a sentence leans on the one before it (« Elle permet… », « Cette dernière… », « … est le regard inverse »)."""
    folded = fold(text)
    if _CONTRASTED.search(folded):
        return True
    return bool(_DANGLING.match(folded)) and not _CLEFT.match(folded)
