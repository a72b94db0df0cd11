"""Whether the corpus answers: a calibrated probability from retrieval and answer support, not a magic constant.

A logistic regression on a few readable signals, fitted by `evals` on reference questions with and without an answer
(docs/adr/0007-abstention.md); its weights stand here, and `evals run` draws its risk-coverage curve.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence, Set
from dataclasses import astuple, dataclass, fields

import numpy as np

from rag.embedding import Encoded
from rag.expect import SHARP, SPELLED, Expectation, Want, holds
from rag.focus import counts, focus
from rag.generation import Generation
from rag.lexical import STOP_WORDS, LexicalIndex, fold, stem, telling_words, token_set, words
from rag.parts import preamble
from rag.query import GLOSSARY, Query, kind_words
from rag.retrieve import Found, query_words
from rag.select import Candidate

THRESHOLD = 0.4  # docs/adr/0007-abstention.md
# Times as much where the question names what the corpus never does (of 52 such, 46 had no answer), or where little of it is said,
# and by a passage that is not that near.
DOUBT = 1.9
FOREIGN, FOREIGN_DOUBT = 0.35, 1.55  # the same where the corpus has few of the question's words (share of their weight)
FAINT_COVERAGE, FAINT_LIKENESS = 0.2, 0.45
ONE_WORD, TWO_WORDS = 0.15, 0.25  # tens of content words
NEAR, FAR, SAID = (
    0.5,
    0.15,
    0.6,
)  # likeness of a passage that is near, of one that isn't; share of a question that is said
CERTAIN = 1.0
KNOWN = 0.7  # share of the weight of a question that asks why, whose words the corpus must have
NOTHING_ASKED = 0.85  # likeness where the question has no such word
BEFORE = 200  # characters before the best sentence that are its context
SOUGHT = 0.25  # cosine that tells nothing
RAREST = 6.0  # weight (idf) that counts as 1
_NAME = re.compile(r"(?<=[\s'’(«])[A-ZÉÈÀÂÎÔÛ][\w-]{2,}")
_AHEAD = re.compile(r"\b(?:prochaine?s?|sera|seront|aura|auront|futurs?|future|apres 20|demain)\b")
_GRANTED = re.compile(
    r"\b(?:pourquoi|puisque|comment (?:se fait|expliquer)|comment .{0,40}\b(?:a|ont)-(?:t-)?(?:il|elle)s? (?:fait|reussi|pu|reussie?) |pour quelles? raisons?)\b"
)
_PUBLISHED = re.compile(
    r"\b(?:paru(?:e|s|es)?|parution|publie(?:e|s|es)?|publication|edite(?:e|s|es)?|editeurs?|editions?)\b"
)
_WHEN_OR_WHO = re.compile(r"\b(?:dates?|quand|annees?|mois|qui|editeurs?|chez)\b")
_TITLE = re.compile(r"[«\"“]\s?([^«»\"“”]{4,}?)\s?[»\"”]")
_REFERENCE = re.compile(r"[^()]{0,120}\([^()]*\b(?:19|20)\d\d\b[^()]*\)")  # « … » (Éditions du Net, septembre 2021)
# What follows of « a-t-il été dissous », « ont-ils refusé ».
_HAPPENED = re.compile(r"\b(?:a|ont)-(?:t-)?(?:il|elle|on|ils|elles) (.+)")
_PARTICIPLE = re.compile(r"\w{2,}(?:e|i|u|is|it|ous|ert)(?:e|s|es)?")
_QUANTITY = re.compile(  # a number with its unit; one that follows a name belongs to it (« ODD 17 », « Agenda 2030 »)
    r"(?P<name>\b[A-ZÉÈ][\w’'-]+ )?(?<![\d,.])(?P<n>\d+(?:[.,]\d+)?)[\s\u00a0\u202f]?(?P<unit>%|€|M€|k€|ans\b|mois\b)?"
)
_RANK = re.compile(  # « la bonne dernière », « numéro un mondial »
    r"\b(?:bon(?:ne)? derniere?|(?:numero|n°) ?(?:un|1)\b|en tete du|championne?s? d|premiere? (?:mondiale?|au monde|du classement|en europe))"
)
_RANK_TOLD = re.compile(
    r"\b\d{1,3} ?(?:er|ere|e|eme) (?:rang|place|position|mondiale?)|\brang\b|\bclassement|\bclassee?s?\b|\bdernier|\bpremier"
)
_PLACE = re.compile(r"\bou (?:se|aura|est|s'|peut)|dans quel(?:le)? (?:ville|pays|lieu)")


@dataclass(frozen=True)
class Signals:
    """Of a question and its best sentences; most are about 0 to 1."""

    passage_coverage: float  # share of the question's weight in the best sentence's passage
    best_coverage: float  # in the three best sentences
    nothing_said: float  # 1: none of its words stands in the three best sentences
    context_coverage: float  # in the best sentence, its heading and the sentence before
    known: float  # share of the question's weight that the corpus has a word for
    rarest_missing: float  # weight of the rarest word that the three best sentences lack
    name_missing: float  # 1: a name or number of the question isn't in the passage
    name_unknown: float  # 1: nor anywhere in the corpus
    focus_likeness: float  # cosine of the thing asked for with the best sentence's closest word
    focus_near: float  # 1: the thing asked for is named in the best sentence or around it
    focus_said: float  # 1: in the three best sentences
    focus_second: float  # 1: so is what is asked of it
    sharp_focus: float  # 1: the number, date… stands in a sentence that names the thing
    counted: float  # 1: the number counts the thing
    late: float  # late interaction of the best sentence's passage
    weakest: float  # likeness of the worst-matched word of the question in the best sentence
    likeness: float  # mean of all its words
    wanted: float  # 1: a good sentence holds the kind of thing asked for
    ahead: float  # 1: asks about what is to come
    place: float  # 1: asks where
    how_many: float  # 1: asks how many
    who: float  # 1: asks who
    expands: float  # 1: the best sentence spells an acronym of the question
    dense: float  # cosine of the best sentence's passage, rescaled
    phrase: float  # share of the question's pairs of words in the best sentence
    words: float  # tens of content words of the question: the more it says, the less of it one sentence can hold
    sought: float  # cosine of the best sentence with what would answer the question (rag/embedding.py), rescaled
    sought_best: float  # of the likest of the three best
    sought_passage: float  # of the best sentence's passage


def signals(found: Found, ranked: Sequence[Candidate], expectation: Expectation, generation: Generation) -> Signals:
    if not found.hits or not ranked:
        return Signals(*(0.0,) * len(fields(Signals)))
    lexical, question = generation.lexical, found.query.text
    weights = {t.token: lexical.telling(t.word, t.name) for t in found.query.terms if t.weight == 1.0}
    total = sum(weights.values()) or 1.0
    top, best = ranked[0], ranked[:3]
    heading = token_set(" ".join(top.hit.chunk.section))
    before = token_set(top.hit.chunk.text[max(0, top.sentence.start - BEFORE) : top.sentence.start])
    passage = heading | token_set(top.hit.chunk.text)
    if SPELLED.get(expectation.count or 0) in passage:
        passage |= {str(expectation.count)}
    said = frozenset[str]().union(*(c.tokens for c in best))
    asked = focus(question, lexical)
    sharp = expectation.wants & SHARP
    wanted = expectation.wants - {"list", "how", "definition", "compare", "purpose", "condition"}
    names = _names(found.query.repaired)
    likeness, focused = _likeness(top, found.query, found.encoded, generation, asked[:1])
    folded = fold(question)
    how_many = "combien" in folded

    def share(tokens: Set[str]) -> float:
        return sum(w for t, w in weights.items() if t in tokens) / total

    return Signals(
        passage_coverage=share(passage),
        best_coverage=share(said),
        nothing_said=float(not said & weights.keys() and not any(c.coverage for c in best)),  # a row says its head
        context_coverage=sum(top.trait(name) for name in ("coverage", "heading", "lead", "leaning")),
        known=sum(w for t, w in weights.items() if lexical.knows(t)) / total if weights else 1.0,
        rarest_missing=max((w for t, w in weights.items() if t not in said), default=0.0) / RAREST,
        name_missing=float(bool(names - passage)),
        name_unknown=float(not all(lexical.knows(name) for name in names) or _acronym_unknown(question, lexical)),
        focus_likeness=focused,
        focus_near=float(not asked or asked[0] in top.tokens | heading | before),
        focus_said=float(not asked or asked[0] in said),
        focus_second=float(len(asked) < 2 or asked[1] in top.tokens | heading | before),
        sharp_focus=float(
            not sharp or any(_sharp(c, sharp, question) and asked[:1] and asked[0] in c.tokens for c in best)
        ),
        counted=float(not how_many or any(counts(c.text, asked) for c in best)),
        late=top.hit.late,
        weakest=float(likeness.min()),
        likeness=float(likeness.mean()),
        wanted=float(not wanted or any(holds(w, c.text, question) for w in wanted for c in best)),
        ahead=float(bool(_AHEAD.search(folded))),
        place=float(bool(_PLACE.search(folded))),
        how_many=float(how_many),
        who=float(bool(re.search(r"\bqui\b", folded))),
        expands=top.trait("expands"),
        dense=(top.hit.dense - 0.8) / 0.1,
        phrase=top.trait("phrase"),
        words=len(query_words(found.query, found.encoded, generation)[0]) / 10,
        **_sought(best, found.encoded.seeking, generation),
    )


def _sought(best: Sequence[Candidate], seeking: np.ndarray | None, generation: Generation) -> dict[str, float]:
    """How near the best sentences come to what would answer the question; in the middle where the model has no such reading."""
    if seeking is None:
        return {"sought": 0.0, "sought_best": 0.0, "sought_passage": 0.0}
    passage = float(generation.vectors[best[0].hit.row] @ seeking)
    likeness = [candidate.sought for candidate in best]
    given = {"sought": likeness[0], "sought_best": max(likeness), "sought_passage": passage}
    return {name: (value - SOUGHT) / 0.1 for name, value in given.items()}


def _sharp(candidate: Candidate, wants: Set[Want], question: str) -> bool:
    return any(holds(want, candidate.text, question) for want in wants)


def _names(question: str) -> frozenset[str]:
    """Tokens of the question's names and numbers, but those by which who asks says who they are (« une commune de 8 000 habitants »)."""
    aside = preamble(question) | kind_words(fold(question))
    named = (word for match in _NAME.finditer(question) for word in words(match.group()) if word not in STOP_WORDS)
    return frozenset(
        stem(word)
        for word in (*(w for w in named if w not in GLOSSARY), *(w for w in words(question) if w[0].isdigit()))
        if word not in aside
    )


def _acronym_unknown(question: str, lexical: LexicalIndex) -> bool:
    """Whether a known acronym is asked about (« CRTE ») that the corpus neither uses nor spells."""
    aside = preamble(question)
    asked = [word for word in words(question) if word in GLOSSARY and word not in aside]
    return any(
        not lexical.knows(stem(word)) and not any(all(map(lexical.knows, token_set(n))) for n in GLOSSARY[word])
        for word in asked
    )


def _likeness(
    top: Candidate, query: Query, encoded: Encoded, generation: Generation, asked: Sequence[str]
) -> tuple[np.ndarray, float]:
    """Cosine of each content word of the question with its closest word in the best sentence, and that of `asked`."""
    spans, vectors = generation.word_vectors(top.hit.row)
    inside = (spans[:, 0] >= top.sentence.start) & (spans[:, 1] <= top.sentence.end)
    own = vectors[inside] if inside.any() else vectors
    _, asking = query_words(query, encoded, generation)
    if not len(own) or not len(asking):
        return np.zeros(1), NOTHING_ASKED
    focused = NOTHING_ASKED
    for (a, b), vector in zip(encoded.spans, encoded.words, strict=True):
        word = words(query.repaired[a:b])
        if asked and word and stem(word[-1]) == asked[0]:
            focused = float((own @ vector).max())
            break
    return (asking @ own.T).max(axis=1), focused


def takes_for_granted(question: str, said: str) -> bool:
    """Whether a question that asks why takes a number for true (« Pourquoi la France n'est-elle que 25e ? ») that the answer
    neither says nor corrects by another of its kind."""
    if not _GRANTED.search(fold(question)):
        return False
    given = {m.group("n"): m.group("unit") for m in _QUANTITY.finditer(question) if not m.group("name")}
    told = {m.group("n"): m.group("unit") for m in _QUANTITY.finditer(said)}
    if _RANK.search(fold(question)) and not _RANK_TOLD.search(fold(said)):
        return True
    return any(n not in told and (not unit or unit not in told.values()) for n, unit in given.items())


def tells_publication(question: str, said: Sequence[str]) -> bool:
    """Whether who asks when or by whom a work that they quote was published is given its reference, which never says so in words."""
    folded = fold(question)
    if not (_PUBLISHED.search(folded) and _WHEN_OR_WHO.search(folded)):
        return False
    found = ((fold(sentence), title) for sentence in said for title in _TITLE.findall(folded))
    return any(title in sentence and _REFERENCE.match(sentence.partition(title)[2]) for sentence, title in found)


def asks_why_of_the_unknown(question: str, given: Signals, lexical: LexicalIndex) -> bool:
    """Whether a question asks why something is so that the corpus has hardly any word for (« Pourquoi le Fonds a-t-il fait
    faillite ? »), or no word for what happened (« a-t-il été dissous »): whatever stands near its topic would seem to confirm it."""
    folded = fold(question)
    if not _GRANTED.search(folded):
        return False
    happened = _HAPPENED.search(folded)
    after = telling_words(happened.group(1)) if happened else []
    told = next((word for word in after if not word.endswith("ment")), "")
    untold = _PARTICIPLE.fullmatch(told) is not None and not lexical.knows(stem(lexical.correct(told)))
    return untold or given.known < KNOWN or given.name_unknown > 0


def needed(given: Signals) -> float:
    """The probability from which a question is answered."""
    if _says_nothing(given):
        return CERTAIN
    faint = given.best_coverage < FAINT_COVERAGE and given.dense < FAINT_LIKENESS
    if given.name_unknown or faint:
        return THRESHOLD * DOUBT
    return THRESHOLD * (FOREIGN_DOUBT if given.known < FOREIGN else 1.0)


def _says_nothing(given: Signals) -> bool:
    """Whether a question of a word or two (« asdf », « parle-moi de toi »), or one that nothing comes near, is said by no sentence:
    what would answer it can't be told."""
    few = given.words < ONE_WORD or (given.words < TWO_WORDS and given.dense < NEAR)
    return (few and given.best_coverage <= SAID) or (given.dense < FAR and given.best_coverage <= SAID / 2)


# bias, then one weight a signal in the order of Signals
WEIGHTS: tuple[float, ...] = (
    -5.475, 1.458, -0.083, -0.208, 0.492, 0.117, -0.586, -1.173, -3.136, 2.381, -0.269, 0.693, 0.541, -0.495, 0.718,
    3.277, 0.061, -1.528, 2.229, -1.358, 0.205, -0.572, 0.404, 0.262, -0.547, -0.46, 1.348, 0.404, 0.442, 0.267,
)  # fmt: skip


def probability(given: Signals) -> float:
    """That the corpus answers, 0 to 1."""
    score = WEIGHTS[0] + sum(w * x for w, x in zip(WEIGHTS[1:], astuple(given), strict=True))
    return 1 / (1 + math.exp(-score))
