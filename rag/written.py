"""What a model wrote, beside the extractive answer: what it says twice, what only echoes the question, what it leaves unsaid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rag.compose import LABEL
from rag.draft import DraftSentence
from rag.expect import SHARP, Expectation, holds
from rag.lexical import tokenize
from rag.select import is_dangling

SAME = 0.8  # share of words in common beyond which a written sentence repeats another
TAKEN = 0.25  # share of an item's words from which it was taken up
NEAR = 2.0  # how far below the best a sentence of the extractive answer may score and still have to be said
FIRST = 2  # sentences that may stand before a list that comes early
ROOM = 75  # words of a written answer with what completes it
LIST_ROOM = 120  # the same, where a list is asked for
SAID = 0.5  # share of a sentence's words that a written answer must hold to have said it
BOTH_SAID = 0.8  # the same, for who asks two things to be told apart


def _words(sentence: DraftSentence) -> frozenset[str]:
    return frozenset(tokenize(sentence.text))


def repeats(sentence: DraftSentence, other: DraftSentence) -> bool:
    """Whether two sentences say the same thing."""
    a, b = _words(sentence), _words(other)
    return bool(a and b) and len(a & b) / min(len(a), len(b)) > SAME


def echoes(sentence: DraftSentence, question: str) -> bool:
    """Whether a sentence only says the question again."""
    return _words(sentence) <= frozenset(tokenize(question))


def stutters(sentence: DraftSentence) -> bool:
    """Whether a sentence says a word again that its quotes say less often: « La performance joue sur la performance »."""
    own, quoted = Counter(tokenize(sentence.text)), Counter(t for q in sentence.quotes for t in tokenize(q.text))
    return any(times > max(1, quoted[token]) for token, times in own.items())


def unsaid(
    extractive: Sequence[DraftSentence], said: Sequence[DraftSentence], expectation: Expectation, cut: bool = False
) -> list[DraftSentence]:
    """What a written answer leaves out of the extractive one and must not: the items of a list that is asked for, or the best
    sentences while there is room; all of them where it was cut short. Each where fewer than half of its words were said, and where
    the figure that was asked for wasn't taken from it."""
    spoken = [_words(sentence) for sentence in said]
    known = frozenset[str]().union(*spoken)
    # One of the things of a list, or what tells two things apart, is said by one sentence: the words of several others may be its own.
    by = spoken if expectation.wants & {"list", "compare"} else [known]
    room = (LIST_ROOM if "list" in expectation.wants else ROOM) - sum(len(s.text.split()) for s in said)
    best = max((_score(s) for s in extractive), default=0.0)
    listed = _first_list(extractive, known) if "list" in expectation.wants else []
    least = BOTH_SAID if "compare" in expectation.wants else SAID
    sharp = expectation.wants & SHARP
    proven = {quote for s in said if any(holds(want, s.text) for want in sharp) for quote in s.quotes}
    kept: list[DraftSentence] = []
    told = True  # whether the sentence before is said, on which the next may lean
    for sentence in extractive:
        is_said = any(_says(words, sentence, least) for words in by) or bool(proven & set(sentence.quotes))
        leans = is_dangling(sentence.text) and not told
        near = cut or (not listed and ("list" in expectation.wants or _score(sentence) >= best - NEAR))
        wanted = sentence in listed or (near and not sentence.text.endswith(":"))
        told = is_said
        if is_said or leans or not wanted:
            continue
        if sentence not in listed and not cut:
            room -= len(sentence.text.split())
            if kept and room < 0:
                continue
        kept.append(sentence)
        told = True
    return kept


def _says(words: frozenset[str], sentence: DraftSentence, least: float) -> bool:
    """Whether `words` are that share of a sentence's, with the name of what it is about (« S'INFORMER : régulièrement… »)."""
    label, colon, _ = sentence.text[:LABEL].partition(" : ")
    named = frozenset(tokenize(label)) if colon and sentence.item else frozenset[str]()
    return _share(sentence, words) >= least and named <= words


def _share(sentence: DraftSentence, known: frozenset[str]) -> float:
    """Of a sentence's words, that are among `known`."""
    own = _words(sentence)
    return len(own & known) / len(own) if own else 1.0


def _score(sentence: DraftSentence) -> float:
    return max((quote.score for quote in sentence.quotes), default=0.0)


def _first_list(extractive: Sequence[DraftSentence], known: frozenset[str]) -> list[DraftSentence]:
    """The items of the first list, where it comes early or where what was said takes some words of most of them."""
    items = [n for n, s in enumerate(extractive) if s.item or s.goes_on]
    first = [extractive[n] for place, n in enumerate(items) if n == items[0] + place]
    taken = sum(_share(s, known) >= TAKEN for s in first)
    return first if items and (items[0] <= FIRST or taken > len(first) / 2) else []
