"""What a model wrote, beside the extractive answer: what it says twice, what only echoes the question, what it leaves unsaid."""

from __future__ import annotations

from collections.abc import Sequence

from rag.draft import DraftSentence
from rag.expect import Expectation
from rag.lexical import tokenize
from rag.select import is_dangling

SAME = 0.8  # share of words in common beyond which a written sentence repeats another
SAID = 0.5  # share of a sentence's words that a written answer must hold to have said it


def _words(sentence: DraftSentence) -> frozenset[str]:
    return frozenset(tokenize(sentence.text))


def repeats(sentence: DraftSentence, other: DraftSentence) -> bool:
    """Whether two sentences say the same thing."""
    a, b = _words(sentence), _words(other)
    return bool(a and b) and len(a & b) / min(len(a), len(b)) > SAME


def echoes(sentence: DraftSentence, question: str) -> bool:
    """Whether a sentence only says the question again."""
    return _words(sentence) <= frozenset(tokenize(question))


def unsaid(
    extractive: Sequence[DraftSentence], said: Sequence[DraftSentence], expectation: Expectation, cut: bool = False
) -> list[DraftSentence]:
    """What a written answer leaves out of the extractive one and must not: the items of a list that is asked for, and the
    first that stands by itself; all of them where it was cut short. Each where fewer than half of its words were said."""
    known = frozenset[str]().union(*map(_words, said))
    wanted = [s for s in extractive if s.item] if "list" in expectation.wants else []
    alone = [s for s in extractive if not is_dangling(s.text) and not s.text.endswith(":")]
    kept = alone if cut else wanted or alone[:1]
    return [s for s in kept if len(_words(s) & known) < SAID * len(_words(s))]
