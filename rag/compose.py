"""The extractive composer: a short French answer made of the corpus's own sentences, direct answer first."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from rag.draft import BULLET, DraftSentence, Quote, sentence
from rag.expect import SHARP, Expectation
from rag.focus import counts, focus, uncounted
from rag.generation import Generation
from rag.lexical import fold, token_set
from rag.outline import headings_of
from rag.retrieve import Found
from rag.rows import COUNTED
from rag.select import Candidate, candidates, is_dangling
from rag.spans import span

__all__ = ["Draft", "DraftSentence", "Quote", "compose"]

BUDGET = 81  # words of an answer that isn't a list
UNSURE_BUDGET = 130  # the same, where another sentence answers nearly as well as the best one
CLOSE = 2.2  # how far below the best one such a sentence may score
LIST_BUDGET = 140
PARTS_BUDGET = 150  # of an answer to several questions
SHORT_ANSWER, FILLED = 25, 60  # words below which an answer goes on with what follows, and how far
LONGEST_ANSWER = 200  # the same, with the first list where one is asked for: half of it says nothing
MOST_SENTENCES = 5
MOST_ITEMS = 12  # sentences of an answer that is a list
LONGEST_LEAD = 40  # words of a sentence that is said only because the next one leans on it
HOLDS = 1.0  # how far below the best a sentence that holds the figure asked for may score and still come before it
WORTH = 4.1  # how far below the best a sentence may score and still be said
LONGEST_LIST = 12  # items shown of one list
_SAYS = re.compile(
    r"(?!\s*[:;,)]).*?(?:\d|[^\W\d_]{3}|://)", re.DOTALL
)  # « .l. » says nothing; « : méthodes » is what a name left
_ONE = re.compile(r"\bune?\b", re.IGNORECASE)
_EXTREME = re.compile(r"\b(?:le|la|les) (plus|moins)\b")
_SHARE = re.compile(r"(\d+(?:[.,]\d+)?)\s?%")
LEAST_ROWS = 3  # with a share, of a table that ranks things
ILLEGIBLE = 0.2  # share of a sentence that isn't French beyond which it isn't said
SENTENCE_WORDS = 6  # words below which a line without an end is a label
CELL_WORDS = 5  # words from which a cell says something by itself
TITLE_WORDS = 8  # words from which a title says something by itself
LABEL = 40  # characters in which an entry's label ends
NAMED = 0.3  # share of an item's label in the question from which it is the one asked for (« CPIE : centre… »)
ITEM_WORDS = 10  # words below which an item is understood only in its list
_CUT = re.compile(  # « COHÉSION DE », « Projets de dévelop- »
    r"\b(?:de|des|du|d['’]|les?|la|l['’]|et|à|en|pour|sur|par|aux?)[\s.-]*$|[a-zé]-[\s.]*$", re.IGNORECASE
)
_POINTS = re.compile(
    r"\b(?:tableau|schema|figure|graphique|encadre|carte) (?:suivant|ci-(?:dessous|dessus|contre|apres))e?s?\b"
)
ANSWERS = ("sharp", "does", "expands")  # what a sentence may hold of the answer that one like it lacks
ALIKE = 0.6  # share of words in common beyond which two sentences say the same thing


@dataclass(frozen=True)
class Draft:
    sentences: tuple[DraftSentence, ...]
    support: tuple[Candidate, ...]  # what it was made of, best first
    parts: tuple[tuple[Candidate, ...], ...] = ()  # the same for each part of the question


@span
def compose(
    found: Found,
    expectation: Expectation,
    generation: Generation,
    parts: Sequence[tuple[Expectation, Found]] = (),
) -> Draft:
    """Choose, order and tidy the sentences that answer; `parts`: what was found for each thing asked, where there are several,
    whose best sentences are said too."""
    ranked = candidates(found, expectation, generation)
    if not ranked:
        return Draft((), ())
    things = focus(found.query.text, generation.lexical)
    supports = tuple(tuple(candidates(part, wanted, generation)) for wanted, part in parts)
    asked = frozenset(term.token for term in found.query.terms)

    def length(candidate: Candidate) -> int:
        """Words of a candidate as it will be said."""
        if candidate.sentence.kind != "table":
            return candidate.length
        return len(sentence(candidate, None, asked, expectation, generation).text.split())

    chosen = _choose(_each_part_first(ranked, supports), expectation, things, length, bool(supports))
    chosen = _extreme_first(chosen, ranked, found.query.text)
    listed = _listed(chosen, expectation)
    drafted = tuple(sentence(c, listed.get(c.key), asked, expectation, generation) for c in chosen)
    if chosen and not chosen[0].trait("counted") and (named := headings_of(found, expectation, generation)):
        drafted = (*drafted[:1], *named)
    return Draft(drafted, tuple(ranked), supports)


def _each_part_first(ranked: list[Candidate], supports: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    """The best sentence of each part after the best of all."""
    if not supports:
        return ranked
    known = {(c.hit.row, c.members): c for c in ranked}
    first = ranked[0]
    best = [first]
    for support in supports:
        own = next((c for c in support if _sayable(c)), None)
        if own is not None and (own.hit.row, own.members) in known:
            best.append(known[own.hit.row, own.members])
    ahead = list(dict.fromkeys(best))
    return [replace(c, score=first.score) for c in ahead] + [c for c in ranked if c not in ahead]


def _choose(
    ranked: Sequence[Candidate],
    expectation: Expectation,
    things: Sequence[str],
    words_of: Callable[[Candidate], int],
    several: bool = False,
) -> list[Candidate]:
    """The best sentence or list, then others while they are worth it and there is room, direct answer first. `things`: index
    tokens of what is asked for."""
    page = _Page.of(ranked, expectation)
    wants_list = "list" in expectation.wants
    thing = set(uncounted(things))
    budget = LIST_BUDGET if wants_list else UNSURE_BUDGET if _close(ranked, expectation) else BUDGET
    budget = max(budget, PARTS_BUDGET if several else 0)
    best: Candidate | None = None
    chosen: list[Candidate] = []
    first: list[Candidate] = []
    length = 0
    for candidate in _reading_on(ranked, expectation, things):
        if not _sayable(candidate):
            continue
        if best is None and candidate.sentence.kind == "body" and candidate.text.endswith("?"):
            continue  # another's question answers nothing by itself
        if best is not None and candidate.score < best.score - WORTH:
            continue
        if best is not None and candidate.sentence.kind == "list" and candidate.trait("reference"):
            continue  # where to read more isn't an answer, unless it is what was asked for
        if best is not None and candidate.whole_list and not wants_list and candidate.hit.row != best.hit.row:
            continue  # a list from elsewhere, beside a sentence that answers
        if len(chosen) >= (MOST_ITEMS if wants_list else MOST_SENTENCES):
            break
        if best is not None and _orphan(candidate, wants_list):
            continue
        if candidate.sentence.kind == "body" and sum(c.sentence.kind == "body" for c in chosen) >= MOST_SENTENCES:
            continue  # a list is long by its items, not by what is said around it
        if any(_alike(candidate, other) for other in chosen) or _lesser_row(candidate, chosen, expectation):
            continue
        unit = [c for c in page.unit(candidate, wants_list or best is None, things) if c not in chosen]
        words = sum(map(words_of, unit))
        asked_list = wants_list and candidate.whole_list and not any(c.sentence.kind == "list" for c in chosen)
        room = LONGEST_ANSWER if asked_list else budget
        if not unit or (chosen and length + words > room):
            continue
        if best is None:
            best, first = candidate, unit
        chosen += unit
        length += words
        counted = candidate.sentence.kind == "table" or (candidate.trait("counted") and _speaks_of(candidate, thing))
        if candidate.whole_list and counted and expectation.wants == {"list"}:
            break  # all that was asked for
    if best is not None and length < SHORT_ANSWER and not best.trait("sharp"):
        chosen += _what_follows(best, chosen, page, FILLED - length)
    return _order(chosen, first)


def _close(ranked: Sequence[Candidate], expectation: Expectation) -> bool:
    """Whether the best sentence isn't alone to answer."""
    said = list(islice((c for c in ranked if _sayable(c)), 2))
    sharp = bool(said and expectation.wants & SHARP and said[0].trait("sharp"))
    return len(said) == 2 and not sharp and said[0].score - said[1].score < CLOSE


def _extreme_first(chosen: list[Candidate], ranked: Sequence[Candidate], question: str) -> list[Candidate]:
    """Before a table's row that is said to who asks for « le plus… », the row that has the greatest share: a question that takes
    another for the greatest is set right."""
    asked = _EXTREME.search(fold(question))
    if asked is None or not chosen or chosen[0].sentence.kind != "table":
        return chosen
    shares = {
        c: _SHARE.findall(c.text) for c in ranked if c.sentence.kind == "table" and c.hit.row == chosen[0].hit.row
    }
    rows = {c: float(found[0].replace(",", ".")) for c, found in shares.items() if len(found) == 1}
    if chosen[0] not in rows or len(rows) < LEAST_ROWS:
        return chosen
    extreme = (max if asked.group(1) == "plus" else min)(rows, key=rows.__getitem__)
    return [extreme, *(c for c in chosen if c is not extreme)]


def _what_follows(best: Candidate, chosen: Sequence[Candidate], page: _Page, room: int) -> list[Candidate]:
    """The sentences after those chosen in the best one's passage, while there is `room` for their words: what an answer of a
    few words means is often said next."""
    row = best.hit.row
    index = max(c.index for c in chosen if c.hit.row == row) + 1
    found: list[Candidate] = []
    while (row, index) in page.singles:
        following = page.singles[row, index]
        room -= following.length
        if room < 0 or (_labelled(best) and _labelled(following)) or not can_be_said(following):
            break
        found.append(following)
        index += 1
    return found


def _labelled(candidate: Candidate) -> bool:
    """An entry among others: « CPIE : centre permanent… »."""
    return " : " in candidate.text[:LABEL]


def _orphan(candidate: Candidate, wants_list: bool) -> bool:
    """A short item without its list, which says nothing by itself (« Faire naître des expérimentations. »)."""
    alone = candidate.sentence.kind == "list" and not candidate.whole_list and not wants_list
    return alone and candidate.length < ITEM_WORDS and candidate.coverage == 0


def _reading_on(ranked: Sequence[Candidate], expectation: Expectation, things: Sequence[str]) -> list[Candidate]:
    """The candidates, best first, what leans on the best sentence right after it: « Cette dernière correspond à… »."""
    best = next((c for c in ranked if _sayable(c)), ranked[0])
    if expectation.wants & SHARP and not best.trait("sharp"):
        holding = (c for c in ranked if c.trait("sharp") == 1 and c.score >= best.score - HOLDS and can_be_said(c))
        best = next(holding, best)  # nearly as good, and it holds the figure that is asked for
    after = [c for c in ranked if c.key == (best.hit.row, best.members[-1] + 1) and is_dangling(c.text)]
    if "list" in expectation.wants and _counts_on(best):
        after += [c for c in ranked if c.key == (best.hit.row, best.members[-1] + 1) and c not in after]
    if "list" in expectation.wants and not best.trait("counted"):
        thing = set(uncounted(things))
        announced = thing <= best.tokens and bool(COUNTED.search(fold(best.text)))
        named = (
            c
            for c in ranked
            if c.whole_list
            and c.trait("counted")
            and c.hit.chunk.document_id == best.hit.chunk.document_id
            and (announced or _speaks_of(c, thing))
        )
        whole = next(named, None)
        if whole is not None and whole.hit.chunk.page == best.hit.chunk.page:
            after = [replace(whole, score=best.score)]
    return [best, *after, *(c for c in ranked if c is not best and c not in after)]


def _speaks_of(candidate: Candidate, thing: set[str]) -> bool:
    return thing <= candidate.tokens | token_set(" ".join(candidate.hit.chunk.section))


def _counts_on(candidate: Candidate) -> bool:
    """Whether a sentence says how many things there are, which the next one names (« Trois avancées sont à souligner. »)."""
    return (
        candidate.sentence.kind == "body"
        and candidate.length <= LONGEST_LEAD
        and bool(COUNTED.search(fold(candidate.text)))
    )


@dataclass(frozen=True)
class _Page:
    """The candidates by their place: single sentences, and the list that each one belongs to or announces."""

    singles: dict[tuple[int, int], Candidate]
    lists: dict[tuple[int, int], Candidate]
    counting: bool  # a number of things is asked for

    @classmethod
    def of(cls, ranked: Sequence[Candidate], expectation: Expectation) -> _Page:
        lists = {(c.hit.row, i): c for c in ranked if c.whole_list for i in c.members}
        return cls({c.key: c for c in ranked if not c.whole_list}, lists, "number" in expectation.wants)

    def unit(self, candidate: Candidate, with_list: bool, things: Sequence[str]) -> list[Candidate]:
        """What has to be said together: a list with its lead, a sentence with the one that it leans on."""
        row, index = candidate.key
        if not candidate.whole_list and candidate.text.rstrip().endswith(":"):
            if (row, index + 1) not in self.lists:
                # It announces what isn't said, unless it tells or counts itself what is asked for (« 4 questions se posent : »).
                told = candidate.trait("sharp") == 1 and not self.counting
                counted = candidate.trait("sharp") and counts(_ONE.sub("", candidate.text), things[:1])
                return [candidate] if told or counted else []
            candidate = self.lists[row, index + 1]
        if with_list and _needs_its_list(candidate) and candidate.key in self.lists:
            candidate = self.lists[candidate.key]
        if candidate.whole_list:
            members = candidate.members if with_list else candidate.members[:LONGEST_LIST]
            unit = [self.singles[row, i] for i in members[: LONGEST_LIST + 1]]
            return unit if _can_announce(unit[0]) else unit[1:]
        behind = (self.singles.get((row, index - back)) for back in (1, 2))
        before = next((c for c in behind if c is not None and can_be_said(c) and not c.trait("fragment")), None)
        explains = (
            candidate.sentence.kind == "list" and candidate.trait("label") == 1 and not BULLET.match(candidate.text)
        )
        follows = is_dangling(candidate.text) or explains
        leans = follows and before is not None and before.sentence.kind in ("body", "list")
        return [before, candidate] if leans and before and before.length <= LONGEST_LEAD else [candidate]


def _needs_its_list(candidate: Candidate) -> bool:
    """A short item (« Choisir le partenaire ») is understood among the others."""
    alone = candidate.trait("label") >= NAMED or candidate.trait("expands")
    return (
        candidate.sentence.kind == "list" and not candidate.whole_list and candidate.length < ITEM_WORDS and not alone
    )


def _sayable(candidate: Candidate) -> bool:
    return candidate.whole_list or can_be_said(candidate)


def can_be_said(candidate: Candidate) -> bool:
    """Not a heading, nor a table's head, nor what a drawing or bad OCR left."""
    kind, text = candidate.sentence.kind, candidate.text
    if (
        (kind == "title" and (len(text.split()) < TITLE_WORDS or text.endswith("?")))
        or candidate.trait("head")
        or candidate.trait("illegible") > ILLEGIBLE
        or not _SAYS.match(text)
    ):
        return False
    if kind == "table" and (_CUT.search(text) or candidate.trait("repeats")):
        return False
    if kind == "body" and len(text.split()) < CELL_WORDS * 2 and _POINTS.search(fold(text)):
        return False  # to what isn't said with it
    capitals = sum(word.isupper() for word in text.split())  # « PROPOSITION + I + S » is what a drawing left
    says = candidate.trait("drawn") or len(text.split()) >= max(CELL_WORDS, 2 * capitals)
    label = kind == "table" and " : " not in text and not any(c.isdigit() for c in text) and not says
    return not (label or (kind == "body" and candidate.trait("fragment") and len(text.split()) < SENTENCE_WORDS))


def _can_announce(lead: Candidate) -> bool:
    """A heading announces a list where it speaks of what is asked, in words that can be read."""
    return lead.sentence.kind != "title" or (lead.coverage > 0 and lead.trait("illegible") <= ILLEGIBLE)


def _listed(chosen: Sequence[Candidate], expectation: Expectation) -> dict[tuple[int, int], bool]:
    """The items that are shown as a list, which have a neighbour beside them: True for a sentence that goes on with the item
    before it. What stands before the first bullet announces the list and isn't an item."""
    shown = {"list", "table"} if "list" in expectation.wants else {"list"}
    items = {c.key: bool(BULLET.match(c.text)) for c in chosen if c.sentence.kind in shown}
    beside = sorted((row, i) for row, i in items if (row, i - 1) in items or (row, i + 1) in items)
    bulleted = {row for row, i in beside if items[row, i]}
    listed: dict[tuple[int, int], bool] = {}
    begun: set[int] = set()
    for row, i in beside:
        if items[row, i] or row not in bulleted:
            begun.add(row)
            listed[row, i] = False
        elif row in begun:
            listed[row, i] = True
    return listed


def _lesser_row(candidate: Candidate, chosen: Sequence[Candidate], expectation: Expectation) -> bool:
    """A row of a table of which a better named one is said already: « Mécénat : … » is asked for, not its neighbours."""
    if candidate.sentence.kind != "table":
        return False
    least = 1.0 if "list" in expectation.wants else 0.0  # a list takes other rows, unless one is named in full
    named = candidate.trait("label")
    rows = [c for c in chosen if c.sentence.kind == "table" and c.hit.row == candidate.hit.row]
    return any(row.trait("label") > named for row in rows if row.trait("label") >= least)


def _alike(a: Candidate, b: Candidate) -> bool:
    if a.text == b.text and a.sentence.kind != "list":
        return True
    if any(a.trait(name) > b.trait(name) for name in ANSWERS):
        return False
    smaller = min(len(a.tokens), len(b.tokens))
    return smaller > 0 and len(a.tokens & b.tokens) / smaller > ALIKE and a.hit.row != b.hit.row


def _order(chosen: Sequence[Candidate], first: Sequence[Candidate]) -> list[Candidate]:
    """What answers best first, then what follows it in its passage; other passages after, each in the order of its text."""
    if not first:
        return []
    rank: dict[int, int] = {}
    for candidate in chosen:
        rank.setdefault(candidate.hit.row, len(rank))
    start = first[0].key
    if (lead := next((c for c in chosen if c.key == (start[0], start[1] - 1)), None)) and lead.text.endswith(":"):
        start = lead.key  # what announces stays before what it announces

    def place(c: Candidate) -> tuple[int, bool, int]:
        return rank[c.hit.row], rank[c.hit.row] == 0 and c.key < start, c.index

    return sorted(chosen, key=place)
